/* The device half of the wire protocol: bytes in, responses out through the port. No heap, no globals; the caller owns the device_t. */
#ifndef SPIKEPORT_DEVICE_H
#define SPIKEPORT_DEVICE_H

#include "../core/network.h"
#include "frame.h"
#include "port.h"
#include "slots.h"

typedef struct {
  const port_t *port;
  receiver_t receiver;
  load_t load;
  network_t network;
  bool has_network;
  uint8_t slot;         /* of the active network, or NO_SLOT */
  uint8_t boot_status;  /* why there is no network; 0: none was ever loaded, or there is one */
  bool has_session;     /* a hello came since boot */
  bool has_last;        /* transmit still holds the response to the request below */
  uint8_t last_message;
  uint16_t last_sequence;
  uint16_t last_crc;
  uint32_t last_length; /* payload bytes of that response */
  uint32_t image_crc32;
  uint16_t input;       /* inputs written completely */
  uint32_t input_bytes; /* written of the next one */
  bool is_tracing;      /* run_node() has consumed the inputs */
  uint8_t reset;        /* RESET_...: what the port's main loop must do now */
} device_t;

/* Prepares a device and activates the network of the active slot. */
void device_start(device_t *device, const port_t *port);

/* Tells the host that the board has just started. */
void device_announce(device_t *device);

/* Takes a byte off the line; answers when it completes a request. Afterwards the caller looks at device->reset. */
void device_take(device_t *device, uint8_t byte);

#endif

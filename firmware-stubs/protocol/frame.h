/* Frames over a byte stream (docs/protocol.md, "Frames"): COBS, a four-byte head, CRC-16. */
#ifndef SPIKEPORT_FRAME_H
#define SPIKEPORT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "port.h"

typedef struct {
  uint8_t *bytes;     /* decoded so far */
  uint32_t capacity;
  uint32_t length;
  uint8_t block;      /* code byte of the block being read; 0: none yet */
  uint8_t remaining;  /* bytes of that block still to come */
  bool is_spoiled;    /* too long: ignored up to the next delimiter */
} receiver_t;

typedef enum { FRAME_NONE, FRAME_GOOD, FRAME_BAD } frame_state_t;

/* Starts with the next frame. */
void receiver_reset(receiver_t *receiver);

/* Takes a byte off the line. FRAME_GOOD: bytes[0..length) is a frame whose checksum holds (head and payload, without it). */
frame_state_t receiver_take(receiver_t *receiver, uint8_t byte);

/* Sends frame[0 .. FRAME_HEAD_BYTES + payload_length), which has room for the checksum behind it. */
void frame_send(const port_t *port, uint8_t *frame, uint32_t payload_length);

#endif

/* What a port gives to the protocol: memory, flash, a counter and a way out for bytes. Everything a chip must provide is in this struct. */
#ifndef SPIKEPORT_PORT_H
#define SPIKEPORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The flash that the protocol may write, memory-mapped at `base`; all offsets below count from there. */
typedef struct {
  const uint8_t *base;
  uint32_t config;      /* offset of two erase blocks: which slot is active */
  uint32_t slots[2];    /* offsets, multiples of erase_bytes */
  uint32_t slot_bytes;  /* of each slot, a multiple of erase_bytes */
  uint32_t erase_bytes; /* of an erase block: at least 256, a power of two */
  uint32_t write_bytes; /* granularity of a write: 1, 2, 4, 8 or 16 */
} flash_layout_t;

typedef struct {
  const char *board; /* id as in targets/boards, at most MAX_BOARD_ID_BYTES */
  uint32_t clock_hz;
  uint32_t counter_hz;       /* of counter(); 0: there is none */
  const uint8_t *image;      /* the firmware itself, for the hello's CRC-32 */
  uint32_t image_bytes;
  flash_layout_t flash;
  uint8_t *arena;            /* aligned to 16 */
  uint32_t arena_bytes;
  uint8_t *receive;          /* one decoded frame */
  uint8_t *transmit;         /* one frame to send */
  uint16_t payload_bytes;    /* largest payload; receive and transmit hold FRAME_EXTRA_BYTES more */
  uint32_t credit_bytes;     /* wire bytes the port buffers while a request is being handled; 0: one request at a time */
  void *user;                /* passed to the functions below */
  /* Hands bytes to the line; may block. */
  void (*send)(void *user, const uint8_t *bytes, size_t length);
  /* Erases the block at a multiple of erase_bytes to 0xff. */
  bool (*erase)(void *user, uint32_t offset);
  /* Programs erased bytes; offset is a multiple of write_bytes, a short tail is padded with 0xff. */
  bool (*write)(void *user, uint32_t offset, const uint8_t *bytes, uint32_t length);
  /* Counts up at counter_hz. */
  uint64_t (*counter)(void *user);
  /* The most bytes of stack in use since boot; NULL: unknown. */
  uint32_t (*stack_bytes)(void *user);
} port_t;

#endif

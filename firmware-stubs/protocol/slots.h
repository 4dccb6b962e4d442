/* Two network slots in flash and the journal that says which is active (docs/protocol.md, "Flash"). Every function leaves the flash so that a
   power cut before, in or after any write finds the old network or the new one. */
#ifndef SPIKEPORT_SLOTS_H
#define SPIKEPORT_SLOTS_H

#include "port.h"

#define SLOT_WRITE_ALIGNMENT 16u

typedef struct {
  uint32_t length; /* bytes of the network */
  uint32_t crc32;
} content_t;

/* A load that is under way. */
typedef struct {
  bool is_open;
  uint8_t slot;
  content_t content;
  uint32_t next; /* bytes stored so far */
} load_t;

/* The longest network a slot takes. */
uint32_t slot_capacity(const flash_layout_t *flash);

/* Where the network of a slot starts. */
const uint8_t *slot_bytes(const flash_layout_t *flash, uint8_t slot);

/* What a slot's header announces; false: no valid header. */
bool slot_content(const flash_layout_t *flash, uint8_t slot, content_t *content);

/* True where a slot's header is valid and every block of it was stored. */
bool slot_is_complete(const flash_layout_t *flash, uint8_t slot);

/* The slot that the journal names, or NO_SLOT. */
uint8_t slot_active(const flash_layout_t *flash);

/* Makes a slot the active one: one journal entry. Returns a refusal or 0. */
uint8_t slot_activate(const port_t *port, uint8_t slot);

/* Begins or resumes a load into a slot. Returns a refusal or 0. */
uint8_t load_begin(const port_t *port, load_t *load, uint8_t slot, content_t content);

/* Ends a load and forgets what it stored. */
void load_abandon(const port_t *port, load_t *load);

/* Stores bytes at `offset`; bytes already stored are skipped. Returns a refusal or 0. */
uint8_t load_store(const port_t *port, load_t *load, uint32_t offset, const uint8_t *bytes, uint32_t length);

#endif

/* A slot is one erase block with a header and a mark for each stored block, followed by the blocks of the network. The journal is two erase
   blocks of 16-byte entries; the entry with the highest count wins. */
#include "slots.h"

#include <string.h>

#include "../core/crc32.h"
#include "messages.h"

#define SLOT_MAGIC 0x544f4c53u /* "SLOT" */
#define SLOT_HEADER_BYTES 16u
#define ENTRY_BYTES 16u

typedef struct {
  uint32_t magic;
  content_t content;
  uint32_t check; /* CRC-32 of the fields before */
} slot_header_t;

typedef struct {
  uint32_t count;
  uint32_t slot;
  uint32_t check; /* CRC-32 of the fields before */
  uint32_t reserved;
} entry_t;

_Static_assert(sizeof(slot_header_t) == SLOT_HEADER_BYTES, "a slot header has 16 bytes");
_Static_assert(sizeof(entry_t) == ENTRY_BYTES, "a journal entry has 16 bytes");

static uint32_t check_of(const void *fields, size_t length) {
  return crc32_bytes((const uint8_t *)fields, length);
}

/* ---- slots ---- */

static uint32_t mark_bytes(const flash_layout_t *flash) {
  return flash->write_bytes < 4u ? 4u : flash->write_bytes;
}

static uint32_t mark_offset(const flash_layout_t *flash, uint8_t slot, uint32_t block) {
  return flash->slots[slot] + SLOT_HEADER_BYTES + block * mark_bytes(flash);
}

static uint32_t data_offset(const flash_layout_t *flash, uint8_t slot) {
  return flash->slots[slot] + flash->erase_bytes;
}

static uint32_t block_count(const flash_layout_t *flash, uint32_t length) {
  return length / flash->erase_bytes + (length % flash->erase_bytes != 0 ? 1u : 0u);
}

uint32_t slot_capacity(const flash_layout_t *flash) {
  const uint32_t marked = (flash->erase_bytes - SLOT_HEADER_BYTES) / mark_bytes(flash) * flash->erase_bytes;
  const uint32_t space = flash->slot_bytes - flash->erase_bytes;
  return marked < space ? marked : space;
}

const uint8_t *slot_bytes(const flash_layout_t *flash, uint8_t slot) {
  return flash->base + data_offset(flash, slot);
}

bool slot_content(const flash_layout_t *flash, uint8_t slot, content_t *content) {
  slot_header_t header;
  memcpy(&header, flash->base + flash->slots[slot], sizeof header);
  *content = header.content;
  return header.magic == SLOT_MAGIC && header.check == check_of(&header, offsetof(slot_header_t, check)) && header.content.length > 0 &&
         header.content.length <= slot_capacity(flash);
}

static bool is_erased(const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    if (bytes[i] != 0xffu) {
      return false;
    }
  }
  return true;
}

/* The first block of a slot that is not known to be stored. */
static uint32_t first_unmarked(const flash_layout_t *flash, uint8_t slot, uint32_t blocks) {
  uint32_t block = 0;
  while (block < blocks && !is_erased(flash->base + mark_offset(flash, slot, block), mark_bytes(flash))) {
    block++;
  }
  return block;
}

bool slot_is_complete(const flash_layout_t *flash, uint8_t slot) {
  content_t content;
  if (!slot_content(flash, slot, &content)) {
    return false;
  }
  const uint32_t blocks = block_count(flash, content.length);
  return first_unmarked(flash, slot, blocks) == blocks;
}

/* ---- journal ---- */

static entry_t entry_at(const flash_layout_t *flash, uint32_t offset) {
  entry_t entry;
  memcpy(&entry, flash->base + offset, sizeof entry);
  return entry;
}

static bool is_valid(const entry_t *entry) {
  return entry->slot < 2u && entry->check == check_of(entry, offsetof(entry_t, check));
}

/* Finds the newest entry; returns its offset, or UINT32_MAX. */
static uint32_t newest_entry(const flash_layout_t *flash, entry_t *newest) {
  uint32_t found = UINT32_MAX;
  for (uint32_t at = 0; at < 2u * flash->erase_bytes; at += ENTRY_BYTES) {
    const entry_t entry = entry_at(flash, flash->config + at);
    if (is_valid(&entry) && (found == UINT32_MAX || entry.count > newest->count)) {
      *newest = entry;
      found = at;
    }
  }
  return found;
}

uint8_t slot_active(const flash_layout_t *flash) {
  entry_t newest;
  return newest_entry(flash, &newest) == UINT32_MAX ? NO_SLOT : (uint8_t)newest.slot;
}

/* The next erased place behind an entry in its own block, or UINT32_MAX. */
static uint32_t place_behind(const flash_layout_t *flash, uint32_t at) {
  const uint32_t end = (at / flash->erase_bytes + 1u) * flash->erase_bytes;
  for (uint32_t next = at + ENTRY_BYTES; next < end; next += ENTRY_BYTES) {
    if (is_erased(flash->base + flash->config + next, ENTRY_BYTES)) {
      return next;
    }
  }
  return UINT32_MAX;
}

uint8_t slot_activate(const port_t *port, uint8_t slot) {
  const flash_layout_t *flash = &port->flash;
  entry_t entry = {.count = 0, .slot = slot, .check = 0, .reserved = 0xffffffffu};
  entry_t newest;
  const uint32_t old = newest_entry(flash, &newest);
  uint32_t at = UINT32_MAX;
  if (old != UINT32_MAX) {
    entry.count = newest.count + 1u;
    at = place_behind(flash, old);
  }
  if (at == UINT32_MAX) {
    at = old < flash->erase_bytes ? flash->erase_bytes : 0; /* the block without the newest entry */
    if (!port->erase(port->user, flash->config + at)) {
      return REFUSAL_FLASH_ERASE;
    }
  }
  entry.check = check_of(&entry, offsetof(entry_t, check));
  const bool is_written = port->write(port->user, flash->config + at, (const uint8_t *)&entry, sizeof entry);
  return is_written && slot_active(flash) == slot ? 0u : (uint8_t)REFUSAL_FLASH_WRITE;
}

/* ---- loading ---- */

static uint8_t write_header(const port_t *port, uint8_t slot, content_t content) {
  slot_header_t header = {.magic = SLOT_MAGIC, .content = content, .check = 0};
  header.check = check_of(&header, offsetof(slot_header_t, check));
  if (!port->erase(port->user, port->flash.slots[slot])) {
    return REFUSAL_FLASH_ERASE;
  }
  return port->write(port->user, port->flash.slots[slot], (const uint8_t *)&header, sizeof header) ? 0u : (uint8_t)REFUSAL_FLASH_WRITE;
}

static bool is_same(const content_t *a, const content_t *b) {
  return a->length == b->length && a->crc32 == b->crc32;
}

uint8_t load_begin(const port_t *port, load_t *load, uint8_t slot, content_t content) {
  const flash_layout_t *flash = &port->flash;
  content_t stored;
  if (content.length == 0 || content.length > slot_capacity(flash)) {
    return REFUSAL_TOO_LONG;
  }
  if (load->is_open && load->slot == slot && is_same(&load->content, &content)) {
    return 0;
  }
  *load = (load_t){.is_open = true, .slot = slot, .content = content, .next = 0};
  if (slot_content(flash, slot, &stored) && is_same(&stored, &content)) {
    const uint32_t bytes = first_unmarked(flash, slot, block_count(flash, content.length)) * flash->erase_bytes;
    load->next = bytes < content.length ? bytes : content.length;
    return 0;
  }
  const uint8_t refusal = write_header(port, slot, content);
  load->is_open = refusal == 0;
  return refusal;
}

void load_abandon(const port_t *port, load_t *load) {
  load->is_open = false;
  (void)port->erase(port->user, port->flash.slots[load->slot]);
}

static uint8_t mark_block(const port_t *port, const load_t *load, uint32_t block) {
  static const uint8_t mark[16] = {0};
  return port->write(port->user, mark_offset(&port->flash, load->slot, block), mark, mark_bytes(&port->flash)) ? 0u : (uint8_t)REFUSAL_FLASH_WRITE;
}

/* Stores bytes that lie within one erase block and continue the load. */
static uint8_t store_piece(const port_t *port, load_t *load, const uint8_t *bytes, uint32_t length) {
  const uint32_t offset = data_offset(&port->flash, load->slot) + load->next;
  const uint32_t block = load->next / port->flash.erase_bytes;
  if (load->next % port->flash.erase_bytes == 0 && !port->erase(port->user, offset)) {
    return REFUSAL_FLASH_ERASE;
  }
  if (!port->write(port->user, offset, bytes, length) || memcmp(port->flash.base + offset, bytes, length) != 0) {
    return REFUSAL_FLASH_WRITE;
  }
  load->next += length;
  const bool is_block_full = load->next % port->flash.erase_bytes == 0 || load->next == load->content.length;
  return is_block_full ? mark_block(port, load, block) : 0u;
}

uint8_t load_store(const port_t *port, load_t *load, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  const uint32_t total = load->content.length;
  if (!load->is_open) {
    return REFUSAL_NOT_LOADING;
  }
  if (length == 0 || offset > total || length > total - offset || offset % SLOT_WRITE_ALIGNMENT != 0 ||
      (length % SLOT_WRITE_ALIGNMENT != 0 && offset + length != total)) {
    return REFUSAL_RANGE;
  }
  if (offset > load->next) {
    return REFUSAL_OUT_OF_ORDER;
  }
  uint32_t done = load->next - offset;
  while (done < length) {
    const uint32_t room = port->flash.erase_bytes - load->next % port->flash.erase_bytes;
    const uint32_t piece = length - done < room ? length - done : room;
    const uint8_t refusal = store_piece(port, load, bytes + done, piece);
    if (refusal != 0) {
      load->is_open = false;
      return refusal;
    }
    done += piece;
  }
  return 0;
}

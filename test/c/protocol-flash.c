/* The plug is pulled at every write and erasure of a load, in the middle of the operation: the old network must still be the active one, and the
   load must then complete. A simulated flash, no process: test/c/protocol-flash.c FILE-A FILE-B, two different .evn files. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../firmware-stubs/core/crc32.h"
#include "../../firmware-stubs/protocol/device.h"
#include "../../firmware-stubs/protocol/messages.h"

#define ERASE_BYTES 1024u
#define SLOT_BYTES (64u * 1024u)
#define FLASH_BYTES (2u * ERASE_BYTES + 2u * SLOT_BYTES)
#define CHUNK_BYTES 240u
#define PAYLOAD_BYTES 256u

static _Alignas(16) uint8_t flash[FLASH_BYTES];
static _Alignas(16) uint8_t arena[1u << 20];
static uint8_t receive[PAYLOAD_BYTES + FRAME_EXTRA_BYTES], transmit[PAYLOAD_BYTES + FRAME_EXTRA_BYTES];
static long budget; /* operations until the plug is pulled; negative: never */
static jmp_buf power_lost;

static uint32_t allowed(uint32_t length) {
  if (budget < 0) {
    return length;
  }
  return budget-- == 0 ? length / 2u : length;
}

static bool erase(void *user, uint32_t offset) {
  const uint32_t length = allowed(ERASE_BYTES);
  (void)user;
  memset(flash + offset, 0xff, length);
  if (length < ERASE_BYTES) {
    longjmp(power_lost, 1);
  }
  return true;
}

static bool program(void *user, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  const uint32_t done = allowed(length);
  (void)user;
  for (uint32_t i = 0; i < done; i++) {
    if ((bytes[i] & ~flash[offset + i]) != 0) {
      fprintf(stderr, "programmed a byte that was not erased at %u\n", offset + i);
      exit(1);
    }
    flash[offset + i] &= bytes[i];
  }
  if (done < length) {
    longjmp(power_lost, 1);
  }
  return true;
}

static void send(void *user, const uint8_t *bytes, size_t length) {
  (void)user;
  (void)bytes;
  (void)length;
}

static const port_t PORT = {
    .board = "test", .image = (const uint8_t *)"x", .image_bytes = 1,
    .flash = {.base = flash, .config = 0, .slots = {2u * ERASE_BYTES, 2u * ERASE_BYTES + SLOT_BYTES}, .slot_bytes = SLOT_BYTES, .erase_bytes = ERASE_BYTES,
              .write_bytes = 4},
    .arena = arena, .arena_bytes = sizeof arena, .receive = receive, .transmit = transmit, .payload_bytes = PAYLOAD_BYTES, .send = send, .erase = erase,
    .write = program,
};

typedef struct {
  uint8_t *bytes;
  uint32_t length;
} file_t;

static file_t read_file(const char *path, uint8_t *memory) {
  FILE *stream = fopen(path, "rb");
  file_t file = {.bytes = memory, .length = 0};
  if (stream == NULL) {
    fprintf(stderr, "cannot read %s\n", path);
    exit(2);
  }
  file.length = (uint32_t)fread(file.bytes, 1, SLOT_BYTES, stream);
  fclose(stream);
  return file;
}

static void expect(bool claim, const char *what, long cut) {
  if (!claim) {
    fprintf(stderr, "after a cut at operation %ld: %s\n", cut, what);
    exit(1);
  }
}

/* Loads a file as the protocol does; returns a refusal. */
static uint8_t load_file(const file_t *file) {
  const content_t content = {.length = file->length, .crc32 = crc32_bytes(file->bytes, file->length)};
  const uint8_t active = slot_active(&PORT.flash);
  load_t load = {0};
  network_t network;
  uint8_t refusal = load_begin(&PORT, &load, active == 0 ? 1 : 0, content);
  while (refusal == 0 && load.next < file->length) {
    const uint32_t left = file->length - load.next;
    refusal = load_store(&PORT, &load, load.next, file->bytes + load.next, left < CHUNK_BYTES ? left : CHUNK_BYTES);
  }
  if (refusal == 0) {
    refusal = (uint8_t)network_load(&network, slot_bytes(&PORT.flash, load.slot), file->length);
  }
  return refusal != 0 ? refusal : slot_activate(&PORT, load.slot);
}

static bool is_active(const file_t *file) {
  device_t device;
  device_start(&device, &PORT);
  return device.has_network && device.network.header->file_bytes == file->length && memcmp(device.network.bytes, file->bytes, file->length) == 0;
}

/* Returns true where the load went through before the cut. */
static bool load_with_cut(const file_t *file, long cut) {
  budget = cut;
  if (setjmp(power_lost) != 0) {
    budget = -1;
    return false;
  }
  expect(load_file(file) == 0, "the load was refused", cut);
  budget = -1;
  return true;
}

int main(int count, char **arguments) {
  static uint8_t memory[2][SLOT_BYTES];
  if (count != 3) {
    return 2;
  }
  const file_t a = read_file(arguments[1], memory[0]);
  const file_t b = read_file(arguments[2], memory[1]);
  long cut = 0;
  for (bool is_done = false; !is_done; cut++) {
    budget = -1;
    memset(flash, 0xff, sizeof flash);
    expect(load_file(&a) == 0 && is_active(&a), "the first network does not load", cut);
    is_done = load_with_cut(&b, cut);
    expect(is_active(is_done ? &b : &a) || is_active(&b), "no network is active", cut);
    expect(is_done || is_active(&a), "the old network is not the active one", cut);
    expect(load_file(&b) == 0 && is_active(&b), "the load does not complete", cut);
  }
  /* the journal outlives many activations */
  for (int i = 0; i < 400; i++) {
    expect(load_file(i % 2 == 0 ? &a : &b) == 0 && is_active(i % 2 == 0 ? &a : &b), "the journal lost a load", i);
  }
  /* and a cut at any operation of an activation, wherever the journal stands */
  for (int i = 0; i < 200; i++) {
    const file_t *before = i % 2 == 0 ? &b : &a;
    const file_t *after = i % 2 == 0 ? &a : &b;
    const uint8_t spare = slot_active(&PORT.flash) == 0 ? 1 : 0;
    for (volatile long step = 0; step < 2; step++) {
      budget = step;
      if (setjmp(power_lost) == 0) {
        slot_activate(&PORT, spare);
        step = 2;
      }
      budget = -1;
      expect(is_active(step >= 2 ? after : before), "an activation was half done", i);
    }
    if (slot_active(&PORT.flash) != spare) {
      expect(slot_activate(&PORT, spare) == 0, "an activation failed", i);
    }
  }
  printf("%ld cuts\n", cut);
  return 0;
}

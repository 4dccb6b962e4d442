/* libFuzzer target: any bytes on the line of a device, with a small flash behind it. Input: bytes 0xfe start a well-formed frame (code, length,
   payload follow; checksum and COBS are added), everything else goes to the line as it is. */
#include <string.h>

#include "../../firmware-stubs/protocol/checksum.h"
#include "../../firmware-stubs/protocol/device.h"
#include "../../firmware-stubs/protocol/messages.h"

#define ERASE_BYTES 256u
#define SLOT_BYTES (16u * 1024u)
#define PAYLOAD_BYTES 256u
#define FRAME_MARK 0xfeu

static _Alignas(16) uint8_t flash[2u * ERASE_BYTES + 2u * SLOT_BYTES];
static _Alignas(16) uint8_t arena[16384];
static uint8_t receive[PAYLOAD_BYTES + FRAME_EXTRA_BYTES], transmit[PAYLOAD_BYTES + FRAME_EXTRA_BYTES];

static void ignore(void *user, const uint8_t *bytes, size_t length) {
  volatile uint8_t sink = 0;
  (void)user;
  for (size_t i = 0; i < length; i++) {
    sink = bytes[i]; /* read, so that the sanitizer sees it */
  }
  (void)sink;
}

static bool erase(void *user, uint32_t offset) {
  (void)user;
  memset(flash + offset, 0xff, ERASE_BYTES);
  return true;
}

static bool program(void *user, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  (void)user;
  for (uint32_t i = 0; i < length; i++) {
    flash[offset + i] &= bytes[i];
  }
  return true;
}

static uint64_t counter(void *user) {
  static uint64_t now;
  (void)user;
  return now++;
}

static const port_t PORT = {
    .board = "fuzz", .counter_hz = 1, .image = (const uint8_t *)"x", .image_bytes = 1,
    .flash = {.base = flash, .config = 0, .slots = {2u * ERASE_BYTES, 2u * ERASE_BYTES + SLOT_BYTES}, .slot_bytes = SLOT_BYTES, .erase_bytes = ERASE_BYTES,
              .write_bytes = 4},
    .arena = arena, .arena_bytes = sizeof arena, .receive = receive, .transmit = transmit, .payload_bytes = PAYLOAD_BYTES, .send = ignore, .erase = erase,
    .write = program, .counter = counter,
};

/* Sends a frame with the right checksum, encoded. */
static void take_frame(device_t *device, const uint8_t *body, uint32_t length) {
  uint8_t frame[FRAME_EXTRA_BYTES + 255u];
  memcpy(frame, body, length);
  const uint16_t crc = checksum16(frame, length);
  frame[length] = (uint8_t)(crc & 0xffu);
  frame[length + 1u] = (uint8_t)(crc >> 8);
  length += FRAME_TAIL_BYTES;
  device_take(device, 0);
  for (uint32_t at = 0;;) {
    uint32_t run = 0;
    while (at + run < length && run < 254u && frame[at + run] != 0) {
      run++;
    }
    device_take(device, (uint8_t)(run + 1u));
    for (uint32_t i = 0; i < run; i++) {
      device_take(device, frame[at + i]);
    }
    at += run;
    if (at == length) {
      break;
    }
    at += run < 254u ? 1u : 0u;
  }
  device_take(device, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  static device_t device;
  uint16_t sequence = 0;
  memset(flash, 0xff, sizeof flash);
  device_start(&device, &PORT);
  for (size_t at = 0; at < length;) {
    if (bytes[at] == FRAME_MARK && length - at >= 3u) {
      const uint32_t wanted = bytes[at + 2];
      const uint32_t payload = (uint32_t)(length - at - 3u < wanted ? length - at - 3u : wanted);
      uint8_t body[FRAME_HEAD_BYTES + 255u] = {bytes[at + 1], 0, (uint8_t)(sequence & 0xffu), (uint8_t)(sequence >> 8)};
      sequence++;
      memcpy(body + FRAME_HEAD_BYTES, bytes + at + 3, payload);
      take_frame(&device, body, FRAME_HEAD_BYTES + payload);
      at += 3u + payload;
    } else {
      device_take(&device, bytes[at++]);
    }
    if (device.reset != RESET_NONE) {
      device_start(&device, &PORT);
    }
  }
  return 0;
}

/* The main loop of every bare-metal port: bytes from the UART into the protocol, and a restart when it asks for one. */
#include "../../protocol/device.h"
#include "../../protocol/messages.h"
#include "board.h"
#include "memory.h"

#ifndef PAYLOAD_BYTES
#define PAYLOAD_BYTES 1024u
#endif

_Static_assert(PAYLOAD_BYTES >= MIN_PAYLOAD_BYTES, "a hello must fit into a frame");

static uint8_t receive_buffer[PAYLOAD_BYTES + FRAME_EXTRA_BYTES];
static uint8_t transmit_buffer[PAYLOAD_BYTES + FRAME_EXTRA_BYTES];

static void send(void *user, const uint8_t *bytes, size_t length) {
  (void)user;
  board_send(bytes, length);
}

static bool erase(void *user, uint32_t offset) {
  (void)user;
  return board_erase(offset);
}

static bool write(void *user, uint32_t offset, const uint8_t *bytes, uint32_t length) {
  (void)user;
  return board_write(offset, bytes, length);
}

static uint64_t counter(void *user) {
  (void)user;
  return board_counter();
}

static uint32_t stack_bytes(void *user) {
  const uint32_t *lowest = &__stack_bottom;
  (void)user;
  while (lowest < &__stack_top && *lowest == STACK_PAINT) {
    lowest++;
  }
  return (uint32_t)((uintptr_t)&__stack_top - (uintptr_t)lowest);
}

static uint32_t offset_of(const uint8_t *place) {
  return (uint32_t)((uintptr_t)place - (uintptr_t)&__flash_base);
}

static port_t make_port(void) {
  const uint32_t slot_bytes = (uint32_t)((uintptr_t)&__flash_slot1 - (uintptr_t)&__flash_slot0);
  return (port_t){
      .board = BOARD.id, .clock_hz = BOARD.clock_hz, .counter_hz = BOARD.counter_hz,
      .image = &__image_start, .image_bytes = (uint32_t)((uintptr_t)&__image_end - (uintptr_t)&__image_start),
      .flash = {.base = &__flash_base, .config = offset_of(&__flash_config), .slots = {offset_of(&__flash_slot0), offset_of(&__flash_slot1)},
                .slot_bytes = slot_bytes, .erase_bytes = BOARD.erase_bytes, .write_bytes = BOARD.write_bytes},
      .arena = &__arena_start, .arena_bytes = (uint32_t)((uintptr_t)&__arena_end - (uintptr_t)&__arena_start),
      .receive = receive_buffer, .transmit = transmit_buffer, .payload_bytes = PAYLOAD_BYTES, .credit_bytes = 0, .user = NULL,
      .send = send, .erase = erase, .write = write, .counter = counter, .stack_bytes = stack_bytes,
  };
}

void firmware_run(void) {
  static device_t device;
  board_start();
  const port_t port = make_port();
  device_start(&device, &port);
  device_announce(&device);
  for (;;) {
    const int byte = board_receive();
    if (byte < 0) {
      board_idle();
      continue;
    }
    device_take(&device, (uint8_t)byte);
    if (device.reset != RESET_NONE) {
      board_restart(device.reset);
    }
  }
}

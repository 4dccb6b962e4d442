/* <board> (<chip>, <core>): which UART on which pins, which counter, which manual. Copy this folder and fill in what says so. */
#include "../../protocol/messages.h"
#include "../common/board.h"
#include "../common/cortex-m.h" /* Cortex-M only */

#define CLOCK_HZ 16000000u

const board_t BOARD = {
    .id = "template",       /* as in targets/boards */
    .clock_hz = CLOCK_HZ,
    .counter_hz = CLOCK_HZ, /* 0: there is no counter */
    .erase_bytes = 4096,
    .write_bytes = 4,       /* the smallest unit that may be programmed once: 1, 2, 4, 8 or 16 */
};

void board_start(void) {
  /* Fill in: clocks, pins, UART at 115200 baud, 8 data bits, no parity, one stop bit. */
  systick_start();
}

int board_receive(void) {
  /* Fill in: the next received byte, or -1. Do not wait. */
  return -1;
}

void board_idle(void) {
  /* May stay empty. To save power: sleep in a way that a received byte ends for certain. */
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    (void)bytes[i]; /* Fill in: wait until the UART has room, then send the byte. */
  }
}

uint64_t board_counter(void) {
  return systick_counter();
}

bool board_erase(uint32_t offset) {
  (void)offset; /* Fill in: erase the block at __flash_base + offset; false where it fails. */
  return false;
}

bool board_write(uint32_t offset, const uint8_t *bytes, uint32_t length) {
  /* Fill in: program `length` bytes at __flash_base + offset, a multiple of write_bytes; pad the last unit with 0xff. */
  (void)offset;
  (void)bytes;
  (void)length;
  return false;
}

void board_restart(uint8_t kind) {
  (void)kind; /* RESET_BOOTLOADER: fill in, where the chip has one */
  system_reset();
}

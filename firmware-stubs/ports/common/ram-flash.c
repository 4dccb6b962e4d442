/* Flash on boards whose slots lie in RAM (QEMU's MPS boards, virt): programming clears bits, as flash does. It forgets when power goes. */
#include <string.h>

#include "board.h"
#include "memory.h"

bool board_erase(uint32_t offset) {
  memset(&__flash_base + offset, 0xff, BOARD.erase_bytes);
  return true;
}

bool board_write(uint32_t offset, const uint8_t *bytes, uint32_t length) {
  for (uint32_t i = 0; i < length; i++) {
    *(&__flash_base + offset + i) &= bytes[i];
  }
  return true;
}

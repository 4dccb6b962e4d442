/* Erasing and programming the RP2040's flash by the boot ROM's functions. While they work nothing can be read from flash, so the code that calls
   them runs from RAM with interrupts off, and the second boot stage, kept in RAM, restores reading. */
#include <string.h>

#include "../common/board.h"
#include "rp2040.h"

#define FLASH_BASE 0x10000000u
#define PAGE_BYTES 256u
#define SECTOR_BYTES 4096u
#define BLOCK_BYTES 65536u
#define BLOCK_ERASE_COMMAND 0xd8u
#define BOOT2_WORDS 64u

typedef struct {
  void (*connect)(void);
  void (*exit_xip)(void);
  void (*erase)(uint32_t offset, uint32_t count, uint32_t block_bytes, uint8_t block_command);
  void (*program)(uint32_t offset, const uint8_t *bytes, uint32_t count);
  void (*flush_cache)(void);
  void (*enter_xip)(void);
} rom_t;

/* With page NULL: erases the sector at offset; otherwise programs a page there. */
__attribute__((section(".ramcode"), noinline, long_call)) static void change_flash(const rom_t *rom, uint32_t offset, const uint8_t *page) {
  __asm volatile("cpsid i" : : : "memory");
  rom->connect();
  rom->exit_xip();
  if (page == NULL) {
    rom->erase(offset, SECTOR_BYTES, BLOCK_BYTES, BLOCK_ERASE_COMMAND);
  } else {
    rom->program(offset, page, PAGE_BYTES);
  }
  rom->flush_cache();
  rom->enter_xip();
  __asm volatile("cpsie i" : : : "memory");
}

static bool change(uint32_t offset, const uint8_t *page) {
  uint32_t boot2[BOOT2_WORDS];
  memcpy(boot2, (const void *)FLASH_BASE, sizeof boot2);
  __asm volatile("" : : "r"(boot2) : "memory"); /* it is code, which the compiler cannot see: without this it drops the copy */
  const rom_t rom = {
      .connect = (void (*)(void))rom_function('I', 'F'),
      .exit_xip = (void (*)(void))rom_function('E', 'X'),
      .erase = (void (*)(uint32_t, uint32_t, uint32_t, uint8_t))rom_function('R', 'E'),
      .program = (void (*)(uint32_t, const uint8_t *, uint32_t))rom_function('R', 'P'),
      .flush_cache = (void (*)(void))rom_function('F', 'C'),
      .enter_xip = (void (*)(void))((uintptr_t)boot2 | 1u),
  };
  if (rom.connect == NULL || rom.exit_xip == NULL || rom.erase == NULL || rom.program == NULL || rom.flush_cache == NULL) {
    return false;
  }
  change_flash(&rom, offset, page);
  return true;
}

bool board_erase(uint32_t offset) {
  return change(offset, NULL);
}

/* Whole pages only: what lies around the bytes is programmed with ones, which changes nothing. */
bool board_write(uint32_t offset, const uint8_t *bytes, uint32_t length) {
  uint8_t page[PAGE_BYTES];
  for (uint32_t done = 0; done < length;) {
    const uint32_t start = (offset + done) % PAGE_BYTES;
    const uint32_t room = PAGE_BYTES - start;
    const uint32_t piece = length - done < room ? length - done : room;
    memset(page, 0xff, sizeof page);
    memcpy(page + start, bytes + done, piece);
    if (!change(offset + done - start, page)) {
      return false;
    }
    done += piece;
  }
  return true;
}

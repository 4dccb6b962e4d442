/* What a bare-metal port implements: a dozen short functions and constants. common/firmware.c makes a port_t of them. */
#ifndef SPIKEPORT_BOARD_H
#define SPIKEPORT_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *id; /* as in targets/boards */
  uint32_t clock_hz;
  uint32_t counter_hz;
  uint32_t erase_bytes;
  uint32_t write_bytes;
} board_t;

extern const board_t BOARD;

/* Clocks, UART at 115200 baud, counter. Memory is initialized by now. */
void board_start(void);

/* The next byte off the line, or -1. */
int board_receive(void);

/* Nothing came: may sleep until a byte comes. */
void board_idle(void);

void board_send(const uint8_t *bytes, size_t length);

/* Counts up at counter_hz. */
uint64_t board_counter(void);

/* Offsets count from the linker script's __flash_base. */
bool board_erase(uint32_t offset);
bool board_write(uint32_t offset, const uint8_t *bytes, uint32_t length);

/* Starts the firmware anew, or the chip's bootloader (kind: RESET_... of protocol/messages.h). Does not return. */
void board_restart(uint8_t kind);

/* The firmware's main loop; called by the port's reset code, does not return. */
void firmware_run(void);

#endif

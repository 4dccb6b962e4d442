/* QEMU's RISC-V machine "virt" (stands for RV32IMC microcontrollers): 16550 UART, counter of retired instructions. */
#include "../common/board.h"
#include "../common/memory.h"

#define UART(offset) (*(volatile uint8_t *)(uintptr_t)(0x10000000u + (offset)))
#define UART_DATA UART(0)
#define UART_LINE_STATUS UART(5)
#define STATUS_RECEIVED 0x01u
#define STATUS_CAN_SEND 0x20u
#define TEST_FINISHER (*(volatile uint32_t *)(uintptr_t)0x00100000u)
#define FINISHER_RESET 0x7777u
#define CLOCK_HZ 160000000u

const board_t BOARD = {.id = "riscv32-virt", .clock_hz = CLOCK_HZ, .counter_hz = CLOCK_HZ, .erase_bytes = 4096, .write_bytes = 4};

void start(void);

void start(void) {
  memory_start();
  firmware_run();
}

void board_start(void) {
}

int board_receive(void) {
  return (UART_LINE_STATUS & STATUS_RECEIVED) != 0 ? (int)UART_DATA : -1;
}

void board_idle(void) {
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    while ((UART_LINE_STATUS & STATUS_CAN_SEND) == 0) {
    }
    UART_DATA = bytes[i];
  }
}

uint64_t board_counter(void) {
  uint32_t high, low, again;
  do {
    __asm volatile("csrr %0, minstreth" : "=r"(high));
    __asm volatile("csrr %0, minstret" : "=r"(low));
    __asm volatile("csrr %0, minstreth" : "=r"(again));
  } while (high != again);
  return (uint64_t)high << 32 | low;
}

void board_restart(uint8_t kind) {
  (void)kind; /* there is no bootloader */
  TEST_FINISHER = FINISHER_RESET;
  for (;;) {
  }
}

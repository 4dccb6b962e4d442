/* Arm MPS2 and MPS3 FPGA boards as QEMU has them: one CMSDK UART and SysTick. BOARD_ID, CLOCK_HZ and UART_BASE come from the build. */
#include "../common/board.h"
#include "../common/cortex-m.h"

#define UART_DATA REGISTER(UART_BASE + 0x00u)
#define UART_STATE REGISTER(UART_BASE + 0x04u)
#define UART_CTRL REGISTER(UART_BASE + 0x08u)
#define UART_BAUDDIV REGISTER(UART_BASE + 0x10u)
#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define CTRL_TX_ENABLE 1u
#define CTRL_RX_ENABLE 2u
#define BAUD 115200u

const board_t BOARD = {.id = BOARD_ID, .clock_hz = CLOCK_HZ, .counter_hz = CLOCK_HZ, .erase_bytes = 4096, .write_bytes = 4};

void board_start(void) {
  UART_BAUDDIV = CLOCK_HZ / BAUD;
  UART_CTRL = CTRL_TX_ENABLE | CTRL_RX_ENABLE;
  systick_start();
}

int board_receive(void) {
  return (UART_STATE & STATE_RX_FULL) != 0 ? (int)(UART_DATA & 0xffu) : -1;
}

void board_idle(void) {
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    while ((UART_STATE & STATE_TX_FULL) != 0) {
    }
    UART_DATA = bytes[i];
  }
}

uint64_t board_counter(void) {
  return systick_counter();
}

void board_restart(uint8_t kind) {
  (void)kind; /* there is no bootloader: the image comes from outside */
  system_reset();
}

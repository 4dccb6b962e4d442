/* Netduino Plus 2 (STM32F405RG, Cortex-M4F) as QEMU has it: USART1 (RM0090, section "USART registers") and SysTick. Clock tree and pins, which QEMU lacks, are not set up. */
#include "../common/board.h"
#include "../common/cortex-m.h"

#define USART1(offset) REGISTER(0x40011000u + (offset))
#define USART_STATUS USART1(0x00u)
#define USART_DATA USART1(0x04u)
#define USART_BAUD USART1(0x08u)
#define USART_CONTROL USART1(0x0cu)
#define STATUS_RECEIVED (1u << 5)
#define STATUS_CAN_SEND (1u << 7)
#define CONTROL_RECEIVE (1u << 2)
#define CONTROL_SEND (1u << 3)
#define CONTROL_ENABLE (1u << 13)

#define CLOCK_HZ 168000000u
#define USART_CLOCK_HZ (CLOCK_HZ / 2u) /* APB2 */
#define BAUD 115200u

const board_t BOARD = {.id = "netduinoplus2", .clock_hz = CLOCK_HZ, .counter_hz = CLOCK_HZ, .erase_bytes = 1024, .write_bytes = 4};

void board_start(void) {
  USART_BAUD = (USART_CLOCK_HZ + BAUD / 2u) / BAUD; /* in sixteenths of the divider, rounded */
  USART_CONTROL = CONTROL_ENABLE | CONTROL_SEND | CONTROL_RECEIVE;
  systick_start();
}

int board_receive(void) {
  return (USART_STATUS & STATUS_RECEIVED) != 0 ? (int)(USART_DATA & 0xffu) : -1;
}

void board_idle(void) {
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    while ((USART_STATUS & STATUS_CAN_SEND) == 0) {
    }
    USART_DATA = bytes[i];
  }
}

uint64_t board_counter(void) {
  return systick_counter();
}

void board_restart(uint8_t kind) {
  (void)kind; /* there is no bootloader: the image comes from outside */
  system_reset();
}

/* BBC micro:bit v1 (nRF51822, Cortex-M0): UART over the debug chip, TIMER0 as counter, flash by the NVMC (nRF51 Reference Manual 3.0). */
#include "../../protocol/messages.h"
#include "../common/board.h"
#include "../common/cortex-m.h"
#include "../common/memory.h"

#define UART(offset) REGISTER(0x40002000u + (offset))
#define UART_START_RX UART(0x000u)
#define UART_START_TX UART(0x008u)
#define UART_RX_READY UART(0x108u)
#define UART_TX_READY UART(0x11cu)
#define UART_ENABLE UART(0x500u)
#define UART_SELECT_TXD UART(0x50cu)
#define UART_SELECT_RXD UART(0x514u)
#define UART_RXD UART(0x518u)
#define UART_TXD UART(0x51cu)
#define UART_BAUDRATE UART(0x524u)
#define TXD_PIN 24u
#define RXD_PIN 25u
#define BAUD_115200 0x01d7e000u

#define GPIO_PIN_CONFIG(pin) REGISTER(0x50000700u + 4u * (pin))
#define GPIO_OUTPUT_SET REGISTER(0x50000508u)
#define PIN_OUTPUT 1u
#define PIN_INPUT 0u

#define CLOCK_START REGISTER(0x40000000u)
#define CLOCK_STARTED REGISTER(0x40000100u)

#define TIMER(offset) REGISTER(0x40008000u + (offset))
#define TIMER_START TIMER(0x000u)
#define TIMER_CAPTURE0 TIMER(0x040u)
#define TIMER_BIT_MODE TIMER(0x508u)
#define TIMER_PRESCALER TIMER(0x510u)
#define TIMER_CC0 TIMER(0x540u)
#define BITS_32 3u

#define NVMC(offset) REGISTER(0x4001e000u + (offset))
#define NVMC_READY NVMC(0x400u)
#define NVMC_CONFIG NVMC(0x504u)
#define NVMC_ERASE_PAGE NVMC(0x508u)
#define NVMC_READ_ONLY 0u
#define NVMC_WRITE 1u
#define NVMC_ERASE 2u

const board_t BOARD = {.id = "microbit", .clock_hz = 16000000u, .counter_hz = 16000000u, .erase_bytes = 1024, .write_bytes = 4};

void board_start(void) {
  CLOCK_START = 1; /* the crystal: the internal oscillator is too coarse for 115200 baud */
  for (uint32_t wait = 0; CLOCK_STARTED == 0 && wait < 100000u; wait++) {
  }
  GPIO_OUTPUT_SET = 1u << TXD_PIN;
  GPIO_PIN_CONFIG(TXD_PIN) = PIN_OUTPUT;
  GPIO_PIN_CONFIG(RXD_PIN) = PIN_INPUT;
  UART_SELECT_TXD = TXD_PIN;
  UART_SELECT_RXD = RXD_PIN;
  UART_BAUDRATE = BAUD_115200;
  UART_ENABLE = 4;
  UART_START_TX = 1;
  UART_START_RX = 1;
  TIMER_BIT_MODE = BITS_32;
  TIMER_PRESCALER = 0;
  TIMER_START = 1;
}

int board_receive(void) {
  if (UART_RX_READY == 0) {
    return -1;
  }
  UART_RX_READY = 0;
  return (int)(UART_RXD & 0xffu);
}

void board_idle(void) {
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    UART_TX_READY = 0;
    UART_TXD = bytes[i];
    while (UART_TX_READY == 0) {
    }
  }
}

/* 32 bits at 16 MHz last 268 s; a longer step than that between two readings is lost. */
uint64_t board_counter(void) {
  static uint32_t high, last;
  TIMER_CAPTURE0 = 1;
  const uint32_t low = TIMER_CC0;
  high += low < last ? 1u : 0u;
  last = low;
  return (uint64_t)high << 32 | low;
}

static void wait_ready(void) {
  while (NVMC_READY == 0) {
  }
}

bool board_erase(uint32_t offset) {
  NVMC_CONFIG = NVMC_ERASE;
  wait_ready();
  NVMC_ERASE_PAGE = offset;
  wait_ready();
  NVMC_CONFIG = NVMC_READ_ONLY;
  wait_ready();
  return true;
}

static uint32_t word_at(const uint8_t *bytes, uint32_t length) {
  uint32_t word = 0xffffffffu;
  for (uint32_t i = 0; i < 4u && i < length; i++) {
    word = (word & ~(0xffu << 8 * i)) | (uint32_t)bytes[i] << 8 * i;
  }
  return word;
}

bool board_write(uint32_t offset, const uint8_t *bytes, uint32_t length) {
  NVMC_CONFIG = NVMC_WRITE;
  wait_ready();
  for (uint32_t at = 0; at < length; at += 4u) {
    REGISTER(offset + at) = word_at(bytes + at, length - at);
    wait_ready();
  }
  NVMC_CONFIG = NVMC_READ_ONLY;
  wait_ready();
  return true;
}

void board_restart(uint8_t kind) {
  (void)kind; /* the bootloader is in the debug chip: hold its button while plugging in */
  system_reset();
}


/* Raspberry Pi Pico (RP2040, Cortex-M0+): UART0 on GP0 and GP1, 125 MHz from the crystal, SysTick as counter. */
#include "../../protocol/messages.h"
#include "../common/board.h"
#include "rp2040.h"

#define CLOCK_HZ 125000000u
#define BAUD 115200u
#define TX_PIN 0u
#define RX_PIN 1u

const board_t BOARD = {.id = "rpi-pico", .clock_hz = CLOCK_HZ, .counter_hz = CLOCK_HZ, .erase_bytes = 4096, .write_bytes = 4};

static void release_reset(uint32_t blocks) {
  REGISTER(RESETS_BASE + CLEAR_BITS) = blocks;
  while ((RESETS_RESET_DONE & blocks) != blocks) {
  }
}

/* 12 MHz crystal, 1500 MHz in the PLL, divided by 6 and 2. */
static void start_clocks(void) {
  XOSC_STARTUP = 47; /* 1 ms in units of 256 periods */
  XOSC_CTRL = XOSC_ENABLE;
  while ((XOSC_STATUS & XOSC_STABLE) == 0) {
  }
  CLK_REF_CTRL = CLK_REF_XOSC;
  while ((CLK_REF_SELECTED & (1u << CLK_REF_XOSC)) == 0 && (CLK_REF_CTRL & 3u) != CLK_REF_XOSC) {
  }
  CLK_SYS_CTRL = 0; /* from the reference while the PLL starts */
  release_reset(RESET_PLL_SYS);
  PLL_CS = 1;
  PLL_FBDIV = 125;
  REGISTER(PLL_POWER + CLEAR_BITS) = PLL_POWER_DOWN | PLL_VCO_DOWN;
  while ((PLL_CS & PLL_LOCK) == 0) {
  }
  PLL_PRIM = 6u << 16 | 2u << 12;
  REGISTER(PLL_POWER + CLEAR_BITS) = PLL_DIVIDER_DOWN;
  CLK_SYS_CTRL = CLK_SYS_AUX;
  while ((CLK_SYS_SELECTED & (1u << CLK_SYS_AUX)) == 0) {
  }
  CLK_PERI_CTRL = CLK_PERI_ENABLE;
}

static void start_uart(void) {
  release_reset(RESET_IO_BANK0 | RESET_PADS_BANK0 | RESET_UART0);
  const uint32_t divider = (8u * CLOCK_HZ / BAUD + 1u) / 2u; /* of 16 times the baud rate, in 64ths */
  UART_IBRD = divider >> 6;
  UART_FBRD = divider & 63u;
  UART_LINE_CONTROL = LINE_8_BITS_FIFO;
  UART_CONTROL = CONTROL_ENABLE;
  UART_INTERRUPT_MASK = INTERRUPT_RX; /* not enabled in the NVIC: it only ends board_idle() */
  IO_FUNCTION(TX_PIN) = FUNCTION_UART;
  IO_FUNCTION(RX_PIN) = FUNCTION_UART;
}

void board_start(void) {
  start_clocks();
  start_uart();
  systick_start();
  SCB_SCR = SCR_EVENT_ON_PENDING;
}

int board_receive(void) {
  return (UART_FLAGS & FLAG_RX_EMPTY) == 0 ? (int)(UART_DATA & 0xffu) : -1;
}

/* A pending UART interrupt is an event, and so is SysTick's wrap every 134 ms: a wake-up that is missed costs no more than that. */
void board_idle(void) {
  NVIC_CLEAR_PENDING = NVIC_UART0;
  if ((UART_FLAGS & FLAG_RX_EMPTY) != 0) {
    __asm volatile("wfe");
  }
}

void board_send(const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    while ((UART_FLAGS & FLAG_TX_FULL) != 0) {
    }
    UART_DATA = bytes[i];
  }
}

uint64_t board_counter(void) {
  return systick_counter();
}

void *rom_function(char first, char second) {
  const uint32_t wanted = (uint32_t)(uint8_t)first | (uint32_t)(uint8_t)second << 8;
  const uint16_t *const volatile pointer = (const uint16_t *)0x14u; /* volatile: the compiler takes addresses this low for mistakes */
  for (const uint16_t *entry = (const uint16_t *)(uintptr_t)*pointer; entry[0] != 0; entry += 2) {
    if (entry[0] == wanted) {
      return (void *)(uintptr_t)entry[1];
    }
  }
  return NULL;
}

typedef void (*reset_to_usb_t)(uint32_t activity_pins, uint32_t disabled_interfaces);

void board_restart(uint8_t kind) {
  if (kind == RESET_BOOTLOADER) {
    const reset_to_usb_t reset_to_usb = (reset_to_usb_t)rom_function('U', 'B');
    if (reset_to_usb != NULL) {
      reset_to_usb(0, 0);
    }
  }
  PSM_WATCHDOG_SELECT = PSM_ALL_BUT_OSCILLATORS;
  WATCHDOG_CTRL = WATCHDOG_TRIGGER;
  for (;;) {
  }
}

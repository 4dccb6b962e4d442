/* Registers of the RP2040 that the port uses (datasheet chapters 2 and 4). */
#ifndef SPIKEPORT_RP2040_H
#define SPIKEPORT_RP2040_H

#include "../common/cortex-m.h"

/* Aliases of a register that set or clear bits. */
#define SET_BITS 0x2000u
#define CLEAR_BITS 0x3000u

#define RESETS_BASE 0x4000c000u
#define RESETS_RESET_DONE REGISTER(RESETS_BASE + 0x08u)
#define RESET_IO_BANK0 (1u << 5)
#define RESET_PADS_BANK0 (1u << 8)
#define RESET_PLL_SYS (1u << 12)
#define RESET_UART0 (1u << 22)

#define XOSC_CTRL REGISTER(0x40024000u)
#define XOSC_STATUS REGISTER(0x40024004u)
#define XOSC_STARTUP REGISTER(0x4002400cu)
#define XOSC_ENABLE 0x00fabaa0u
#define XOSC_STABLE 0x80000000u

#define PLL_CS REGISTER(0x40028000u)
#define PLL_POWER 0x40028004u
#define PLL_FBDIV REGISTER(0x40028008u)
#define PLL_PRIM REGISTER(0x4002800cu)
#define PLL_LOCK 0x80000000u
#define PLL_POWER_DOWN 0x01u
#define PLL_VCO_DOWN 0x20u
#define PLL_DIVIDER_DOWN 0x08u

#define CLK_REF_CTRL REGISTER(0x40008030u)
#define CLK_REF_SELECTED REGISTER(0x40008038u)
#define CLK_SYS_CTRL REGISTER(0x4000803cu)
#define CLK_SYS_SELECTED REGISTER(0x40008044u)
#define CLK_PERI_CTRL REGISTER(0x40008048u)
#define CLK_REF_XOSC 2u
#define CLK_SYS_AUX 1u
#define CLK_PERI_ENABLE 0x800u

#define IO_FUNCTION(pin) REGISTER(0x40014004u + 8u * (pin))
#define FUNCTION_UART 2u

#define UART(offset) REGISTER(0x40034000u + (offset))
#define UART_DATA UART(0x00u)
#define UART_FLAGS UART(0x18u)
#define UART_IBRD UART(0x24u)
#define UART_FBRD UART(0x28u)
#define UART_LINE_CONTROL UART(0x2cu)
#define UART_CONTROL UART(0x30u)
#define UART_INTERRUPT_MASK UART(0x38u)
#define UART_INTERRUPT_CLEAR UART(0x44u)
#define FLAG_RX_EMPTY 0x10u
#define FLAG_TX_FULL 0x20u
#define LINE_8_BITS_FIFO 0x70u
#define CONTROL_ENABLE 0x301u
#define INTERRUPT_RX 0x50u /* level reached, or bytes waiting */

#define NVIC_CLEAR_PENDING REGISTER(0xe000e280u)
#define NVIC_UART0 (1u << 20)
#define SCB_SCR REGISTER(0xe000ed10u)
#define SCR_EVENT_ON_PENDING (1u << 4)

/* Which blocks a watchdog reset covers: all but the oscillators. */
#define PSM_WATCHDOG_SELECT REGISTER(0x40010008u)
#define PSM_ALL_BUT_OSCILLATORS 0x0001fffcu
#define WATCHDOG_CTRL REGISTER(0x40058000u)
#define WATCHDOG_TRIGGER 0x80000000u

/* A function of the boot ROM by its two-letter code (datasheet 2.8.3), or NULL. */
void *rom_function(char first, char second);

#endif

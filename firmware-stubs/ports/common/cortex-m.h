/* Registers of the Cortex-M system block that all cores share. */
#ifndef SPIKEPORT_CORTEX_M_H
#define SPIKEPORT_CORTEX_M_H

#include <stdint.h>

#define REGISTER(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SYST_CSR REGISTER(0xe000e010u)
#define SYST_RVR REGISTER(0xe000e014u)
#define SYST_CVR REGISTER(0xe000e018u)
#define SCB_ICSR REGISTER(0xe000ed04u)
#define SCB_AIRCR REGISTER(0xe000ed0cu)
#define SCB_CPACR REGISTER(0xe000ed88u)

#define ICSR_SYSTICK_PENDING (1u << 26)
#define AIRCR_RESET_REQUEST 0x05fa0004u

/* Starts SysTick on the processor clock; systick_counter() counts its ticks. */
void systick_start(void);
uint64_t systick_counter(void);

/* Resets the chip. */
_Noreturn void system_reset(void);

#endif

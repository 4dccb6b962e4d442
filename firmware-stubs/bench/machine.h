/* What a bare-metal program needs of the emulated machine: a console and an exit by semihosting, a clock that counts instructions (under -icount), and
   the depth that the stack has reached. One implementation for Cortex-M and one for RISC-V. */
#ifndef SPIKEPORT_MACHINE_H
#define SPIKEPORT_MACHINE_H

#include <stdint.h>

void machine_print(const char *text);

/* Ends the emulator with this exit code. */
_Noreturn void machine_exit(uint32_t code);

/* Starts counting at 0, and the ticks since; the host knows how many instructions a tick is. */
void machine_start_ticks(void);
uint32_t machine_ticks(void);

/* Paints the stack below the caller's frame, and the bytes below it that were used since. */
void machine_paint_stack(void);
uint32_t machine_stack_bytes(void);

/* Provided by the program. */
int main(void);

#endif

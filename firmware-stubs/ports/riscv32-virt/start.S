/* Reset code of the RISC-V port: a stack, then C. */
  .section .start, "ax"
  .globl reset_handler
reset_handler:
  la sp, __stack_top
  la t0, trap
  csrw mtvec, t0
  j start

/* A trap is a bug of ours: restart the machine. */
  .align 2
trap:
  li a0, 1
  j board_restart

/* Second stage of the RP2040's boot: the ROM copies these 256 bytes to RAM and calls them. They set the flash interface to plain serial reads
   (command 03h, which every flash chip knows) at a quarter of the system clock. From the ROM (lr is 0) the firmware's vector table follows; a caller
   that wants the flash back after programming it gets control again. Datasheet sections 2.8.1 and 4.10. The build fills in the checksum. */
  .syntax unified
  .cpu cortex-m0plus
  .thumb
  .section .boot2, "ax"
  .globl boot2
  .thumb_func
boot2:
  ldr r3, =0x18000000       /* XIP_SSI */
  movs r0, #0
  str r0, [r3, #0x08]       /* SSIENR: off while it is set up */
  movs r0, #4
  str r0, [r3, #0x14]       /* BAUDR: divide by 4 */
  ldr r0, =0x001f0300       /* CTRLR0: one line, 32-bit frames, EEPROM read */
  str r0, [r3, #0x00]
  movs r0, #0
  str r0, [r3, #0x04]       /* CTRLR1: one frame a read */
  ldr r1, =0x03000218       /* SPI_CTRLR0: command 03h of 8 bits, address of 24 bits */
  adds r3, #0xf4
  str r1, [r3, #0x00]
  subs r3, #0xf4
  movs r0, #1
  str r0, [r3, #0x10]       /* SER: the flash chip */
  str r0, [r3, #0x08]       /* SSIENR: on */
  mov r0, lr
  cmp r0, #0
  beq first
  bx lr
first:
  ldr r0, =0x10000100       /* the vector table behind this stage */
  ldr r1, =0xe000ed08       /* VTOR */
  str r0, [r1]
  ldmia r0!, {r2, r3}
  msr msp, r2
  bx r3
  .ltorg
  .org boot2 + 256, 0

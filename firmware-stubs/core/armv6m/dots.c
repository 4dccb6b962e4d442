/* Inner loops of ARMv6-M: low registers for loads and multiplies, sums in high registers, where ADD can still reach them. */
#include "../blocked/blocked.h"

/* One tap: four numbers of the block by one weight; LDM steps through the block, r2 counts up to 0 from the end of the weights. */
#define TAP               \
  "ldm r0!, {r3-r6}\n\t"  \
  "ldrsb r7, [r1, r2]\n\t" \
  "muls r3, r7\n\t"       \
  "add r8, r3\n\t"        \
  "muls r4, r7\n\t"       \
  "add r9, r4\n\t"        \
  "muls r5, r7\n\t"       \
  "add r10, r5\n\t"       \
  "muls r6, r7\n\t"       \
  "add r11, r6\n\t"       \
  "adds r2, #1\n\t"

static void dots(const uint32_t *block, const int8_t *weights, uint32_t taps, block_sums_t *sums) {
  register const uint32_t *x __asm__("r0") = block;
  register const int8_t *end __asm__("r1") = weights + taps;
  register int32_t at __asm__("r2") = -(int32_t)taps;
  register block_sums_t *to __asm__("r12") = sums;
  __asm__ volatile(
      ".syntax unified\n\t"
      "mov r3, r12\n\t"
      "ldm r3!, {r4-r7}\n\t"
      "mov r8, r4\n\t"
      "mov r9, r5\n\t"
      "mov r10, r6\n\t"
      "mov r11, r7\n\t"
      "1:\n\t" /* single taps until a multiple of four is left */
      "lsls r3, r2, #30\n\t"
      "beq 2f\n\t" TAP
      "b 1b\n\t"
      "2:\n\t"
      "cmp r2, #0\n\t"
      "beq 4f\n\t"
      "3:\n\t" TAP TAP TAP TAP
      "bne 3b\n\t"
      "4:\n\t"
      "mov r4, r8\n\t"
      "mov r5, r9\n\t"
      "mov r6, r10\n\t"
      "mov r7, r11\n\t"
      "mov r3, r12\n\t"
      "stm r3!, {r4-r7}\n\t"
      : "+r"(x), "+r"(at)
      : "r"(end), "r"(to)
      : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "cc", "memory");
}

void block_dots(const uint32_t *block, const block_weights_t *weights, uint32_t channels, block_sums_t *sums) {
  const int8_t *at = weights->weights;
  for (; channels > 0; channels--) {
    dots(block, at, weights->taps, sums++);
    at += weights->step;
  }
}

void dense_dots(const int8_t *x, const int8_t *weights, size_t step, uint32_t count, int32_t zero_point, int32_t *sums) {
  register const int8_t *x_end __asm__("r0") = x + count;
  register const int8_t *end0 __asm__("r1") = weights + count;
  register const int8_t *end1 __asm__("r2") = end0 + step;
  register const int8_t *end2 __asm__("r3") = end1 + step;
  register const int8_t *end3 __asm__("r4") = end2 + step;
  register int32_t at __asm__("r5") = -(int32_t)count;
  register int32_t sum0 __asm__("r8") = sums[0];
  register int32_t sum1 __asm__("r9") = sums[1];
  register int32_t sum2 __asm__("r10") = sums[2];
  register int32_t sum3 __asm__("r11") = sums[3];
  register int32_t shift __asm__("r12") = -zero_point;
  __asm__ volatile(
      ".syntax unified\n\t"
      "1:\n\t"
      "ldrsb r6, [r0, r5]\n\t"
      "add r6, r12\n\t"
      "ldrsb r7, [r1, r5]\n\t"
      "muls r7, r6\n\t"
      "add r8, r7\n\t"
      "ldrsb r7, [r2, r5]\n\t"
      "muls r7, r6\n\t"
      "add r9, r7\n\t"
      "ldrsb r7, [r3, r5]\n\t"
      "muls r7, r6\n\t"
      "add r10, r7\n\t"
      "ldrsb r7, [r4, r5]\n\t"
      "muls r7, r6\n\t"
      "add r11, r7\n\t"
      "adds r5, #1\n\t"
      "bne 1b\n\t"
      : "+r"(at), "+r"(sum0), "+r"(sum1), "+r"(sum2), "+r"(sum3)
      : "r"(x_end), "r"(end0), "r"(end1), "r"(end2), "r"(end3), "r"(shift)
      : "r6", "r7", "cc", "memory");
  sums[0] = sum0;
  sums[1] = sum1;
  sums[2] = sum2;
  sums[3] = sum3;
}

void depth_dots(const int32_t *columns, size_t step, const int32_t *weights, uint32_t taps, int32_t start, int32_t *sums, uint32_t count) {
  const int32_t *end = weights + taps;
  for (const int32_t *last = sums + count; sums < last; sums++) {
    register const int32_t *x __asm__("r0") = columns;
    register const int32_t *w __asm__("r1") = weights;
    register int32_t sum __asm__("r8") = start;
    register const int32_t *stop __asm__("r9") = end;
    __asm__ volatile(
        ".syntax unified\n\t"
        "1:\n\t"
        "ldm r0!, {r2-r4}\n\t"
        "ldm r1!, {r5-r7}\n\t"
        "muls r2, r5\n\t"
        "add r8, r2\n\t"
        "muls r3, r6\n\t"
        "add r8, r3\n\t"
        "muls r4, r7\n\t"
        "add r8, r4\n\t"
        "cmp r1, r9\n\t"
        "blo 1b\n\t"
        : "+r"(x), "+r"(w), "+r"(sum)
        : "r"(stop)
        : "r2", "r3", "r4", "r5", "r6", "r7", "cc", "memory");
    *sums = sum;
    columns += step;
  }
}

/* Rows of signs on ARMv6-M, which has no instruction that counts ones: sixteen words go through a carry-save adder tree (Harley and Seal) for one count.
   Planes: ones in r6, twos in r8, fours in r9, eights in r12; masks are those of nibble_ones() and nibble_sum() in blocked/signs.h. */
#include "../blocked/signs.h"

/* sum: sum of the three; a: carry; b and t are lost. */
#define CARRY_SAVE(sum, a, b, t) \
  "movs " t ", " sum "\n\t"      \
  "eors " t ", " a "\n\t"        \
  "eors " b ", " a "\n\t"        \
  "eors " sum ", " b "\n\t"      \
  "ands " t ", " b "\n\t"        \
  "eors " a ", " t "\n\t"

/* The same where there is nothing yet: the sum of a and b is left in sum, their carry in a. */
#define HALF_SAVE(sum, a, b) \
  "movs " sum ", " a "\n\t"  \
  "eors " sum ", " b "\n\t"  \
  "ands " a ", " b "\n\t"

/* Two words into the ones; the carry is left in r2. */
#define LOAD_PAIR          \
  "ldm r0!, {r2, r3}\n\t"  \
  "ldm r1!, {r4, r5}\n\t"  \
  "eors r2, r4\n\t"        \
  "eors r3, r5\n\t"
#define PAIR LOAD_PAIR CARRY_SAVE("r6", "r2", "r3", "r4")
#define FIRST_PAIR LOAD_PAIR HALF_SAVE("r6", "r2", "r3")

/* Four words; the carry of the twos is left in r7. */
#define QUAD                                     \
  PAIR "movs r7, r2\n\t" PAIR "mov r3, r8\n\t" \
  CARRY_SAVE("r3", "r7", "r2", "r4") "mov r8, r3\n\t"

/* Eight words; the carry of the fours is left in r7. */
#define EIGHT                                                        \
  QUAD "mov r10, r7\n\t" QUAD "mov r3, r9\n\tmov r2, r10\n\t"        \
  CARRY_SAVE("r3", "r7", "r2", "r4") "mov r9, r3\n\t"
#define FIRST_EIGHT                                                                                       \
  FIRST_PAIR "movs r7, r2\n\t" PAIR HALF_SAVE("r3", "r7", "r2") "mov r8, r3\n\tmov r10, r7\n\t" QUAD      \
  "mov r2, r10\n\t" HALF_SAVE("r3", "r7", "r2") "mov r9, r3\n\t"

/* The carry of the eights, which is in r7, into the sum of such carries in lr; r4 and r5 are the first two masks afterwards, r3 points behind them. */
#define ADD_CARRY "ldr r3, [sp, #20]\n\tldm r3!, {r4, r5}\n\t" NIBBLES("r7") "add lr, r7\n\t"

extern const uint32_t sign_masks[4];
const uint32_t sign_masks[4] = {0x55555555u, 0x33333333u, 0x0f0f0f0fu, 0x01010101u};

/* nibble_ones() with the first two masks in r4 and r5, nibble_sum() with the last two */
#define NIBBLES(x)          \
  "lsrs r2, " x ", #1\n\t"  \
  "ands r2, r4\n\t"         \
  "subs " x ", " x ", r2\n\t" \
  "lsrs r2, " x ", #2\n\t"  \
  "ands r2, r5\n\t"         \
  "ands " x ", r5\n\t"      \
  "adds " x ", " x ", r2\n\t"
#define SUM(x)              \
  "lsrs r2, " x ", #4\n\t"  \
  "ands r2, r4\n\t"         \
  "ands " x ", r4\n\t"      \
  "adds " x ", " x ", r2\n\t" \
  "muls " x ", r5\n\t"      \
  "lsrs " x ", #24\n\t"

/* sums[r] += 32 words - 2 (bits that differ) for rows of `words` words: 8 to 56, a multiple of 8; rows >= 1. On the stack: x, blocks of sixteen behind the
   first eight or sixteen words, rows left, words, blocks left, sign_masks; sums lie where the caller put them. */
void sign_rows(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums);
__asm__(
    ".syntax unified\n\t"
    ".section .text.sign_rows, \"ax\", %progbits\n\t"
    ".balign 4\n\t"
    ".thumb_func\n\t"
    ".global sign_rows\n\t"
    ".type sign_rows, %function\n"
    "sign_rows:\n\t"
    "push {r4-r7, lr}\n\t"
    "mov r4, r8\n\tmov r5, r9\n\tmov r6, r10\n\tmov r7, r11\n\t"
    "push {r4-r7}\n\t"
    "sub sp, #24\n\t"
    "str r0, [sp]\n\t"
    "subs r4, r2, #1\n\t"
    "lsrs r4, r4, #4\n\t"
    "str r4, [sp, #4]\n\t"
    "str r3, [sp, #8]\n\t"
    "str r2, [sp, #12]\n\t"
    "ldr r4, 8f\n\t"
    "str r4, [sp, #20]\n\t"
    "b 1f\n\t"
    ".balign 4\n"
    "8:\n\t"
    ".word sign_masks\n"
    "1:\n\t"
    "ldr r0, [sp]\n\t" FIRST_EIGHT
    "ldr r2, [sp, #12]\n\t"
    "lsls r3, r2, #28\n\t"
    "beq 2f\n\t"
    "mov r12, r7\n\t"
    "movs r7, #0\n\t"
    "mov lr, r7\n\t"
    "ldr r3, [sp, #20]\n\t"
    "ldm r3!, {r4, r5}\n\t"
    "b 3f\n"
    "2:\n\t"
    "mov r11, r7\n\t" EIGHT
    "mov r2, r11\n\t" HALF_SAVE("r3", "r7", "r2")
    "mov r12, r3\n\t"
    "movs r3, #0\n\t"
    "mov lr, r3\n\t" ADD_CARRY "\n"
    "3:\n\t"
    "ldr r7, [sp, #4]\n\t"
    "b 5f\n"
    "4:\n\t"
    "str r7, [sp, #16]\n\t" EIGHT
    "mov r11, r7\n\t" EIGHT
    "mov r3, r12\n\tmov r2, r11\n\t" CARRY_SAVE("r3", "r7", "r2", "r4")
    "mov r12, r3\n\t" ADD_CARRY
    "ldr r7, [sp, #16]\n\t"
    "subs r7, #1\n"
    "5:\n\t"
    "cmp r7, #0\n\t"
    "beq 6f\n\t"
    "b 4b\n"
    "6:\n\t" NIBBLES("r6")
    "mov r7, r8\n\t" NIBBLES("r7")
    "lsls r7, #1\n\tadds r6, r6, r7\n\t"
    "mov r7, r9\n\t" NIBBLES("r7")
    "mov r0, r12\n\t" NIBBLES("r0")
    "lsls r0, #1\n\tadds r7, r7, r0\n\t"
    "ldm r3!, {r4, r5}\n\t" SUM("r6") SUM("r7")
    "mov r0, lr\n\t" SUM("r0")
    "lsls r7, #2\n\tadds r6, r6, r7\n\tlsls r0, #4\n\tadds r6, r6, r0\n\t"
    "ldr r3, [sp, #12]\n\t"
    "lsls r3, r3, #5\n\tlsls r6, #1\n\tsubs r3, r3, r6\n\t"
    "ldr r2, [sp, #60]\n\t"
    "ldr r4, [r2]\n\t"
    "adds r4, r4, r3\n\t"
    "stm r2!, {r4}\n\t"
    "str r2, [sp, #60]\n\t"
    "ldr r3, [sp, #8]\n\t"
    "subs r3, #1\n\t"
    "str r3, [sp, #8]\n\t"
    "beq 7f\n\t"
    "b 1b\n"
    "7:\n\t"
    "add sp, #24\n\t"
    "pop {r4-r7}\n\t"
    "mov r8, r4\n\tmov r9, r5\n\tmov r10, r6\n\tmov r11, r7\n\t"
    "pop {r4-r7, pc}\n\t"
    ".size sign_rows, .-sign_rows\n\t"
    ".text\n");

#define MOST_WORDS 56u

void sign_dots(const uint32_t *x, const uint32_t *weights, uint32_t words, uint32_t rows, int32_t *sums) {
  if (words % 8 == 0 && words <= MOST_WORDS) {
    sign_rows(x, weights, words, rows, sums);
    return;
  }
  for (; rows > 0; rows--, sums++) {
    const uint32_t *at = x;
    uint32_t left = words;
    while (left >= 8) {
      const uint32_t part = left < MOST_WORDS ? left & ~7u : MOST_WORDS;
      sign_rows(at, weights, part, 1, sums);
      at += part;
      weights += part;
      left -= part;
    }
    for (; left > 0; left--) {
      *sums += 32 - 2 * (int32_t)count_ones(*at++ ^ *weights++);
    }
  }
}

/* requantize_soft_s8() against requantize_s8() (float32): random sums and scales of every exponent, edges, and sums that make ties. */
#include <stdio.h>
#include <string.h>

#include "../../firmware-stubs/core/arithmetic.h"
#include "../../firmware-stubs/core/requantize_soft.h"

#define RANDOM_CASES 5000000u
#define COUNT(list) (sizeof(list) / sizeof *(list))

static uint32_t state = 1;

static uint32_t next_word(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

/* 1 where the two differ. */
static uint32_t differs(int32_t sum, uint32_t bits, int32_t zero_point, int32_t low, int32_t high) {
  const int8_t expected = requantize_s8(sum, float_of(bits), zero_point, low, high);
  const int8_t actual = requantize_soft_s8(sum, soft_scale(bits), zero_point, low, high);
  if (expected != actual) {
    printf("sum %d, scale bits %08x, zero point %d: %d, expected %d\n", sum, bits, zero_point, actual, expected);
  }
  return expected != actual;
}

static const int32_t SUMS[] = {0,         1,         -1,        2,          3,          127,        128,         255,        256,       8388607,   8388608,  8388609,
                               16777215,  16777216,  16777217,  16777218,   16777219,   33554431,   33554433,    33554434,   67108861,  67108863,  -16777217, -16777219,
                               536870912, 536870913, INT32_MAX, INT32_MIN, -INT32_MAX, 1073741823, -1073741825, 2147483583, 2147483584, 2147483585};
static const uint32_t SCALES[] = {0,          1,          2,          0x7fffff,   0x800000,   0x800001,   0x3f000000, 0x3f7fffff, 0x3f800000, 0x3f800001, 0x3b000000,
                                  0x3b800000, 0x3a83126f, 0x38d1b717, 0x2f800000, 0x33800000, 0x34000000, 0x4b800000, 0x7f7fffff, 0x4f000000, 0x30000000};

static uint32_t edges(void) {
  uint32_t wrong = 0;
  for (size_t s = 0; s < COUNT(SUMS); s++) {
    for (size_t m = 0; m < COUNT(SCALES); m++) {
      for (int32_t zero_point = -128; zero_point <= 127; zero_point += 85) {
        wrong += differs(SUMS[s], SCALES[m], zero_point, -128, 127) + differs(SUMS[s] == INT32_MIN ? 0 : -SUMS[s], SCALES[m], zero_point, zero_point, 127);
      }
    }
  }
  return wrong;
}

/* Odd sums times powers of two: every second product is a tie. */
static uint32_t ties(void) {
  uint32_t wrong = 0;
  for (int32_t sum = -4096; sum <= 4096; sum++) {
    for (uint32_t exponent = 100; exponent < 130; exponent++) {
      wrong += differs(sum, exponent << 23, 0, -128, 127) + differs(sum * 4097, exponent << 23, 3, -128, 127);
    }
  }
  return wrong;
}

/* Scales whose products are of the size of int8, half of the time; any finite scale otherwise. */
static uint32_t random_cases(void) {
  uint32_t wrong = 0;
  for (uint32_t i = 0; i < RANDOM_CASES; i++) {
    const int32_t sum = (int32_t)next_word() >> (next_word() % 31u);
    const uint32_t magnitude = sum < 0 ? 0u - (uint32_t)sum : (uint32_t)sum;
    const uint32_t bits_of_sum = magnitude == 0 ? 0u : 32u - (uint32_t)__builtin_clz(magnitude);
    const uint32_t exponent = i % 2 == 0 ? 127u + 8u - bits_of_sum + next_word() % 3u - 2u : next_word() % 255u;
    wrong += differs(sum, exponent << 23 | next_word() >> 9, (int32_t)(next_word() % 256u) - 128, -128, 127);
  }
  return wrong;
}

int main(void) {
  const uint32_t wrong = edges() + ties() + random_cases();
  printf("%u results differ\n", wrong);
  return wrong == 0 ? 0 : 1;
}

/* Philox4x32-10 (philox.h). */
#include "philox.h"

void philox_words(uint32_t seed, uint32_t step, uint32_t stream, uint32_t index, uint32_t words[4]) {
  uint32_t c0 = step, c1 = stream, c2 = index, c3 = 0;
  uint32_t k0 = seed, k1 = 0;
  for (uint32_t round = 0; round < 10; round++) {
    const uint64_t p0 = (uint64_t)0xd2511f53u * c0;
    const uint64_t p1 = (uint64_t)0xcd9e8d57u * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

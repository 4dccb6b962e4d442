/* Packed elements: bit i of word w is element 32 w + i. Runs at any bit, copied and appended. */
#ifndef SPIKEPORT_PACKED_H
#define SPIKEPORT_PACKED_H

#include <stddef.h>
#include <stdint.h>

/* `count` elements (1 to 32) from bit `at` on, in the low bits; reads no word that holds none of them. */
static inline uint32_t packed_run(const uint32_t *words, size_t at, uint32_t count) {
  const uint32_t shift = (uint32_t)(at & 31u);
  uint32_t bits = words[at >> 5] >> shift;
  if (shift + count > 32) {
    bits |= words[(at >> 5) + 1] << (32 - shift);
  }
  return count == 32 ? bits : bits & ((1u << count) - 1u);
}

/* Writes `count` elements (1 to 32; `bits` has no others) at bit `at`; elements behind them in the last word become 0. */
static inline void packed_append(uint32_t *words, size_t at, uint32_t bits, uint32_t count) {
  const uint32_t shift = (uint32_t)(at & 31u);
  uint32_t *to = words + (at >> 5);
  *to = shift == 0 ? bits : *to | (bits << shift);
  if (shift + count > 32) {
    to[1] = bits >> (32 - shift);
  }
}

static inline void packed_copy(uint32_t *to, size_t to_at, const uint32_t *from, size_t from_at, uint32_t count) {
  while (count > 0) {
    const uint32_t run = count < 32 ? count : 32;
    packed_append(to, to_at, packed_run(from, from_at, run), run);
    to_at += run;
    from_at += run;
    count -= run;
  }
}

static inline void packed_clear(uint32_t *to, size_t at, uint32_t count) {
  while (count > 0) {
    const uint32_t run = count < 32 ? count : 32;
    packed_append(to, at, 0, run);
    at += run;
    count -= run;
  }
}

/* Number of ones, without an instruction for it. */
static inline uint32_t count_ones(uint32_t x) {
  x = x - ((x >> 1) & 0x55555555u);
  x = (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0fu;
  return (x * 0x01010101u) >> 24;
}

#endif

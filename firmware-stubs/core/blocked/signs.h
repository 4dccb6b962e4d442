/* Counts of the planes that a carry-save adder tree leaves (Harley and Seal): what the sign_dots() of chips without SIMD share. */
#ifndef SPIKEPORT_SIGNS_H
#define SPIKEPORT_SIGNS_H

#include "../packed.h"
#include "general_rows.h"

/* Sums of 2^i-valued bits in 32 columns. */
typedef struct {
  uint32_t ones, twos, fours, eights;
} planes_t;

/* Ones of each four columns. */
static inline uint32_t nibble_ones(uint32_t x) {
  x = x - ((x >> 1) & 0x55555555u);
  return (x & 0x33333333u) + ((x >> 2) & 0x33333333u);
}

/* Sum of eight nibbles of at most 12 each. */
static inline uint32_t nibble_sum(uint32_t x) {
  x = (x & 0x0f0f0f0fu) + ((x >> 4) & 0x0f0f0f0fu);
  return (x * 0x01010101u) >> 24;
}

/* Blocks of sixteen words whose carries, as nibbles, can be added up before their sum is taken. */
#define CARRY_BLOCKS 3u

static inline uint32_t planes_sum(const planes_t *p) {
  return nibble_sum(nibble_ones(p->ones) + 2 * nibble_ones(p->twos)) + 4 * nibble_sum(nibble_ones(p->fours) + 2 * nibble_ones(p->eights));
}

#endif

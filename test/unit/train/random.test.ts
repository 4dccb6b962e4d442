import { expect, test } from 'vitest'
import { bernoulli, boundedInteger, multiplyHigh, permutation, philox, randomWords, seedKey } from '#src/random.js'

const ONES = 0xffffffff

test('philox gives the known answers of Random123', () => {
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8])
  expect(philox([ONES, ONES, ONES, ONES], [ONES, ONES])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd])
  expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1])
})

test('multiplyHigh equals the high word of the product', () => {
  const words = [0, 1, 2, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xdeadbeef, ONES]
  for (const a of words) for (const b of words) expect(multiplyHigh(a, b)).toBe(Number((BigInt(a) * BigInt(b)) >> 32n))
})

test('words depend on seed, step, stream and index, in the counter of arithmetic.md', () => {
  expect(randomWords(2 ** 40 + 5, 7, 3, 2 ** 33 + 9)).toEqual(philox([7, 3, 9, 2], [5, 256]))
  expect(seedKey(2 ** 40 + 5)).toEqual([5, 256])
})

test('bernoulli compares with the floor of probability * 2^32', () => {
  expect([bernoulli(0, 0), bernoulli(0, 2 ** -32), bernoulli(ONES, 1), bernoulli(2 ** 31, 0.5), bernoulli(2 ** 31 - 1, 0.5)]).toEqual([
    false,
    true,
    true,
    false,
    true,
  ])
})

test('boundedInteger spreads the words over the range', () => {
  expect([boundedInteger(0, 10), boundedInteger(ONES, 10), boundedInteger(2 ** 31, 10)]).toEqual([0, 9, 5])
})

test('a permutation holds every number once and is the same for the same seed', () => {
  const order = permutation(1000, 3, 2, 1)
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(permutation(1000, 3, 2, 1)).toEqual(order)
  expect(permutation(1000, 4, 2, 1)).not.toEqual(order)
  expect(order).not.toEqual(Uint32Array.from({ length: 1000 }, (_, i) => i))
})

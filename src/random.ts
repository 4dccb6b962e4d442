// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), the same bits as the C core, so that any draw can be
// repeated from (seed, step, stream, index) alone and no generator state is kept. Implements docs/arithmetic.md, "Random numbers".

/** Who draws what: the second word of the counter. One table for the host and the C core. */
export const STREAMS = {
  /** order of the training samples; step = epoch */
  shuffle: 1,
  /** shifts and flips of training images; step = epoch, index = position in the epoch */
  augment: 2,
  /** seeds of dropout layers; step = training step, index = layer */
  dropout: 3,
  /** order of samples before a data set is split; step = 0 */
  split: 4,
  /** rotations of PolyStep's particles; step = step, index = block of the particle's matrix */
  rotation: 16,
  /** noise of evolution strategies, SPSA, CMA-ES and random search; step = step, index = block of the candidate */
  candidate: 17,
  /** projections of subspaces; step = which tensor */
  subspace: 18,
  /** mini-batches of a tuning run; step = epoch */
  tuneBatch: 19,
  /** radius jitter, coordinate choices and other single draws of a method; step = step */
  method: 20,
  /** initial states of episodes; step = step, index = episode */
  episode: 21,
  /** random instances of problems and initial weights; step = which part */
  instance: 22,
  /** inputs of engine comparisons; step = sample, index = network input * 2^24 + block of 16 bytes */
  check: 5,
  /** rate codes of networks over time; step = time step, index = block of four elements */
  encode: 48,
  /** shot noise; step = 0 injected into recordings, 1 of a simulated camera, index = event */
  shotNoise: 32,
  /** phases of leak noise; step = 0 injected, 1 of a simulated camera, index = pixel */
  leakNoise: 33,
  /** bit errors and dropped packets of an emulated camera; step = 0 and 1, index = draw */
  lineNoise: 34,
  /** thresholds of a simulated camera; step = 0 ON, 1 OFF, index = 3 * pixel + block */
  pixelThreshold: 40,
} as const

const TWO_32 = 4294967296
const MULTIPLIER_0 = 0xd2511f53
const MULTIPLIER_1 = 0xcd9e8d57
const WEYL_0 = 0x9e3779b9
const WEYL_1 = 0xbb67ae85

/** The high 32 bits of the 64-bit product of two 32-bit words. */
export const multiplyHigh = (a: number, b: number): number => {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const carry = (middle % 65536) + aLow * bHigh
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536)) >>> 0
}

/** One block of Philox4x32-10: four 32-bit words of a counter of four and a key of two. */
export const philox = (counter: readonly [number, number, number, number], key: readonly [number, number]): [number, number, number, number] => {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0)
    const low0 = Math.imul(MULTIPLIER_0, c0)
    const high1 = multiplyHigh(MULTIPLIER_1, c2)
    const low1 = Math.imul(MULTIPLIER_1, c2)
    c0 = (high1 ^ c1 ^ k0) >>> 0
    c1 = low1 >>> 0
    c2 = (high0 ^ c3 ^ k1) >>> 0
    c3 = low0 >>> 0
    k0 = (k0 + WEYL_0) >>> 0
    k1 = (k1 + WEYL_1) >>> 0
  }
  return [c0, c1, c2, c3]
}

/** The key of a seed, an integer 0..2^53 - 1: its low and high words. */
export const seedKey = (seed: number): [number, number] => [seed >>> 0, Math.floor(seed / TWO_32) >>> 0]

/** The four words of (seed, step, stream, index); index is an integer 0..2^53 - 1. */
export const randomWords = (seed: number, step: number, stream: number, index: number): [number, number, number, number] =>
  philox([step >>> 0, stream >>> 0, index >>> 0, Math.floor(index / TWO_32) >>> 0], seedKey(seed))

/** True with the given probability: word < floor(probability * 2^32). */
export const bernoulli = (word: number, probability: number): boolean => word < Math.floor(probability * TWO_32)

/** An integer 0..bound - 1 from a word, by multiply-high; bound is 1..2^32 - 1. */
export const boundedInteger = (word: number, bound: number): number => multiplyHigh(word, bound)

/** A random order of 0..count - 1 (Fisher-Yates, word i mod 4 of block floor(i / 4) places element i). */
export const permutation = (count: number, seed: number, step: number, stream: number): Uint32Array => {
  const order = new Uint32Array(count)
  let words = randomWords(seed, step, stream, 0)
  for (let i = 0; i < count; i++) {
    if (i % 4 === 0) words = randomWords(seed, step, stream, i / 4)
    const j = boundedInteger(words[i % 4] ?? 0, i + 1)
    order[i] = order[j] ?? 0
    order[j] = i
  }
  return order
}

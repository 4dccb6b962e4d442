// Floating-point draws for the host's methods, from the counter-based words of src/random.ts: any draw follows from (seed, step, stream,
// index) alone, so that a checkpoint needs no generator state and a worker can repeat a probe.

import { randomWords } from '../random.js'

const TWO_32 = 4294967296

/** Calls `put` with `count` standard normal numbers (Box-Muller, four from a block of words), starting at block `firstBlock`. */
const eachGaussian = (count: number, seed: number, step: number, stream: number, firstBlock: number, put: (i: number, x: number) => void): void => {
  for (let i = 0; i < count; i += 4) {
    const words = randomWords(seed, step, stream, firstBlock + i / 4)
    for (let pair = 0; pair < 4; pair += 2) {
      const radius = Math.sqrt(-2 * Math.log(((words[pair] as number) + 1) / TWO_32))
      const angle = (2 * Math.PI * (words[pair + 1] as number)) / TWO_32
      if (i + pair < count) put(i + pair, radius * Math.cos(angle))
      if (i + pair + 1 < count) put(i + pair + 1, radius * Math.sin(angle))
    }
  }
}

/** Standard normal numbers; `block` tells several draws of one stream apart (draws of `count` numbers use ceil(count / 4) blocks). */
export const gaussians = (count: number, seed: number, step: number, stream: number, block = 0): Float64Array => {
  const out = new Float64Array(count)
  eachGaussian(count, seed, step, stream, block, (i, x) => {
    out[i] = x
  })
  return out
}

/** Uniform numbers in [0, 1). */
export const uniforms = (count: number, seed: number, step: number, stream: number, block = 0): Float64Array => {
  const out = new Float64Array(count)
  for (let i = 0; i < count; i++) out[i] = (randomWords(seed, step, stream, block + Math.floor(i / 4))[i % 4] as number) / TWO_32
  return out
}

// Inputs for comparing engines where the user has no data at hand: all smallest, all largest, all zero, then random ones.

import type { Batch } from '../contracts/runtime.js'
import { usage } from '../errors.js'
import { typeOf } from '../network/graph.js'
import { allocate, arrayLength, type ElementArray, elementCount, isQuantized, type Network, type ValueType } from '../network/types.js'
import { randomWords, STREAMS } from '../random.js'

const fillRandom = (out: ElementArray, seed: number, input: number, sample: number): void => {
  for (let i = 0; i < out.length; i += 16) {
    const words = randomWords(seed, sample, STREAMS.check, input * 2 ** 24 + i / 16)
    for (let k = 0; k < 16 && i + k < out.length; k++) out[i + k] = ((words[k >> 2] as number) >>> (8 * (k & 3))) & 255
  }
}

/** Keeps what was drawn within the type: levels, and no spare bits set behind packed elements. */
const keepWithin = (out: ElementArray, type: ValueType): void => {
  if (type.kind === 'level') for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) % (type.levels + 1)
  const used = elementCount(type.shape) % 32
  if (type.kind === 'binary' && used !== 0) out[out.length - 1] = ((out[out.length - 1] as number) & (2 ** used - 1)) >>> 0
}

const fillRandomWords = (out: ElementArray, seed: number, input: number, sample: number): void => {
  for (let i = 0; i < out.length; i++) out[i] = randomWords(seed, sample, STREAMS.check, input * 2 ** 24 + (i >> 2))[(i & 3) as 0] as number
}

const fillSample = (out: ElementArray, zero: number, seed: number, input: number, sample: number): void => {
  if (sample === 0) out.fill(out instanceof Int8Array ? -128 : 0)
  else if (sample === 1) out.fill(out instanceof Int8Array ? 127 : out instanceof Uint32Array ? 2 ** 32 - 1 : 255)
  else if (sample === 2) out.fill(zero)
  else if (out instanceof Uint32Array) fillRandomWords(out, seed, input, sample)
  else fillRandom(out, seed, input, sample)
}

/** The most elements of one input: 2^28, as of one value. */
const MAX_INPUT_ELEMENTS = 2 ** 28

/** `count` samples for every input of a network; the same for the same seed. @throws USAGE for more than memory takes */
export const testInputs = (network: Network<'integer'>, count: number, seed: number): Batch => ({
  count,
  inputs: network.inputs.map((value, input) => {
    const type = typeOf(network, value)
    const length = arrayLength(type)
    if (count * length > MAX_INPUT_ELEMENTS)
      throw usage(`${count} samples of ${length} elements are too many at once.`, `Take at most ${Math.floor(MAX_INPUT_ELEMENTS / length)}.`)
    const all = allocate(type, count)
    for (let sample = 0; sample < count; sample++) {
      const one = all.subarray(sample * length, (sample + 1) * length)
      fillSample(one, isQuantized(type) ? type.zeroPoint : 0, seed, input, sample)
      keepWithin(one, type)
    }
    return all
  }),
})

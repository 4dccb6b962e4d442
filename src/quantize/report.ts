// What quantization cost, layer by layer: signal-to-quantization-noise ratio of every value against the float network on the same inputs.

import { evaluate } from '../network/evaluate.js'
import { typeOf } from '../network/graph.js'
import { arrayLength, describeType, isQuantized, type Network, type ValueType } from '../network/types.js'
import type { CalibrationData } from './calibration.js'
import { dequantize, quantizeInput } from './int8.js'

export interface LayerReport {
  /** the value's name */
  readonly name: string
  readonly type: string
  /** 10 log10(sum x^2 / sum (x - dequantized)^2) in decibels; Infinity where nothing differs, also of a value that is always zero */
  readonly signalToNoiseDb: number
  /** share of stored elements at -128 or 127, 0..1 */
  readonly saturated: number
  /** share of spikes that are as in the float network, 0..1, in the last time step; null for other values */
  readonly agreement: number | null
}

const isSpikes = (type: ValueType): boolean => type.kind === 'level' && type.levels === 1

/**
 * Compares float and integer network value by value (matched by name) over the first samples of `data`.
 * @param samples how many samples to use, default 64
 */
export const quantizationReport = (float: Network<'float'>, integer: Network<'integer'>, data: CalibrationData, samples = 64): readonly LayerReport[] => {
  const sums = integer.values.map(() => ({ signal: 0, noise: 0, saturated: 0, equal: 0, count: 0 }))
  const floatIndex = new Map(float.values.map((value, i) => [value.name, i]))
  const most = integer.time === undefined ? samples : Math.ceil(samples / integer.time.steps)
  for (let sample = 0; sample < Math.min(most, data.count); sample++) {
    const reals = float.inputs.map((value, i) => {
      const length = arrayLength(typeOf(float, value))
      return (data.inputs[i] as Float32Array).subarray(sample * length, (sample + 1) * length)
    })
    const expected = evaluate(float, reals)
    const stored = evaluate(
      integer,
      reals.map((x, i) => quantizeInput(integer, i, x)),
    )
    integer.values.forEach(({ name, type }, value) => {
      const truth = expected[floatIndex.get(name) ?? -1]
      const elements = stored[value]
      const sum = sums[value]
      if (truth === undefined || elements === undefined || sum === undefined) return
      if (isSpikes(type) && integer.time !== undefined) {
        sum.equal += Array.from(truth as ArrayLike<number>).filter((x, i) => x === elements[i]).length
        sum.count += truth.length
      }
      if (!isQuantized(type)) return
      const back = dequantize(type, elements)
      for (let i = 0; i < truth.length; i++) {
        sum.signal += (truth[i] as number) ** 2
        sum.noise += ((truth[i] as number) - (back[i] as number)) ** 2
        sum.saturated += elements[i] === -128 || elements[i] === 127 ? 1 : 0
      }
      sum.count += truth.length
    })
  }
  return integer.values.flatMap(({ name, type }, value) => {
    const { signal, noise, saturated, equal, count } = sums[value] as (typeof sums)[number]
    return count === 0
      ? []
      : [
          {
            name,
            type: describeType(type),
            signalToNoiseDb: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
            saturated: saturated / count,
            agreement: isSpikes(type) ? equal / count : null,
          },
        ]
  })
}

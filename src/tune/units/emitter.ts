// Emissions as loops over int32 sums, by the definitions of src/network/emission.ts. A new emission is a row of the table.

import { unsupported } from '../../errors.js'
import { clamp, requantize } from '../../network/arithmetic.js'
import { type Emission, type EmissionKind, requantizeScales } from '../../network/emission.js'
import { isQuantized, type QuantizedType, type ValueType } from '../../network/types.js'

export interface Emitter {
  /** Elements of sums[start..start + channels - 1] into out[0..channels - 1]. */
  readonly row: (sums: Int32Array, start: number, out: Int32Array) => void
  /** The element of one sum of a channel. */
  readonly one: (sum: number, channel: number) => number
  /** Sums low[i]..high[i] surely give elements[i] again; those just outside may do so too. `sums` are what gave the elements. */
  readonly ranges: (sums: Int32Array, elements: Int32Array, low: Int32Array, high: Int32Array) => void
}

interface EmitterContext {
  readonly input: ValueType
  readonly weights: QuantizedType
  readonly output: ValueType
  readonly channels: number
}

/** 1.5 * 2^52: see roundHalfEven. */
const ROUND_SHIFT = 6755399441055744

type Build<K extends EmissionKind> = (emission: Extract<Emission, { kind: K }>, context: EmitterContext) => Emitter

const LEAST_SUM = -(2 ** 31)
const LARGEST_SUM = 2 ** 31 - 1

/** How far inside a half step a sum must lie so that no float32 rounding on the way (each below 2^-23 of it) reaches the step. */
const margin = (edge: number): number => 1 + Math.abs(edge) * 2 ** -20

const requantizer: Build<'requantize'> = ({ min, max }, { input, weights, output, channels }) => {
  if (!isQuantized(input) || !isQuantized(output)) throw new Error('requantize without scales passed verify()')
  const scales = requantizeScales(input, weights, output, channels)
  const { zeroPoint } = output
  return {
    row: (sums, start, out) => {
      for (let c = 0; c < channels; c++) {
        out[c] = clamp(Math.fround(Math.fround(sums[start + c] as number) * (scales[c] as number)) + ROUND_SHIFT - ROUND_SHIFT + zeroPoint, min, max)
      }
    },
    one: (sum, channel) => requantize(sum, scales[channel] as number, zeroPoint, min, max),
    ranges: (_, elements, low, high) => {
      for (let at = 0; at < elements.length; at++) {
        const element = elements[at] as number
        const scale = scales[at % channels] as number
        const below = (element - zeroPoint - 0.5) / scale
        const above = (element - zeroPoint + 0.5) / scale
        low[at] = element === min ? LEAST_SUM : clamp(Math.ceil(below + margin(below)), LEAST_SUM, LARGEST_SUM)
        high[at] = element === max ? LARGEST_SUM : clamp(Math.floor(above - margin(above)), LEAST_SUM, LARGEST_SUM)
      }
    },
  }
}

const identity: Build<'none'> = (_, { channels }) => ({
  row: (sums, start, out) => {
    for (let c = 0; c < channels; c++) out[c] = sums[start + c] as number
  },
  one: (sum) => sum,
  ranges: (sums, _, low, high) => {
    low.set(sums)
    high.set(sums)
  },
})

const EMITTERS: { readonly [K in EmissionKind]: Build<K> | { readonly unsupported: string } } = {
  requantize: requantizer,
  none: identity,
  clamp: { unsupported: 'belongs to the float stage' },
  thresholds: { unsupported: 'gives levels or packed bits' },
}

/** The emitter of a layer. @throws UNSUPPORTED naming the layer */
export const emitterOf = (layer: string, emission: Emission, context: EmitterContext): Emitter => {
  const build = EMITTERS[emission.kind] as Build<EmissionKind> | { readonly unsupported: string }
  if (typeof build !== 'function')
    throw unsupported(
      `layer "${layer}": probes through a ${emission.kind} emission, which ${build.unsupported}.`,
      'Tune with the generic evaluator (full passes) instead.',
    )
  return build(emission as never, context)
}

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
  }
}

const identity: Build<'none'> = (_, { channels }) => ({
  row: (sums, start, out) => {
    for (let c = 0; c < channels; c++) out[c] = sums[start + c] as number
  },
  one: (sum) => sum,
})

const EMITTERS: { readonly [K in EmissionKind]: Build<K> | { readonly unsupported: string } } = {
  requantize: requantizer,
  none: identity,
  clamp: { unsupported: 'belongs to the float stage' },
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

// quantize(): Network<'float'> -> Network<'integer'>. The table of schemes; a scheme is one file here and one line below.

import { usage } from '../errors.js'
import type { Network } from '../network/types.js'
import { type CalibrationData, type CalibrationMethod, calibrate, inputRanges, type Range } from './calibration.js'
import { quantizeInt8 } from './int8.js'
import { quantizeSpiking } from './spiking.js'
import { quantizeThresholds } from './thresholds.js'

export type { CalibrationData, CalibrationMethod, Range } from './calibration.js'
export { calibrate } from './calibration.js'
export { affineOf, dequantize, inputLength, quantizeInput } from './int8.js'
export { type LayerReport, quantizationReport } from './report.js'

type Scheme = (network: Network<'float'>, ranges: readonly Range[]) => Network<'integer'>

export const SCHEMES = {
  int8: quantizeInt8,
  staircase: quantizeThresholds('staircase'),
  binary: quantizeThresholds('sign'),
  spiking: quantizeSpiking,
} as const satisfies Record<string, Scheme>
export type SchemeName = keyof typeof SCHEMES

export const CALIBRATION_METHODS: readonly CalibrationMethod[] = ['minmax', 'percentile', 'mse']

export interface QuantizeOptions {
  /** default int8 */
  readonly scheme?: SchemeName
  /** sample inputs in real units; a few hundred of the kind the board will see */
  readonly calibration: CalibrationData
  /** default minmax */
  readonly method?: CalibrationMethod
  /** for method percentile: above 50, at most 100, default 99.99 */
  readonly percentile?: number
}

/**
 * Quantizes a simplified float network (simplify() first).
 * @throws INPUT_MISMATCH for calibration data that does not fit, UNSUPPORTED by layer name, ACCUMULATOR_OVERFLOW
 */
export const quantizeSimplified = (network: Network<'float'>, options: QuantizeOptions): Network<'integer'> => {
  const { scheme = 'int8', method = 'minmax', calibration, percentile } = options
  if (!Object.hasOwn(SCHEMES, scheme)) throw usage(`unknown scheme "${scheme}".`, `The schemes are ${Object.keys(SCHEMES).join(', ')}.`)
  if (!CALIBRATION_METHODS.includes(method)) throw usage(`unknown calibration method "${method}".`, `The methods are ${CALIBRATION_METHODS.join(', ')}.`)
  const ranges = scheme === 'spiking' ? inputRanges(network, calibration) : calibrate(network, calibration, method, percentile)
  const quantized = SCHEMES[scheme](network, ranges)
  return { ...quantized, metadata: { ...network.metadata, scheme, calibration: `${method}, ${calibration.count} samples` } }
}

// The main entry: networks, importing, quantizing, planning, checking. Loads no native package; engines and exporters are entries of
// their own (spikeport/runtimes/wasm, spikeport/exporters/onnx ...), training is spikeport/train.

import type { Network } from './network/types.js'
import { type QuantizeOptions, quantizeSimplified } from './quantize/index.js'
import { simplify } from './simplify/index.js'

export { argmax, type ClassificationSummary, summarize } from './check/classification.js'
export { compareEngines, type Difference, type Engine, type EngineResult } from './check/index.js'
export { testInputs } from './check/inputs.js'
export type { Exporter, Folder } from './contracts/exporter.js'
export type { ArenaPlan } from './contracts/plan.js'
export type { Batch, Outputs, Runtime, Session } from './contracts/runtime.js'
export { type ConvertOptions, convertToSpiking } from './convert/spiking.js'
export { type EncodeOptions, encode } from './encode/index.js'
export { DoesNotFitError, MalformedFileError, SpikeportError, UnsupportedError } from './errors.js'
export { importNir, type NirOptions } from './importers/nir/index.js'
export { importTfjs } from './importers/tfjs/index.js'
export { importTflite } from './importers/tflite/index.js'
export { evaluate } from './network/evaluate.js'
export { exactOutputs, networkMacs } from './network/graph.js'
export { loadNetwork, saveNetwork } from './network/net-file.js'
export type { Node, OperatorKind } from './network/operators/index.js'
export { printNetwork } from './network/print.js'
export type { ElementArray, Network, Shape, Stage, Tensor, Value, ValueType } from './network/types.js'
export { verify } from './network/verify.js'
export { type NodePlan, type Plan, plan } from './plan/index.js'
export {
  type CalibrationData,
  type CalibrationMethod,
  dequantize,
  type LayerReport,
  type QuantizeOptions,
  quantizationReport,
  quantizeInput,
} from './quantize/index.js'
export { simplify } from './simplify/index.js'

/**
 * Simplifies and quantizes a float network.
 *
 *     const integer = quantize(float, { scheme: 'int8', calibration: { count: 256, inputs: [samples] } })
 *
 * @throws INPUT_MISMATCH for calibration data that does not fit, UNSUPPORTED by layer name, ACCUMULATOR_OVERFLOW
 */
export const quantize = (network: Network<'float'>, options: QuantizeOptions): Network<'integer'> => quantizeSimplified(simplify(network), options)

// The ONNX exporter: src/onnx lowers, src/formats/onnx.ts writes. What the file promises is in docs/arithmetic.md.

import type { Exporter } from '#src/contracts/exporter.js'
import { encodeOnnx } from '#src/formats/onnx.js'
import { lowerToOnnx } from '#src/onnx/lower.js'
import { ONNX_OPTION_HELP, parseOnnxOptions } from '#src/onnx/options.js'

/**
 * Integer networks as ONNX (operator set 13, IR 8).
 * @example
 * await writeFile('digits.onnx', onnxExporter.export(network, { form: 'qdq' }))
 */
export const onnxExporter: Exporter<Uint8Array> = {
  name: 'onnx',
  extension: '.onnx',
  description: 'ONNX, for ONNX Runtime and other tools; the qlinear form gives the same bytes as every other engine',
  stages: ['integer'],
  options: ONNX_OPTION_HELP,
  export: (network, options = {}) => encodeOnnx(lowerToOnnx(network, parseOnnxOptions(options)).model),
}

// What can be chosen about an ONNX model, and how it is read from text (`spikeport export --form qdq`).

import { usage } from '../errors.js'

/** qlinear: integer operators, the same bytes as every other engine. qdq: float operators between QuantizeLinear and DequantizeLinear, for other tools. */
export type OnnxForm = 'qlinear' | 'qdq'

export interface OnnxOptions {
  readonly form: OnnxForm
  /** how int8 weights are stored; uint8 (value + 128, zero point 128) stays exact on x86 without VNNI */
  readonly weights: 'int8' | 'uint8'
  /** float32: real numbers, quantized by the model's first node. uint8: stored integers (int8 value + 128). */
  readonly input: 'float32' | 'uint8'
  /** float32: real scores. uint8: stored integers (int8 value + 128; int32 sums stay int32). Probabilities are float32 either way. */
  readonly output: 'float32' | 'uint8'
  /** standard: ONNX's own operators. qgemm: com.microsoft.QGemm, only in ONNX Runtime, form qlinear only. */
  readonly dense: 'standard' | 'qgemm'
}

/** What an exported file is unless asked otherwise: real numbers in and out, so that it stands where the float model stood. */
export const DEFAULT_ONNX_OPTIONS: OnnxOptions = { form: 'qlinear', weights: 'int8', input: 'float32', output: 'float32', dense: 'standard' }

const CHOICES: { readonly [K in keyof OnnxOptions]: readonly OnnxOptions[K][] } = {
  form: ['qlinear', 'qdq'],
  weights: ['int8', 'uint8'],
  input: ['float32', 'uint8'],
  output: ['float32', 'uint8'],
  dense: ['standard', 'qgemm'],
}

/** Help texts, an entry an option. */
export const ONNX_OPTION_HELP: Readonly<Record<keyof OnnxOptions, string>> = {
  form: 'qlinear (default): integer operators, the same bytes as every other engine. qdq: QuantizeLinear and DequantizeLinear around float operators, for other tools; ties may move by one.',
  weights: 'int8 (default), or uint8 (value + 128): exact in ONNX Runtime on x86 without VNNI too.',
  input: 'float32 (default): real numbers, quantized inside the model. uint8: stored integers, int8 value + 128.',
  output: 'float32 (default): real scores. uint8: stored integers, int8 value + 128; int32 sums stay int32.',
  dense: 'standard (default): ONNX operators. qgemm: com.microsoft.QGemm, runs only in ONNX Runtime.',
}

/** Options from text. @throws USAGE for an unknown name or choice */
export const parseOnnxOptions = (text: Readonly<Record<string, string>>): OnnxOptions => {
  for (const [name, value] of Object.entries(text)) {
    if (!Object.hasOwn(CHOICES, name)) throw usage(`the ONNX exporter has no option "${name}".`, `Its options are ${Object.keys(CHOICES).join(', ')}.`)
    const choices: readonly string[] = CHOICES[name as keyof OnnxOptions]
    if (!choices.includes(value)) throw usage(`option ${name} of the ONNX exporter is "${value}".`, `Choose ${choices.join(' or ')}.`)
  }
  return checkOnnxOptions({ ...DEFAULT_ONNX_OPTIONS, ...text })
}

/** Refuses choices that exclude each other. @throws USAGE */
export const checkOnnxOptions = (options: OnnxOptions): OnnxOptions => {
  if (options.form === 'qdq' && options.dense === 'qgemm') {
    throw usage('option dense=qgemm of the ONNX exporter does not go with form=qdq.', 'Leave dense out: ONNX Runtime makes a QGemm of the qdq form by itself.')
  }
  return options
}

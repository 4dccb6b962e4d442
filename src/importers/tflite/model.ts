// A document of a .tflite file -> network: int8 files become integer networks of rounding 'tflite', so that they stay bit-exact with their origin
// (docs/arithmetic.md); float32 files become float networks.

import { malformedFile, unsupported } from '../../errors.js'
import type { TfliteDocument, TfliteTensor } from '../../formats/tflite.js'
import { createBuilder, type NetworkBuilder } from '../../network/builder.js'
import type { Network, Stage } from '../../network/types.js'
import { type Context, plainSource, type Source, valueType, whereOf } from './context.js'
import { CONVERT } from './operators.js'

/** The operators that an import takes. */
export const SUPPORTED_OPERATORS: readonly string[] = Object.keys(CONVERT)

const tensorAt = ({ tensors }: TfliteDocument, index: number): TfliteTensor => tensors[index] as TfliteTensor

/** Integer where any operator computes int8. */
const stageOf = (document: TfliteDocument): Stage =>
  document.operators.some(({ outputs }) => outputs.some((output) => tensorAt(document, output).type === 'int8')) ? 'integer' : 'float'

/** Hands out names that are not taken yet; converters join the names of fused layers by ";", the first one is kept. */
const createNames = (): ((wanted: string) => string) => {
  const taken = new Set<string>()
  return (wanted) => {
    const base = wanted.split(';')[0] as string
    let name = base
    for (let i = 2; taken.has(name) || name === ''; i++) name = `${base === '' ? 'value' : base}_${i}`
    taken.add(name)
    return name
  }
}

/** The tensor whose integers a network input takes: a float32 input's own QUANTIZE. */
const fedTensor = (document: TfliteDocument, input: number): number => {
  const reader = document.operators.find(({ name, inputs }) => name === 'QUANTIZE' && inputs[0] === input)
  return tensorAt(document, input).type === 'float32' && reader?.outputs[0] !== undefined ? reader.outputs[0] : input
}

const addInputs = (document: TfliteDocument, stage: Stage, builder: NetworkBuilder<Stage>, nameOf: (wanted: string) => string): Map<number, Source> =>
  new Map(
    document.inputs.map((input) => {
      const fed = stage === 'integer' ? fedTensor(document, input) : input
      return [input, plainSource(builder.input(nameOf(tensorAt(document, input).name), valueType(tensorAt(document, fed), stage)))]
    }),
  )

/** Refuses a QUANTIZE that gives another scale than the one its input was given by. */
const checkFeeds = (document: TfliteDocument): void => {
  for (const input of document.inputs) {
    const readers = document.operators.filter(({ inputs }) => inputs.includes(input))
    if (tensorAt(document, input).type === 'float32' && readers.length > 1 && readers.some(({ name }) => name === 'QUANTIZE'))
      throw unsupported(`the float32 input "${tensorAt(document, input).name}" is quantized and read ${readers.length} times.`, 'Let one QUANTIZE read it.')
  }
}

/** Every operator that has no row, in one refusal. */
const checkOperators = ({ operators }: TfliteDocument): void => {
  const missing = operators.flatMap(({ name }, index) => (Object.hasOwn(CONVERT, name) ? [] : [`${index} ${name}`]))
  if (missing.length > 0)
    throw unsupported(
      `not imported: operator ${missing.join(', operator ')}.`,
      `Operators that are: ${SUPPORTED_OPERATORS.join(', ')}. Replace the others before converting.`,
    )
}

const convertOperators = (
  document: TfliteDocument,
  stage: Stage,
  path: string,
  { builder, sources, nameOf }: { readonly builder: NetworkBuilder<Stage>; readonly sources: Map<number, Source>; readonly nameOf: (wanted: string) => string },
): void => {
  document.operators.forEach((operator, index) => {
    const output = operator.outputs[0]
    const name = nameOf((output === undefined ? '' : tensorAt(document, output).name) || `${operator.name}_${index}`)
    const context: Context = { path, document, operator, index, stage, builder, sources, name }
    if (output === undefined || operator.outputs.length !== 1)
      throw malformedFile(path, null, `${whereOf(context)} has ${operator.outputs.length} outputs, expected 1`)
    if (sources.has(output)) throw malformedFile(path, null, `${whereOf(context)} computes a tensor a second time`)
    sources.set(output, (CONVERT[operator.name] as (context: Context) => Source)(context))
  })
}

const outputValues = (document: TfliteDocument, sources: ReadonlyMap<number, Source>, path: string): number[] =>
  document.outputs.map((output) => {
    const source = sources.get(output)
    if (source === undefined) throw malformedFile(path, null, `nothing computes the output "${tensorAt(document, output).name}"`)
    if (source.padding !== null)
      throw unsupported(`the output "${tensorAt(document, output).name}" is padded.`, 'PAD may only stand in front of a convolution.')
    return source.value
  })

/**
 * The network of a document; `path` is for messages.
 * @throws UNSUPPORTED naming operator or tensor, FILE_MALFORMED, NETWORK_INVALID, ACCUMULATOR_OVERFLOW
 */
export const importTfliteDocument = (document: TfliteDocument, name: string, path: string): Network => {
  checkOperators(document)
  checkFeeds(document)
  const stage = stageOf(document)
  const builder = createBuilder<Stage>(stage)
  const nameOf = createNames()
  const sources = addInputs(document, stage, builder, nameOf)
  convertOperators(document, stage, path, { builder, sources, nameOf })
  return builder.build({
    name,
    outputs: outputValues(document, sources, path),
    rounding: stage === 'integer' ? 'tflite' : 'single',
    metadata: { source: 'TensorFlow Lite', ...(document.description === '' ? {} : { description: document.description }) },
  })
}

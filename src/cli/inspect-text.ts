// Flash files and ONNX files as text for people: a head, then a line a node.

import type { EventnetDocument, EventnetValue } from '../formats/eventnet/index.js'
import type { OnnxSummary } from '../formats/onnx-summary.js'
import { thousands } from './io.js'

const valueText = ({ kind, shape, scale, zeroPoint }: EventnetValue): string =>
  `${kind}[${shape.join(',')}]${scale > 0 ? ` scale ${Number(scale.toPrecision(6))} zero point ${zeroPoint}` : ''}`

/** A flash file: sizes, then each node with its values and where they lie in the arena. */
export const eventnetText = (document: EventnetDocument, fileBytes: number): string => {
  const { values, names, nodes, inputs, outputs } = document
  const nameOf = (value: number): string => names?.values[value] ?? `value ${value}`
  const full = (value: number): string => {
    const found = values[value] as EventnetValue
    return `${nameOf(value)} ${valueText(found)} at ${found.offset}`
  }
  return [
    `flash file${names === null ? ', names stripped' : ` of "${names.network}"`}, ${thousands(fileBytes)} bytes, arena ${thousands(document.arenaBytes)} bytes`,
    `  constants ${thousands(document.constants.length)} bytes, tunable ${thousands(document.tunable.length)} bytes, ${document.selfTest === null ? 'no self-test' : 'with self-test'}`,
    `  inputs  ${inputs.map(full).join('; ')}`,
    ...nodes.map(
      ({ operator, emission, inputs: read, output }, i) =>
        `  ${full(output)} = ${operator} "${names?.nodes[i] ?? i}" (${read.map(nameOf).join(', ')})${emission.kind === 'none' ? '' : `, ${emission.kind}`}`,
    ),
    `  outputs ${outputs.map(nameOf).join('; ')}`,
    ...(names !== null && names.labels.length > 0 ? [`  labels  ${names.labels.join(', ')}`] : []),
  ].join('\n')
}

/** An ONNX file: versions and sizes, then each node with its inputs and outputs. */
export const onnxText = (summary: OnnxSummary): string =>
  [
    `ONNX graph "${summary.graph}" by ${summary.producer}, IR ${summary.irVersion}, ${Object.entries(summary.opsets)
      .map(([domain, version]) => `${domain} ${version}`)
      .join(', ')}, ${thousands(summary.bytes)} bytes`,
    `  constants ${thousands(summary.constantBytes)} bytes; ${Object.entries(summary.operators)
      .map(([name, count]) => `${name} x${count}`)
      .join(', ')}`,
    `  inputs  ${summary.inputs.join('; ')}`,
    ...summary.nodes.map(({ operator, name, inputs, outputs }) => `  ${outputs.join(', ')} = ${operator} "${name}" (${inputs.join(', ')})`),
    `  outputs ${summary.outputs.join('; ')}`,
    ...Object.entries(summary.metadata).map(([key, text]) => `  ${key}: ${text}`),
  ].join('\n')

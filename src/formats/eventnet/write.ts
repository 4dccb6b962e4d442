// Document -> bytes of an .evn file. The same document always gives the same bytes.

import { crc32 } from '../../crc32.js'
import { EMISSION_CODES, OPERATOR_CODES, VALUE_KIND_CODES } from './codes.js'
import {
  ALIGNMENT,
  align,
  CONCAT_PART_BYTES,
  type ConstantAt,
  EVENTNET_VERSION,
  type EventnetDocument,
  type EventnetNode,
  type EventnetValue,
  type FieldValue,
  type FieldValues,
  generatedInput,
  graphHeadBytes,
  HEADER_BYTES,
  MAGIC,
  MARK,
  MAX_GENERATED_BYTES,
  NODE_HEAD_BYTES,
  NODES_NAMED_AS_OUTPUTS,
  SECTION_TABLE,
  SECTIONS,
  type SectionName,
  VALUE_BYTES,
} from './document.js'
import { bytesOfField, EMISSION_FIELDS, type Field, fieldsBytes, OPERATOR_FIELDS } from './fields.js'

type Offsets = Readonly<Record<SectionName, number>>

const writeField = (view: DataView, at: number, [name, type]: Field, value: FieldValue | undefined, sections: Offsets): void => {
  if (type === 'constant') {
    const constant = value as ConstantAt | null
    view.setUint32(at, constant === null ? 0 : sections[constant.section] + constant.offset, true)
    return
  }
  const x = name === 'reserved' ? 0 : (value as number)
  if (type === 'u16') view.setUint16(at, x, true)
  else if (type === 'i16') view.setInt16(at, x, true)
  else if (type === 'u32') view.setUint32(at, x, true)
  else if (type === 'i32') view.setInt32(at, x, true)
  else view.setFloat32(at, x, true)
}

const writeFields = (view: DataView, start: number, fields: readonly Field[], values: FieldValues, sections: Offsets): number => {
  let at = start
  for (const field of fields) {
    writeField(view, at, field, values[field[0]], sections)
    at += bytesOfField(field[1])
  }
  return at
}

const recordBytes = (node: EventnetNode): number =>
  NODE_HEAD_BYTES +
  fieldsBytes(OPERATOR_FIELDS[node.operator]) +
  (node.operator === 'concat' ? node.inputs.length * CONCAT_PART_BYTES : 0) +
  fieldsBytes(EMISSION_FIELDS[node.emission.kind])

const writeRecord = (view: DataView, start: number, node: EventnetNode, sections: Offsets): void => {
  const head = [
    OPERATOR_CODES[node.operator],
    EMISSION_CODES[node.emission.kind],
    recordBytes(node),
    node.inputs.length,
    node.output,
    node.inputs[0] ?? 0,
    node.inputs[1] ?? 0,
    0,
  ]
  for (const [i, x] of head.entries()) view.setUint16(start + 2 * i, x, true)
  let at = writeFields(view, start + NODE_HEAD_BYTES, OPERATOR_FIELDS[node.operator], node.fields, sections)
  if (node.operator === 'concat') {
    node.inputs.forEach((value, i) => {
      view.setUint16(at, value, true)
      view.setUint32(at + 4, node.chunks[i] as number, true)
      at += CONCAT_PART_BYTES
    })
  }
  writeFields(view, at, EMISSION_FIELDS[node.emission.kind], node.emission.fields, sections)
}

const graphBytes = (document: EventnetDocument): number =>
  document.nodes.reduce((sum, node) => sum + recordBytes(node), graphHeadBytes(document.inputs.length + document.outputs.length, document.nodes.length))

const writeGraph = (document: EventnetDocument, sections: Offsets): Uint8Array => {
  const bytes = new Uint8Array(graphBytes(document))
  const view = new DataView(bytes.buffer)
  const ports = [...document.inputs, ...document.outputs]
  for (const [i, value] of ports.entries()) view.setUint16(2 * i, value, true)
  const table = align(2 * ports.length, 4)
  let at = graphHeadBytes(ports.length, document.nodes.length)
  document.nodes.forEach((node, i) => {
    view.setUint32(table + 4 * i, at, true)
    writeRecord(view, at, node, sections)
    at += recordBytes(node)
  })
  return bytes
}

const writeValues = (values: readonly EventnetValue[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * VALUE_BYTES)
  const view = new DataView(bytes.buffer)
  values.forEach((value, i) => {
    const at = i * VALUE_BYTES
    view.setUint8(at, VALUE_KIND_CODES[value.kind])
    view.setUint8(at + 1, value.shape.length)
    view.setUint16(at + 2, value.levels, true)
    for (const [axis, size] of value.shape.entries()) view.setUint16(at + 4 + 2 * axis, size, true)
    view.setFloat32(at + 12, value.scale, true)
    view.setInt32(at + 16, value.zeroPoint, true)
    view.setUint32(at + 20, value.byteCount, true)
    view.setUint16(at + 24, value.first, true)
    view.setUint16(at + 26, value.last, true)
    view.setUint32(at + 28, value.isState ? 1 : 0, true)
  })
  return bytes
}

const writePlan = (values: readonly EventnetValue[]): Uint8Array => {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value.offset, true)
  return bytes
}

const concatBytes = (parts: readonly Uint8Array[], alignment: number): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((sum, part) => align(sum, alignment) + part.length, 0))
  let at = 0
  for (const part of parts) {
    at = align(at, alignment)
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const sharedBytes = (a: Uint8Array, b: Uint8Array): number => {
  const most = Math.min(a.length, b.length, 255)
  let shared = 0
  while (shared < most && a[shared] === b[shared]) shared++
  return shared
}

/** Strings one after the other, each by what it shares with the start of the one before, and the rest. */
const writeStrings = (texts: readonly string[]): Uint8Array[] => {
  const utf8 = texts.map((text) => new TextEncoder().encode(text))
  return utf8.map((text, i) => {
    const shared = sharedBytes(utf8[i - 1] ?? new Uint8Array(0), text)
    const bytes = new Uint8Array(3 + text.length - shared)
    bytes[0] = shared
    new DataView(bytes.buffer).setUint16(1, text.length - shared, true)
    bytes.set(text.subarray(shared), 3)
    return bytes
  })
}

const writeNames = ({ names, nodes }: EventnetDocument): Uint8Array => {
  if (names === null) return new Uint8Array(0)
  const isNamedAsOutput = nodes.every(({ output }, i) => names.nodes[i] === names.values[output])
  const head = new Uint8Array(4)
  const view = new DataView(head.buffer)
  view.setUint16(0, names.labels.length, true)
  view.setUint16(2, isNamedAsOutput ? NODES_NAMED_AS_OUTPUTS : 0, true)
  return concatBytes([head, ...writeStrings([names.network, ...names.values, ...(isNamedAsOutput ? [] : names.nodes), ...names.labels])], 1)
}

/** True where the inputs are those that every reader can make: they are not stored then. */
const hasGeneratedInputs = ({ values, inputs, selfTest }: EventnetDocument): boolean =>
  inputs.reduce((sum, value) => sum + align(values[value]?.byteCount ?? 0, 4), 0) <= MAX_GENERATED_BYTES &&
  inputs.every((value, i) => {
    const stored = selfTest?.inputs[i] ?? new Uint8Array(0)
    return values[value]?.kind === 'int8' && generatedInput(stored.length).every((byte, k) => byte === stored[k])
  })

const writeSelfTest = (document: EventnetDocument): Uint8Array => {
  const { selfTest } = document
  if (selfTest === null) return new Uint8Array(0)
  const parts = concatBytes([...(hasGeneratedInputs(document) ? [] : selfTest.inputs), ...selfTest.outputs], 4)
  return concatBytes([parts, new Uint8Array(align(parts.length, 4) - parts.length)], 1)
}

const writeHeader = (view: DataView, document: EventnetDocument, sizes: readonly number[], offsets: readonly number[]): void => {
  for (const [i, byte] of MAGIC.entries()) view.setUint8(i, byte)
  view.setUint16(4, EVENTNET_VERSION, true)
  view.setUint16(6, MARK, true)
  view.setUint32(8, view.byteLength, true)
  view.setUint16(16, document.rounding, true)
  view.setUint16(18, SECTIONS.length, true)
  view.setUint32(20, document.nodes.length, true)
  view.setUint32(24, document.values.length, true)
  view.setUint32(28, document.arenaBytes, true)
  view.setUint16(32, document.inputs.length, true)
  view.setUint16(34, document.outputs.length, true)
  view.setUint32(36, document.steps, true)
  SECTIONS.forEach((_, i) => {
    const row = [i + 1, offsets[i] as number, sizes[i] as number, 0]
    for (const [column, x] of row.entries()) view.setUint32(SECTION_TABLE + 16 * i + 4 * column, x, true)
  })
}

/** The bytes of a document. The same document always gives the same bytes. */
export const encodeEventnet = (document: EventnetDocument): Uint8Array => {
  const bodies = [writeValues(document.values), writePlan(document.values), document.constants, document.tunable, writeNames(document), writeSelfTest(document)]
  const sizes = [graphBytes(document), ...bodies.map((body) => body.length)]
  const offsets: number[] = []
  let end = HEADER_BYTES
  for (const size of sizes) {
    offsets.push(end)
    end = align(end + size, ALIGNMENT)
  }
  const sections = Object.fromEntries(SECTIONS.map((name, i) => [name, offsets[i]])) as unknown as Offsets
  const bytes = new Uint8Array(end)
  const view = new DataView(bytes.buffer)
  writeHeader(view, document, sizes, offsets)
  for (const [i, body] of [writeGraph(document, sections), ...bodies].entries()) bytes.set(body, offsets[i] as number)
  view.setUint32(12, crc32(bytes.subarray(16)), true)
  return bytes
}

/** Writes the checksum of changed bytes anew (tests, and tools that patch constants). */
export const sealEventnet = (bytes: Uint8Array): void =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(12, crc32(bytes.subarray(16)), true)

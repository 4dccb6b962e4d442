// Bytes of an .evn file -> document. Checks every bound, name and checksum and throws FILE_MALFORMED; what a network may do (shapes, lifetimes,
// sums) is checked by the core's loader.

import { crc32 } from '../../crc32.js'
import { malformedFile } from '../../errors.js'
import { EMISSION_CODES, OPERATOR_CODES, VALUE_KIND_CODES } from './codes.js'
import {
  ALIGNMENT,
  align,
  CONCAT_PART_BYTES,
  type ConstantAt,
  EVENTNET_VERSION,
  type EventnetDocument,
  type EventnetNames,
  type EventnetNode,
  type EventnetValue,
  type EventnetValueKind,
  type FieldValue,
  type FieldValues,
  generatedInput,
  graphHeadBytes,
  HEADER_BYTES,
  MAGIC,
  MARK,
  MAX_ARENA_BYTES,
  MAX_GENERATED_BYTES,
  MAX_NODES,
  MAX_PORTS,
  MAX_VALUES,
  NODE_HEAD_BYTES,
  NODES_NAMED_AS_OUTPUTS,
  SECTION_TABLE,
  SECTIONS,
  type SectionName,
  VALUE_BYTES,
} from './document.js'
import { bytesOfField, EMISSION_FIELDS, type EventnetEmission, type EventnetOperator, type Field, fieldsBytes, OPERATOR_FIELDS } from './fields.js'

interface Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly path: string
}

interface Section {
  readonly offset: number
  readonly bytes: number
}

type Sections = Readonly<Record<SectionName, Section>>

/** Refuses to read `count` bytes at `at` beyond `end`. */
const need = ({ path }: Reader, at: number, count: number, end: number, what: string): void => {
  if (at + count > end) throw malformedFile(path, at, `${what} lies outside its section`)
}

const readHeader = (r: Reader): void => {
  const { bytes, view, path } = r
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte))
    throw malformedFile(path, 0, 'not an .evn file (the magic is missing, or it is shorter than a header)')
  const version = view.getUint16(4, true)
  if (view.getUint16(6, true) !== MARK) throw malformedFile(path, 6, 'the endianness mark is wrong')
  if (version !== EVENTNET_VERSION) {
    throw malformedFile(
      path,
      4,
      `.evn version ${version}, this spikeport reads version ${EVENTNET_VERSION}`,
      'Install the spikeport that wrote the file, or export it again.',
    )
  }
  const total = view.getUint32(8, true)
  if (total !== bytes.length) throw malformedFile(path, 8, `the file has ${bytes.length} bytes, its header says ${total}`)
  if (view.getUint32(12, true) !== crc32(bytes.subarray(16))) throw malformedFile(path, 12, 'the checksum does not match')
  checkCount(r, 20, view.getUint32(20, true), 0, MAX_NODES, 'nodes')
  checkCount(r, 24, view.getUint32(24, true), 1, MAX_VALUES, 'values')
  checkCount(r, 28, view.getUint32(28, true), 0, MAX_ARENA_BYTES, 'bytes of arena')
  checkCount(r, 32, view.getUint16(32, true), 1, MAX_PORTS, 'inputs')
  checkCount(r, 34, view.getUint16(34, true), 1, MAX_PORTS, 'outputs')
}

const checkCount = ({ path }: Reader, at: number, count: number, least: number, most: number, what: string): void => {
  if (count < least || count > most) throw malformedFile(path, at, `${count} ${what}, possible are ${least} to ${most}`)
}

const readSections = ({ bytes, view, path }: Reader): Sections => {
  if (view.getUint16(18, true) !== SECTIONS.length) throw malformedFile(path, 18, `${view.getUint16(18, true)} sections, expected ${SECTIONS.length}`)
  const sections: Partial<Record<SectionName, Section>> = {}
  let expected = HEADER_BYTES
  SECTIONS.forEach((name, i) => {
    const at = SECTION_TABLE + 16 * i
    const section = { offset: view.getUint32(at + 4, true), bytes: view.getUint32(at + 8, true) }
    if (view.getUint32(at, true) !== i + 1 || section.offset !== expected) throw malformedFile(path, at, `the ${name} section is not where it belongs`)
    expected = align(section.offset + section.bytes, ALIGNMENT)
    if (expected > bytes.length) throw malformedFile(path, at, `the ${name} section lies outside the file`)
    sections[name] = section
  })
  if (expected !== bytes.length) throw malformedFile(path, SECTION_TABLE, 'the sections do not fill the file')
  return sections as Sections
}

const nameOf = <N extends string>(codes: Readonly<Record<N, number>>, code: number): N | undefined =>
  (Object.keys(codes) as N[]).find((name) => codes[name] === code)

const readValue = ({ view, path }: Reader, at: number, offset: number): EventnetValue => {
  const kind = nameOf<EventnetValueKind>(VALUE_KIND_CODES, view.getUint8(at))
  if (kind === undefined) throw malformedFile(path, at, `unknown value kind ${view.getUint8(at)}`)
  const rank = view.getUint8(at + 1)
  if (rank > 4) throw malformedFile(path, at + 1, `a value of rank ${rank}, at most 4 is possible`)
  return {
    kind,
    shape: Array.from({ length: rank }, (_, axis) => view.getUint16(at + 4 + 2 * axis, true)),
    scale: view.getFloat32(at + 12, true),
    zeroPoint: view.getInt32(at + 16, true),
    levels: view.getUint16(at + 2, true),
    byteCount: view.getUint32(at + 20, true),
    first: view.getUint16(at + 24, true),
    last: view.getUint16(at + 26, true),
    isState: view.getUint32(at + 28, true) === 1,
    offset,
  }
}

const readValues = (r: Reader, sections: Sections): EventnetValue[] => {
  const count = r.view.getUint32(24, true)
  const { values, plan } = sections
  if (values.bytes !== count * VALUE_BYTES || plan.bytes !== count * 4)
    throw malformedFile(r.path, 24, `the sections of values and plan do not hold ${count} values`)
  return Array.from({ length: count }, (_, i) => readValue(r, values.offset + i * VALUE_BYTES, r.view.getUint32(plan.offset + 4 * i, true)))
}

const readConstant = ({ view, path }: Reader, at: number, sections: Sections): ConstantAt | null => {
  const offset = view.getUint32(at, true)
  if (offset === 0) return null
  for (const section of ['constants', 'tunable'] as const) {
    const { offset: start, bytes } = sections[section]
    if (offset >= start && offset < start + bytes) return { section, offset: offset - start }
  }
  throw malformedFile(path, at, `a constant at byte ${offset} lies in no constants section`)
}

const readField = (r: Reader, at: number, [, type]: Field, sections: Sections): FieldValue => {
  if (type === 'constant') return readConstant(r, at, sections)
  if (type === 'u16') return r.view.getUint16(at, true)
  if (type === 'i16') return r.view.getInt16(at, true)
  if (type === 'u32') return r.view.getUint32(at, true)
  if (type === 'i32') return r.view.getInt32(at, true)
  return r.view.getFloat32(at, true)
}

const readFields = (r: Reader, start: number, fields: readonly Field[], sections: Sections, end: number): FieldValues => {
  need(r, start, fieldsBytes(fields), end, 'a node record')
  let at = start
  const values: Record<string, FieldValue> = {}
  for (const field of fields) {
    if (field[0] !== 'reserved') values[field[0]] = readField(r, at, field, sections)
    at += bytesOfField(field[1])
  }
  return values
}

const readIndex = ({ view, path }: Reader, at: number): number => {
  const value = view.getUint16(at, true)
  if (value >= view.getUint32(24, true)) throw malformedFile(path, at, `value ${value} does not exist`)
  return value
}

const readParts = (r: Reader, start: number, count: number, end: number): { inputs: number[]; chunks: number[] } => {
  need(r, start, count * CONCAT_PART_BYTES, end, 'a node record')
  const at = (i: number): number => start + i * CONCAT_PART_BYTES
  return {
    inputs: Array.from({ length: count }, (_, i) => readIndex(r, at(i))),
    chunks: Array.from({ length: count }, (_, i) => r.view.getUint32(at(i) + 4, true)),
  }
}

const readRecord = (r: Reader, start: number, sections: Sections, sectionEnd: number): { node: EventnetNode; end: number } => {
  const { view, path } = r
  need(r, start, NODE_HEAD_BYTES, sectionEnd, 'a node record')
  const operator = nameOf<EventnetOperator>(OPERATOR_CODES, view.getUint16(start, true))
  if (operator === undefined) throw malformedFile(path, start, `unknown operator ${view.getUint16(start, true)}`)
  const emission = nameOf<EventnetEmission>(EMISSION_CODES, view.getUint16(start + 2, true))
  if (emission === undefined) throw malformedFile(path, start + 2, `unknown emission ${view.getUint16(start + 2, true)}`)
  const end = start + view.getUint16(start + 4, true)
  need(r, start, end - start, sectionEnd, 'a node record')
  const count = view.getUint16(start + 6, true)
  checkCount(r, start + 6, count, 1, operator === 'concat' ? MAX_PORTS : 2, 'inputs of a node')
  const fields = readFields(r, start + NODE_HEAD_BYTES, OPERATOR_FIELDS[operator], sections, end)
  const behind = start + NODE_HEAD_BYTES + fieldsBytes(OPERATOR_FIELDS[operator])
  const parts =
    operator === 'concat' ? readParts(r, behind, count, end) : { inputs: Array.from({ length: count }, (_, i) => readIndex(r, start + 10 + 2 * i)), chunks: [] }
  const emissionAt = behind + parts.chunks.length * CONCAT_PART_BYTES
  const emissionFields = readFields(r, emissionAt, EMISSION_FIELDS[emission], sections, end)
  if (emissionAt + fieldsBytes(EMISSION_FIELDS[emission]) !== end)
    throw malformedFile(path, start + 4, `a ${operator} record of ${end - start} bytes has the wrong size`)
  return { node: { operator, ...parts, output: readIndex(r, start + 8), fields, emission: { kind: emission, fields: emissionFields } }, end }
}

const readGraph = (r: Reader, sections: Sections): Pick<EventnetDocument, 'inputs' | 'outputs' | 'nodes'> => {
  const { view, path } = r
  const start = sections.graph.offset
  const end = start + sections.graph.bytes
  const [inputCount, outputCount, nodeCount] = [view.getUint16(32, true), view.getUint16(34, true), view.getUint32(20, true)]
  need(r, start, graphHeadBytes(inputCount + outputCount, nodeCount), end, 'the list of nodes')
  const ports = Array.from({ length: inputCount + outputCount }, (_, i) => readIndex(r, start + 2 * i))
  const table = start + align(2 * ports.length, 4)
  const nodes: EventnetNode[] = []
  let at = start + graphHeadBytes(ports.length, nodeCount)
  for (let i = 0; i < nodeCount; i++) {
    if (start + view.getUint32(table + 4 * i, true) !== at) throw malformedFile(path, table + 4 * i, `the record of node ${i} is not behind the one before it`)
    const record = readRecord(r, at, sections, end)
    nodes.push(record.node)
    at = record.end
  }
  if (at !== end) throw malformedFile(path, at, 'bytes follow the last node record')
  return { inputs: ports.slice(0, inputCount), outputs: ports.slice(inputCount), nodes }
}

/** Strings that each state what they share with the start of the one before, and the rest. */
const readStrings = (r: Reader, start: number, end: number, count: number): string[] => {
  const strings: string[] = []
  let before = new Uint8Array(0)
  let at = start
  for (let i = 0; i < count; i++) {
    need(r, at, 3, end, 'a name')
    const [shared, length] = [r.view.getUint8(at), r.view.getUint16(at + 1, true)]
    need(r, at + 3, length, end, 'a name')
    if (shared > before.length) throw malformedFile(r.path, at, `a name shares ${shared} bytes with one of ${before.length}`)
    const text = new Uint8Array(shared + length)
    text.set(before.subarray(0, shared))
    text.set(r.bytes.subarray(at + 3, at + 3 + length), shared)
    try {
      strings.push(new TextDecoder('utf-8', { fatal: true }).decode(text))
    } catch {
      throw malformedFile(r.path, at, 'a name is not UTF-8')
    }
    before = text
    at += 3 + length
  }
  if (at !== end) throw malformedFile(r.path, at, 'bytes follow the last name')
  return strings
}

const readNames = (r: Reader, { names }: Sections, nodes: readonly EventnetNode[]): EventnetNames | null => {
  if (names.bytes === 0) return null
  const end = names.offset + names.bytes
  need(r, names.offset, 4, end, 'the number of labels')
  const labels = r.view.getUint16(names.offset, true)
  const flags = r.view.getUint16(names.offset + 2, true)
  if (flags > NODES_NAMED_AS_OUTPUTS) throw malformedFile(r.path, names.offset + 2, `the names have the flags ${flags}, which are not known`)
  const values = r.view.getUint32(24, true)
  const named = flags === 0 ? nodes.length : 0
  const strings = readStrings(r, names.offset + 4, end, 1 + values + named + labels)
  const ofValues = strings.slice(1, 1 + values)
  return {
    network: strings[0] as string,
    values: ofValues,
    nodes: flags === 0 ? strings.slice(1 + values, 1 + values + named) : nodes.map(({ output }) => ofValues[output] as string),
    labels: strings.slice(1 + values + named),
  }
}

const readSelfTest = (
  r: Reader,
  { selfTest }: Sections,
  values: readonly EventnetValue[],
  graph: Pick<EventnetDocument, 'inputs' | 'outputs'>,
): EventnetDocument['selfTest'] => {
  if (selfTest.bytes === 0) return null
  let at = selfTest.offset
  const end = at + selfTest.bytes
  const valueAt = (value: number): EventnetValue => values[value] as EventnetValue
  const take = (value: number): Uint8Array => {
    const { byteCount } = valueAt(value)
    need(r, at, align(byteCount, 4), end, 'the self-test')
    const part = new Uint8Array(r.bytes.subarray(at, at + byteCount)) // a Buffer's slice() would not copy
    at += align(byteCount, 4)
    return part
  }
  const bytesOf = (list: readonly number[]): number => list.reduce((sum, value) => sum + align(valueAt(value).byteCount, 4), 0)
  const isInt8 = graph.inputs.every((value) => valueAt(value).kind === 'int8')
  const isGenerated = isInt8 && bytesOf(graph.inputs) <= MAX_GENERATED_BYTES && selfTest.bytes === bytesOf(graph.outputs)
  const generate = (value: number): Uint8Array => generatedInput(valueAt(value).byteCount)
  const test = { inputs: graph.inputs.map(isGenerated ? generate : take), outputs: graph.outputs.map(take) }
  if (at !== end) throw malformedFile(r.path, at, 'bytes follow the self-test')
  return test
}

/**
 * Reads the bytes of an .evn file; `path` is for messages.
 * @throws FILE_MALFORMED for damaged bytes or another version
 */
export const readEventnet = (bytes: Uint8Array, path: string): EventnetDocument => {
  const r: Reader = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), path }
  readHeader(r)
  const sections = readSections(r)
  const values = readValues(r, sections)
  const graph = readGraph(r, sections)
  const piece = ({ offset, bytes: length }: Section): Uint8Array => new Uint8Array(bytes.subarray(offset, offset + length))
  return {
    rounding: r.view.getUint16(16, true),
    steps: r.view.getUint32(36, true),
    arenaBytes: r.view.getUint32(28, true),
    values,
    ...graph,
    constants: piece(sections.constants),
    tunable: piece(sections.tunable),
    names: readNames(r, sections, graph.nodes),
    selfTest: readSelfTest(r, sections, values, graph),
  }
}

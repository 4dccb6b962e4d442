// A walk over the protobuf wire structure of an ONNX model before it is decoded: every length must end inside its parent, messages nest
// at most 64 deep, and what would cost much more memory than its bytes is counted. Gives byte offsets for messages.

import { malformedFile } from '../errors.js'

/** Which fields of a message are messages themselves, by field number (onnx.proto3); every other field is skipped by its length. */
type Fields = Readonly<Record<number, MessageKind>>
type MessageKind =
  | 'model'
  | 'graph'
  | 'node'
  | 'attribute'
  | 'tensor'
  | 'value'
  | 'type'
  | 'tensorType'
  | 'sequenceType'
  | 'mapType'
  | 'shape'
  | 'sparse'
  | 'annotation'
  | 'training'
  | 'function'
  | 'leaf'

const MESSAGES: Readonly<Record<MessageKind, Fields>> = {
  model: { 7: 'graph', 8: 'leaf', 14: 'leaf', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 11: 'value', 12: 'value', 13: 'value', 14: 'annotation', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 14: 'type', 15: 'type', 22: 'sparse', 23: 'sparse' },
  tensor: { 3: 'leaf', 13: 'leaf' },
  value: { 2: 'type' },
  type: { 1: 'tensorType', 4: 'sequenceType', 5: 'mapType', 8: 'tensorType', 9: 'sequenceType' },
  tensorType: { 2: 'shape' },
  sequenceType: { 1: 'type' },
  mapType: { 2: 'type' },
  annotation: { 2: 'leaf' },
  shape: { 1: 'leaf' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  training: { 1: 'graph', 2: 'graph', 3: 'leaf', 4: 'leaf' },
  function: { 7: 'node', 9: 'leaf' },
  leaf: {},
}

const MAX_DEPTH = 64
/** Fields and list elements that become an object or a boxed number each. A large real model has some 100,000. */
const MAX_ITEMS = 20_000_000

interface Walk {
  readonly bytes: Uint8Array
  readonly path: string
  position: number
  items: number
}

const fail = (walk: Walk, at: number, what: string): never => {
  throw malformedFile(walk.path, at, what)
}

/** A varint's value; exact below 2^53, which is all that lengths and tags need. */
const readVarint = (walk: Walk, end: number): number => {
  const start = walk.position
  let value = 0
  let factor = 1
  for (let i = 0; i < 10; i++) {
    if (walk.position >= end) return fail(walk, start, 'a number is cut short')
    const byte = walk.bytes[walk.position++] as number
    value += (byte & 127) * factor
    if (byte < 128) return value
    factor *= 128
  }
  return fail(walk, start, 'a number has more than 10 bytes')
}

const skip = (walk: Walk, count: number, end: number, at: number): void => {
  if (count > end - walk.position) fail(walk, at, `a field of ${count} bytes does not fit the ${end - walk.position} that follow`)
  walk.position += count
}

/** Bytes that a list takes apart into boxed numbers are counted: tensor data fields (4, 5, 7, 10, 11) and dims (1), attribute ints and floats (7, 8). */
const isListed = (kind: MessageKind, field: number): boolean =>
  kind === 'tensor' ? [1, 4, 5, 7, 10, 11].includes(field) : kind === 'attribute' && (field === 7 || field === 8)

const walkDelimited = (walk: Walk, kind: MessageKind, field: number, end: number, depth: number, at: number): void => {
  const length = readVarint(walk, end)
  const start = walk.position
  const child = MESSAGES[kind][field]
  if (isListed(kind, field)) walk.items += length
  skip(walk, length, end, at)
  if (child === undefined) return
  walk.position = start
  walkMessage(walk, child, start + length, depth + 1)
}

const walkField = (walk: Walk, kind: MessageKind, end: number, depth: number): void => {
  const at = walk.position
  const tag = readVarint(walk, end)
  const [field, wire] = [Math.floor(tag / 8), tag % 8]
  if (field === 0 || field > 2 ** 29) fail(walk, at, `field number ${field} does not exist`)
  if (++walk.items > MAX_ITEMS) fail(walk, at, `the model has more than ${MAX_ITEMS} fields`)
  if (wire === 2) walkDelimited(walk, kind, field, end, depth, at)
  else if (MESSAGES[kind][field] !== undefined) fail(walk, at, `field ${field} of a ${kind} is not a message`)
  else if (wire === 0) readVarint(walk, end)
  else if (wire === 1) skip(walk, 8, end, at)
  else if (wire === 5) skip(walk, 4, end, at)
  else fail(walk, at, `wire type ${wire} does not exist`)
}

const walkMessage = (walk: Walk, kind: MessageKind, end: number, depth: number): void => {
  if (depth > MAX_DEPTH) fail(walk, walk.position, `messages nest more than ${MAX_DEPTH} deep`)
  while (walk.position < end) walkField(walk, kind, end, depth)
}

/** Refuses bytes whose protobuf structure is broken, nests too deep or holds too many items. @throws FILE_MALFORMED with the byte offset */
export const checkOnnxWire = (bytes: Uint8Array, path: string): void => {
  if (bytes.length === 0) throw malformedFile(path, 0, 'the file is empty')
  walkMessage({ bytes, path, position: 0, items: 0 }, 'model', bytes.length, 0)
}

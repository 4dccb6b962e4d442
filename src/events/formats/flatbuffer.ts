// The little of FlatBuffers that AEDAT 4 needs: checked reading of tables, scalars, strings and vectors, and a builder for one
// table. Every offset is checked, because files are not trusted.

import { ascii, hasMarker, i32le, i64le, textOf, u16le, u32le } from './words.js'

/** A table inside bytes[0, length). */
export interface Table {
  readonly bytes: Uint8Array
  readonly at: number
  readonly vtable: number
  readonly vtableBytes: number
}

const tableAt = (bytes: Uint8Array, at: number): Table | null => {
  if (at < 0 || at + 4 > bytes.length) return null
  const vtable = at - i32le(bytes, at)
  if (vtable < 0 || vtable + 4 > bytes.length) return null
  const vtableBytes = u16le(bytes, vtable)
  return vtableBytes < 4 || vtable + vtableBytes > bytes.length ? null : { bytes, at, vtable, vtableBytes }
}

/** The root table of a buffer (without size prefix) with this four-character identifier. */
export const rootTable = (bytes: Uint8Array, identifier: string): Table | null =>
  bytes.length >= 8 && hasMarker(bytes, 4, ascii(identifier)) ? tableAt(bytes, u32le(bytes, 0)) : null

/** Position of a field's inline data of `size` bytes, or -1 where it is absent or outside. */
const fieldAt = (table: Table, index: number, size: number): number => {
  const entry = 4 + 2 * index
  if (entry + 2 > table.vtableBytes) return -1
  const offset = u16le(table.bytes, table.vtable + entry)
  const at = table.at + offset
  return offset === 0 || at + size > table.bytes.length ? -1 : at
}

export const readI8 = (table: Table, index: number, fallback = 0): number => {
  const at = fieldAt(table, index, 1)
  return at < 0 ? fallback : ((table.bytes[at] as number) << 24) >> 24
}

export const readI16 = (table: Table, index: number, fallback = 0): number => {
  const at = fieldAt(table, index, 2)
  return at < 0 ? fallback : (u16le(table.bytes, at) << 16) >> 16
}

export const readI32 = (table: Table, index: number, fallback = 0): number => {
  const at = fieldAt(table, index, 4)
  return at < 0 ? fallback : i32le(table.bytes, at)
}

export const readI64 = (table: Table, index: number, fallback = 0): number => {
  const at = fieldAt(table, index, 8)
  return at < 0 ? fallback : i64le(table.bytes, at)
}

/** A vector of `count` elements of `elementBytes` at `at`; null where absent or outside. */
export const readVector = (table: Table, index: number, elementBytes: number): { readonly at: number; readonly count: number } | null => {
  const field = fieldAt(table, index, 4)
  if (field < 0) return null
  const head = field + u32le(table.bytes, field)
  if (head + 4 > table.bytes.length) return null
  const count = u32le(table.bytes, head)
  return head + 4 + count * elementBytes > table.bytes.length ? null : { at: head + 4, count }
}

export const readString = (table: Table, index: number): string | null => {
  const vector = readVector(table, index, 1)
  return vector === null ? null : textOf(table.bytes, vector.at, vector.at + vector.count)
}

/** The tables of a vector of tables; null where the vector or one of them is outside. */
export const readTables = (table: Table, index: number): readonly Table[] | null => {
  const vector = readVector(table, index, 4)
  if (vector === null) return null
  const tables: Table[] = []
  for (let i = 0; i < vector.count; i++) {
    const at = vector.at + 4 * i
    const element = tableAt(table.bytes, at + u32le(table.bytes, at))
    if (element === null) return null
    tables.push(element)
  }
  return tables
}

/** A buffer whose root table holds one vector: [root offset][identifier][vtable][table][length][elements], elements 8-aligned. */
export const buildVectorBuffer = (identifier: string, elements: Uint8Array, count: number): Uint8Array => {
  const bytes = new Uint8Array(32 + elements.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 20, true)
  bytes.set(ascii(identifier), 4)
  view.setUint16(12, 6, true)
  view.setUint16(14, 8, true)
  view.setUint16(16, 4, true)
  view.setInt32(20, 8, true)
  view.setUint32(24, 4, true)
  view.setUint32(28, count, true)
  bytes.set(elements, 32)
  return bytes
}

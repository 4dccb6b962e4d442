// The .evn flash file as a plain document, and the sizes of its tables (docs/eventnet.md).

import type { VALUE_KIND_CODES } from './codes.js'
import type { EventnetEmission, EventnetOperator } from './fields.js'

export type EventnetValueKind = keyof typeof VALUE_KIND_CODES

export const EVENTNET_VERSION = 1
/** Limits of the format: what a reader may be asked to hold. */
export const MAX_NODES = 4096
export const MAX_VALUES = 8192
export const MAX_PORTS = 64
export const MAX_ARENA_BYTES = 2 ** 30
/** A node field that names no value. */
export const NO_VALUE = 0xffff
/** EventnetValue.last of a network output. */
export const FOREVER = 0xffff
export const MAGIC = [0x89, 0x45, 0x56, 0x4e] as const
export const MARK = 0xfeff
export const ALIGNMENT = 16
export const HEADER_BYTES = 160
export const SECTION_TABLE = 48
export const VALUE_BYTES = 32
export const NODE_HEAD_BYTES = 16
export const CONCAT_PART_BYTES = 8
export const SECTIONS = ['graph', 'values', 'plan', 'constants', 'tunable', 'names', 'selfTest'] as const
export type SectionName = (typeof SECTIONS)[number]

/** Where a constant's elements lie. */
export interface ConstantAt {
  readonly section: 'constants' | 'tunable'
  /** bytes from the start of the section */
  readonly offset: number
}

export type FieldValue = number | ConstantAt | null
export type FieldValues = Readonly<Record<string, FieldValue>>

export interface EventnetValue {
  readonly kind: EventnetValueKind
  readonly shape: readonly number[]
  /** 0 for kinds without a scale */
  readonly scale: number
  readonly zeroPoint: number
  /** highest stair of kind level, otherwise 0 */
  readonly levels: number
  readonly byteCount: number
  /** 0: a network input or a state; n + 1: written by node n */
  readonly first: number
  /** n + 1: node n is the last to read it; FOREVER: a network output, a state, or an input of a network that runs over time */
  readonly last: number
  /** kept from step to step */
  readonly isState: boolean
  /** bytes from the start of the arena */
  readonly offset: number
}

export interface EventnetNode {
  readonly operator: EventnetOperator
  /** value indices */
  readonly inputs: readonly number[]
  readonly output: number
  /** by the names of OPERATOR_FIELDS */
  readonly fields: FieldValues
  /** concat only: bytes of each input's chunk */
  readonly chunks: readonly number[]
  readonly emission: { readonly kind: EventnetEmission; readonly fields: FieldValues }
}

export interface EventnetNames {
  readonly network: string
  readonly values: readonly string[]
  readonly nodes: readonly string[]
  readonly labels: readonly string[]
}

export interface EventnetDocument {
  readonly rounding: number
  /** time steps of a run */
  readonly steps: number
  readonly arenaBytes: number
  readonly values: readonly EventnetValue[]
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
  readonly nodes: readonly EventnetNode[]
  readonly constants: Uint8Array
  readonly tunable: Uint8Array
  /** null: stripped */
  readonly names: EventnetNames | null
  /** elements of every input, then of every output; null: none */
  readonly selfTest: { readonly inputs: readonly Uint8Array[]; readonly outputs: readonly Uint8Array[] } | null
}

/** The next multiple of `alignment`. */
export const align = (bytes: number, alignment: number): number => Math.ceil(bytes / alignment) * alignment

/** Bytes of the port lists and the record table at the start of the graph section. */
export const graphHeadBytes = (ports: number, nodes: number): number => align(2 * ports, 4) + 4 * nodes

/** The most bytes of inputs that a self-test leaves out. */
export const MAX_GENERATED_BYTES = 2 ** 20

/** The self-test input that a file does not store: int8 element i is (37 i + 11) mod 256 - 128. */
export const generatedInput = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => ((37 * i + 11) % 256) ^ 0x80)

/** Bits of the field behind the number of labels: each node bears the name of the value it computes. */
export const NODES_NAMED_AS_OUTPUTS = 1

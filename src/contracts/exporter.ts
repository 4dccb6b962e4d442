// What every exporter implements: a network to a file, or to a folder of files. exporters/ holds the implementations.

import type { Network, Stage } from '../network/types.js'

/** A folder: relative path with "/" -> content. */
export type Folder = Readonly<Record<string, Uint8Array | string>>

export interface Exporter<Result extends Uint8Array | Folder = Uint8Array | Folder> {
  readonly name: string
  /** with the dot; "/" where it gives a folder */
  readonly extension: string
  readonly description: string
  /** the stages it takes */
  readonly stages: readonly Stage[]
  /** option name -> what it means, for help texts */
  readonly options: Readonly<Record<string, string>>
  /** @throws UNSUPPORTED by node name before anything is written */
  readonly export: (network: Network<'integer'>, options?: Readonly<Record<string, string>>) => Result
}

/** An exporter of float networks, to one file; its library loads on first use. */
export interface FloatExporter extends Omit<Exporter<Uint8Array>, 'export'> {
  /** @throws UNSUPPORTED by node name before anything is written */
  readonly export: (network: Network<'float'>, options?: Readonly<Record<string, string>>) => Promise<Uint8Array>
}

/** A row of an exporter's table: how to lower an operator, or why it cannot be. */
export type Row<F> = { readonly lower: F } | { readonly unsupported: string }

// What every exporter implements: an integer network to bytes. exporters/ holds the implementations.

import type { Network, Stage } from '../network/types.js'

export interface Exporter {
  readonly name: string
  /** with the dot */
  readonly extension: string
  readonly description: string
  /** the stages it takes */
  readonly stages: readonly Stage[]
  /** option name -> what it means, for help texts */
  readonly options: Readonly<Record<string, string>>
  /** @throws UNSUPPORTED by node name before anything is written */
  readonly export: (network: Network<'integer'>, options?: Readonly<Record<string, string>>) => Uint8Array
}

/** A row of an exporter's table: how to lower an operator, or why it cannot be. */
export type Row<F> = { readonly lower: F } | { readonly unsupported: string }

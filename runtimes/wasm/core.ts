// core.wasm, the C core of firmware-stubs built by scripts/build-core.sh: what it exports; one instance a network.

import { wasmModule } from '#src/wasm-module.js'

/** The module's exports; addresses are byte offsets into memory. */
export interface CoreExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly __heap_base: { readonly value: number }
  /** Status of verifying a flash file. */
  readonly load: (bytes: number, length: number) => number
  readonly prepareBytes: () => number
  readonly prepare: (memory: number) => void
  readonly batchRows: () => number
  /** Sets the states of an arena to 0. */
  readonly start: (arena: number) => void
  /** Time steps of a run. */
  readonly steps: () => number
  readonly runNode: (arena: number, index: number) => void
  readonly runBatch: (arenas: number, arenaStride: number, count: number, inputs: number, outputs: number) => void
  readonly selfTest: (arena: number) => number
}

const newInstance = wasmModule(new URL('./core.wasm', import.meta.url), 'runtimes/wasm/core.wasm')

/** A fresh instance; the module is compiled once. @throws ENGINE_UNAVAILABLE where it cannot be read or compiled */
export const instantiateCore = async (): Promise<CoreExports> => (await newInstance()) as CoreExports

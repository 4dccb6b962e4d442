// Loads core.wasm (the C core of firmware-stubs built by scripts/build-core.sh) and gives one instance a network: Node reads the file beside this
// module, a browser fetches it. Nothing of Node is imported at the top.

import { engineUnavailable } from '#src/errors.js'

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

/** The little of the WebAssembly API that is used; TypeScript declares it only with the DOM. */
interface WasmApi {
  readonly compile: (bytes: ArrayBuffer | Uint8Array) => Promise<object>
  readonly instantiate: (module: object, imports: object) => Promise<{ readonly exports: unknown }>
}

const api = (): WasmApi => (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly

const readModule = async (file: string): Promise<ArrayBuffer | Uint8Array> => {
  const url = new URL(`./${file}`, import.meta.url)
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises')
    return readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`)
  return response.arrayBuffer()
}

/** A module of this folder. @throws ENGINE_UNAVAILABLE where it cannot be read or compiled */
export const compileModule = async (file: string): Promise<object> => {
  try {
    return await api().compile(await readModule(file))
  } catch (error) {
    throw engineUnavailable('wasm', `runtimes/wasm/${file}`, error)
  }
}

/** A fresh instance of a module; the caller knows its exports. */
export const instantiateModule = async (module: object): Promise<unknown> => (await api().instantiate(module, {})).exports

let compiled: Promise<object> | undefined

/** A fresh instance; the module is compiled once. @throws ENGINE_UNAVAILABLE where it cannot be read or compiled */
export const instantiateCore = async (): Promise<CoreExports> => {
  compiled ??= compileModule('core.wasm').catch((error: unknown) => {
    compiled = undefined
    throw error
  })
  return (await instantiateModule(await compiled)) as CoreExports
}

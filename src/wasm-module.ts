// Reads, compiles and instantiates a wasm module: Node reads the file, a browser fetches it. Nothing of Node is imported at the top.

import { engineUnavailable } from './errors.js'

/** The little of the WebAssembly API that is used; TypeScript declares it only with the DOM. */
interface WasmApi {
  readonly compile: (bytes: ArrayBuffer | Uint8Array) => Promise<object>
  readonly instantiate: (module: object, imports: object) => Promise<{ readonly exports: unknown }>
}

const api = (): WasmApi => (globalThis as unknown as { WebAssembly: WasmApi }).WebAssembly

const readModule = async (url: URL): Promise<ArrayBuffer | Uint8Array> => {
  if (url.protocol === 'file:') {
    const { readFile } = await import('node:fs/promises')
    return readFile(url)
  }
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url.href} answers ${response.status}`)
  return response.arrayBuffer()
}

const compileModule = async (url: URL, name: string): Promise<object> => {
  try {
    return await api().compile(await readModule(url))
  } catch (error) {
    throw engineUnavailable('wasm', name, error)
  }
}

/**
 * What gives fresh instances of a module: the exports of one, which the caller knows. The module is compiled once, on the first call; a call that fails is
 * forgotten, so that the next one tries again. `name` is for messages.
 * @throws ENGINE_UNAVAILABLE, from the function, where the module cannot be read or compiled
 */
export const wasmModule = (url: URL, name: string): (() => Promise<unknown>) => {
  let compiled: Promise<object> | undefined
  return async () => {
    compiled ??= compileModule(url, name).catch((error: unknown) => {
      compiled = undefined
      throw error
    })
    return (await api().instantiate(await compiled, {})).exports
  }
}

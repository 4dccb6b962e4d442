// The table of engines, loaded lazily: a name here is what `spikeport check --on` takes.

import type { Runtime } from '#src/contracts/runtime.js'
import { usage } from '#src/errors.js'

export const RUNTIMES: Readonly<Record<string, () => Promise<Runtime>>> = {
  reference: async () => (await import('./reference/index.js')).referenceRuntime,
  wasm: async () => (await import('./wasm/index.js')).wasmRuntime,
  onnx: async () => (await import('./onnx/index.js')).onnxRuntime,
}

/** Loads an engine by name. @throws USAGE naming the engines there are */
export const openRuntime = async (name: string): Promise<Runtime> => {
  const open = Object.hasOwn(RUNTIMES, name) ? RUNTIMES[name] : undefined
  if (open === undefined) throw usage(`unknown engine "${name}".`, `The engines are ${Object.keys(RUNTIMES).join(', ')}.`)
  return open()
}

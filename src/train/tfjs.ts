// The only place that loads TensorFlow.js: tfjs-node where it was installed with its native library, otherwise the wasm backend
// with the gradient kernels it lacks. Loaded on first use, so importing spikeport costs nothing.

import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { backendUnavailable } from '#src/errors.js'
import { registerTrainingKernels } from './kernels/index.js'

/** The TensorFlow.js module, passed to recipes so that they need not load it themselves. */
export type TensorFlow = typeof import('@tensorflow/tfjs')

/** Which engine trains: libtensorflow, or the portable wasm one. */
export type TrainingBackend = 'tensorflow' | 'wasm'

let loaded: Promise<TensorFlow> | undefined

/** TensorFlow.js with a backend that can train, ready to use; the same module at every call. */
export const loadTensorFlow = (): Promise<TensorFlow> => {
  loaded ??= loadOnce().catch((cause: unknown) => {
    loaded = undefined
    throw backendUnavailable(cause)
  })
  return loaded
}

const loadOnce = async (): Promise<TensorFlow> => (await loadNative()) ?? (await loadWasm())

/** tfjs-node, or undefined where it or its native library is missing. */
const loadNative = async (): Promise<TensorFlow | undefined> => {
  try {
    const name: string = '@tensorflow/tfjs-node'
    const tf = unwrap((await import(name)) as TensorFlow)
    tf.enableProdMode()
    await tf.ready()
    return tf.getBackend() === 'tensorflow' ? tf : undefined
  } catch {
    return undefined
  }
}

const loadWasm = async (): Promise<TensorFlow> => {
  const tf = unwrap(await import('@tensorflow/tfjs'))
  tf.enableProdMode()
  const wasm = unwrap(await import('@tensorflow/tfjs-backend-wasm'))
  wasm.setWasmPaths(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')) + sep)
  await tf.setBackend('wasm')
  await tf.ready()
  registerTrainingKernels(tf)
  return tf
}

/** The module behind the default export that Node puts around CommonJS. */
const unwrap = <T extends object>(module: T): T => ('default' in module ? (module.default as T) : module)

/** The backend in use, for reports. */
export const trainingBackend = (tf: TensorFlow): TrainingBackend => (tf.getBackend() === 'tensorflow' ? 'tensorflow' : 'wasm')

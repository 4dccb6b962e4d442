// The only place that loads TensorFlow.js: tfjs-node where it was installed with its native library, otherwise the wasm backend
// with the gradient kernels it lacks. Loaded on first use, so importing spikeport costs nothing.

import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import { backendUnavailable } from '#src/errors.js'
import { registerTrainingKernels } from './kernels/index.js'
import { spikeportLayers } from './layers/index.js'

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

const loadOnce = async (): Promise<TensorFlow> => {
  const tf = (await loadNative()) ?? (await loadWasm())
  spikeportLayers(tf)
  return tf
}

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
  await withoutCrashHandlers(async () => {
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start')
    await tf.ready()
  })
  registerTrainingKernels(tf)
  return tf
}

const CRASH_EVENTS = ['uncaughtException', 'unhandledRejection'] as const

/** Runs `start` and removes the handlers it adds for crashes: the backend's print its whole source in front of every error. */
const withoutCrashHandlers = async (start: () => Promise<void>): Promise<void> => {
  const before = CRASH_EVENTS.map((event) => new Set(process.rawListeners(event)))
  await start()
  for (const [i, event] of CRASH_EVENTS.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]?.has(listener)) process.removeListener(event, listener as () => void)
    }
  }
}

/** The module behind the default export that Node puts around CommonJS. */
const unwrap = <T extends object>(module: T): T => ('default' in module ? (module.default as T) : module)

/** The backend in use, for reports. */
export const trainingBackend = (tf: TensorFlow): TrainingBackend => (tf.getBackend() === 'tensorflow' ? 'tensorflow' : 'wasm')

// The ONNX Runtime engine: runs the document that exporters/onnx writes (qlinear form, stored integers in and out) in onnxruntime-node.
// The only folder that loads onnxruntime-node, by dynamic import at the first load().

import type { InferenceSession } from 'onnxruntime-node'
import { checkBatch } from '#src/contracts/batch.js'
import type { Batch, Outputs, Runtime, Session } from '#src/contracts/runtime.js'
import { engineUnavailable } from '#src/errors.js'
import { encodeOnnx, type OnnxModel } from '#src/formats/onnx.js'
import { typeOf } from '#src/network/graph.js'
import { allocate, arrayLength, channelScale, type ElementArray, elementCount, type Network, type ValueType } from '#src/network/types.js'
import { type LoweredOnnx, lowerToOnnx, withAllOutputs } from '#src/onnx/lower.js'
import { DEFAULT_ONNX_OPTIONS, type OnnxForm, type OnnxOptions } from '#src/onnx/options.js'
import { fromPlace } from './places.js'
import { expectedProbe, probeInput, probeNetwork } from './probe.js'

export interface OnnxRuntimeOptions {
  /** threads within an operator; default: ONNX Runtime chooses */
  readonly threads?: number
  /** how weights are stored; auto (default): int8 where a probe shows that this CPU's int8 sums are exact, else uint8 */
  readonly weights?: 'auto' | 'int8' | 'uint8'
  /** default qlinear; qdq lets ONNX Runtime fuse, so its bytes are not promised */
  readonly form?: OnnxForm
  /** default standard, the graph that exporters/onnx writes */
  readonly dense?: OnnxOptions['dense']
  /** default all: exact in the qlinear form, see test/unit/onnx */
  readonly graphOptimization?: 'disabled' | 'basic' | 'extended' | 'all'
  /** samples given to ONNX Runtime at once, which bounds its memory; default 64 */
  readonly samplesPerRun?: number
}

type Ort = typeof import('onnxruntime-node')

const LOG_ERRORS_ONLY = 3

const importOrt = async (): Promise<Ort> => {
  try {
    const loaded = (await import('onnxruntime-node')) as Ort & { default?: Ort }
    return loaded.default ?? loaded
  } catch (error) {
    throw engineUnavailable('onnx', 'onnxruntime-node', error)
  }
}

/** The version of onnxruntime-node. @throws ENGINE_UNAVAILABLE where it does not load */
export const onnxRuntimeVersion = async (): Promise<string> => (await importOrt()).env.versions.node ?? 'unknown'

const createSession = (ort: Ort, model: OnnxModel, options: OnnxRuntimeOptions): Promise<InferenceSession> =>
  ort.InferenceSession.create(encodeOnnx(model), {
    graphOptimizationLevel: options.graphOptimization ?? 'all',
    logSeverityLevel: LOG_ERRORS_ONLY,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads, interOpNumThreads: 1 }),
  })

const WORD_FLIP = 0x80808080

/** int8 <-> uint8 (value + 128): the top bit of every byte flips. Returns a copy of the same class. */
const flipped = <T extends Uint8Array | Int8Array>(data: T): T => {
  const copy = data.slice() as T
  const words = new Int32Array(copy.buffer, 0, copy.length >> 2)
  for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) ^ WORD_FLIP
  for (let i = words.length * 4; i < copy.length; i++) copy[i] = (copy[i] as number) ^ 0x80
  return copy
}

/** Packed signs of `count` samples as ONNX stores them: 2 is +1, 0 is -1. */
const unpacked = (words: ElementArray, type: ValueType, count: number): Uint8Array => {
  const [elements, length] = [elementCount(type.shape), arrayLength(type)]
  return new Uint8Array(elements * count).map((_, i) => {
    const element = i % elements
    return 2 * (((words[Math.floor(i / elements) * length + (element >> 5)] as number) >>> (element & 31)) & 1)
  })
}

/** The inverse. */
const packed = (stored: ElementArray, type: ValueType): Uint32Array => {
  const [elements, length] = [elementCount(type.shape), arrayLength(type)]
  const words = new Uint32Array((stored.length / elements) * length)
  for (let i = 0; i < stored.length; i++) {
    const element = i % elements
    const word = Math.floor(i / elements) * length + (element >> 5)
    words[word] = ((words[word] as number) | (((stored[i] as number) >> 1) << (element & 31))) >>> 0
  }
  return words
}

/** Network elements of `count` samples as ONNX stores them. */
const toStored = (data: ElementArray, type: ValueType, count: number): ElementArray => {
  if (type.kind === 'binary') return unpacked(data, type, count)
  return data instanceof Int8Array ? new Uint8Array(flipped(data).buffer) : data.slice()
}

/** ONNX elements as the network's. The qdq form gives int32 sums as real numbers. */
const fromStored = (data: ElementArray, type: ValueType): ElementArray => {
  if (type.kind === 'binary') return packed(data, type)
  if (type.kind === 'int8') return new Int8Array(flipped(data as Uint8Array).buffer)
  if (type.kind === 'int32' && data instanceof Float32Array) return Int32Array.from(data, (x) => Math.round(x / channelScale(type, 0)))
  return data.slice()
}

const elementName = (data: ElementArray): 'uint8' | 'int32' | 'float32' =>
  data instanceof Float32Array ? 'float32' : data instanceof Int32Array ? 'int32' : 'uint8'

type Feeds = Parameters<InferenceSession['run']>[0]

const feedsOf = (ort: Ort, network: Network, model: OnnxModel, inputs: readonly ElementArray[], count: number): Feeds =>
  Object.fromEntries(
    model.inputs.map((input, i) => {
      const type = typeOf(network, network.inputs[i] as number)
      const stored = toStored(inputs[i] as ElementArray, type, count)
      return [input.name, new ort.Tensor(elementName(stored), stored as Uint8Array, [count, ...type.shape])]
    }),
  )

/** Samples [start, start + count) of a batch. */
const sliceBatch = (network: Network, batch: Batch, start: number, count: number): ElementArray[] =>
  batch.inputs.map((data, i) => {
    const length = arrayLength(typeOf(network, network.inputs[i] as number))
    return data.subarray(start * length, (start + count) * length)
  })

const runBatch = async (ort: Ort, network: Network, model: OnnxModel, session: InferenceSession, batch: Batch, samplesPerRun: number): Promise<Outputs> => {
  checkBatch(network, batch)
  const outputs = network.outputs.map((value) => allocate(typeOf(network, value), batch.count))
  for (let start = 0; start < batch.count; start += samplesPerRun) {
    const count = Math.min(samplesPerRun, batch.count - start)
    const results = await session.run(feedsOf(ort, network, model, sliceBatch(network, batch, start, count), count))
    network.outputs.forEach((value, i) => {
      const stored = results[model.outputs[i]?.name ?? '']?.data as ElementArray
      const elements = fromStored(stored, typeOf(network, value))
      outputs[i]?.set(elements as never, start * arrayLength(typeOf(network, value)))
    })
  }
  return outputs
}

const traceSample = async (
  ort: Ort,
  network: Network<'integer'>,
  lowered: LoweredOnnx,
  session: InferenceSession,
  inputs: readonly ElementArray[],
): Promise<readonly (ElementArray | null)[]> => {
  const results = await session.run(feedsOf(ort, network, lowered.model, inputs, 1))
  return network.values.map((_, value) => {
    const input = network.inputs.indexOf(value)
    if (input >= 0) return (inputs[input] as ElementArray).slice()
    const place = lowered.places[value]
    const stored = place === undefined ? undefined : results[place.name]?.data
    return place === undefined || stored === undefined ? null : fromStored(fromPlace(network, value, place, stored as ElementArray), typeOf(network, value))
  })
}

const openSession = async (ort: Ort, network: Network<'integer'>, options: OnnxRuntimeOptions, weights: 'int8' | 'uint8'): Promise<Session> => {
  const { form = 'qlinear', dense = 'standard' } = options
  const lowered = lowerToOnnx(network, { ...DEFAULT_ONNX_OPTIONS, form, dense, weights, input: 'uint8', output: 'uint8' })
  const session = await createSession(ort, lowered.model, options)
  let tracing: Promise<InferenceSession> | null = null
  let closing: Promise<void> | null = null
  const release = async (): Promise<void> => {
    await session.release()
    if (tracing !== null) await (await tracing).release()
  }
  return {
    run: (batch) => runBatch(ort, network, lowered.model, session, batch, options.samplesPerRun ?? 64),
    trace: async (inputs) => {
      tracing ??= createSession(ort, withAllOutputs(lowered), options)
      return traceSample(ort, network, lowered, await tracing, inputs)
    },
    close: () => {
      closing ??= release()
      return closing
    },
  }
}

/** A session.run() of ONNX Runtime with its tensors made before, for benches: nothing of ours is inside the call. */
export interface BareRun {
  readonly run: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Prepares a batch for ONNX Runtime alone. Weights default to those that are exact on this CPU. */
export const prepareBareRun = async (network: Network<'integer'>, batch: Batch, options: OnnxRuntimeOptions = {}): Promise<BareRun> => {
  checkBatch(network, batch)
  const ort = await importOrt()
  const { form = 'qlinear', dense = 'standard', weights = 'auto' } = options
  const stored = weights === 'auto' ? await exactWeights() : weights
  const { model } = lowerToOnnx(network, { ...DEFAULT_ONNX_OPTIONS, form, dense, weights: stored, input: 'uint8', output: 'uint8' })
  const session = await createSession(ort, model, options)
  const feeds = feedsOf(ort, network, model, batch.inputs, batch.count)
  return {
    run: async () => {
      await session.run(feeds)
    },
    close: () => session.release(),
  }
}

/**
 * True where ONNX Runtime adds uint8 x int8 products exactly on this CPU. x86 without VNNI adds pairs in saturating 16-bit arithmetic; the probe
 * runs sums that would saturate (all inputs 255, all weights 127 and -128) and compares them with the reference.
 */
export const areInt8SumsExact = async (): Promise<boolean> => {
  const network = probeNetwork()
  const session = await openSession(await importOrt(), network, { threads: 1 }, 'int8')
  try {
    const outputs = await session.run({ count: 1, inputs: probeInput() })
    const expected = expectedProbe(network)
    return outputs.every((output, i) => output.every((x, j) => x === expected[i]?.[j]))
  } finally {
    await session.close()
  }
}

let probed: Promise<boolean> | null = null

/** The weights that are exact on this CPU; probed once. */
export const exactWeights = async (): Promise<'int8' | 'uint8'> => {
  probed ??= areInt8SumsExact()
  return (await probed) ? 'int8' : 'uint8'
}

/** An ONNX Runtime engine with options. */
export const createOnnxRuntime = (options: OnnxRuntimeOptions = {}): Runtime => ({
  name: 'onnx',
  load: async (network) => {
    const ort = await importOrt()
    const { weights = 'auto' } = options
    return openSession(ort, network, options, weights === 'auto' ? await exactWeights() : weights)
  },
})

export const onnxRuntime: Runtime = createOnnxRuntime()

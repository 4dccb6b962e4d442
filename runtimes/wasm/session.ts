// A session over one core instance: lays file, prepared constants, arenas and staging out in the module's memory once; a run copies samples in,
// calls the core, copies results out. Nothing is allocated per run but the arrays that the caller gets.

import { checkBatch } from '#src/contracts/batch.js'
import type { Batch, Outputs, Session } from '#src/contracts/runtime.js'
import { engineMemory, malformedFile } from '#src/errors.js'
import { STATUS_TEXTS } from '#src/formats/eventnet/codes.js'
import { type EventnetDocument, type EventnetValue, readEventnet } from '#src/formats/eventnet/index.js'
import { allocate, arrayClass, arrayLength, byteLength, type ElementArray, type Network, perTensor, type ValueType } from '#src/network/types.js'
import { type CoreExports, instantiateCore } from './core.js'

export interface WasmOptions {
  /** simd (default): SIMD128 kernels on repacked weights; plain: the core's plain kernels, for comparison */
  readonly kernels?: 'simd' | 'plain'
}

export interface WasmSession extends Session {
  /** run() without a promise. @throws INPUT_MISMATCH */
  readonly runNow: (batch: Batch) => Outputs
  readonly trace: (inputs: readonly ElementArray[]) => Promise<readonly (ElementArray | null)[]>
  /** Runs the file's own sample: true where the outputs are as stored, null where the file holds none. */
  readonly selfTest: () => boolean | null
}

/** Bytes the engine asks for at most. */
const MEMORY_LIMIT = 2 ** 31 - 2 ** 16
const PAGE_BYTES = 65536
/** Kernels may read (never write) this far behind a value. */
const SLACK_BYTES = 256
/** Samples staged at one time take about this many bytes. */
const STAGING_BYTES = 2 ** 20
const MAX_STAGED_SAMPLES = 256

const align16 = (bytes: number): number => Math.ceil(bytes / 16) * 16

/** A port: where samples are staged, one after the other, as a view of the module's memory. */
interface Port {
  readonly length: number
  readonly staged: ElementArray
}

const typeOfValue = (value: EventnetValue): ValueType => {
  if (value.kind === 'int8' || value.kind === 'int32') return perTensor(value.kind, value.shape, value.scale, value.zeroPoint)
  if (value.kind === 'level') return { kind: 'level', shape: value.shape, levels: value.levels }
  if (value.kind === 'binary' || value.kind === 'membrane') return { kind: value.kind, shape: value.shape }
  return { kind: 'float32', shape: value.shape }
}

/** What checkBatch reads of a network, from a document. */
const portsOf = (document: EventnetDocument): Network =>
  ({
    name: document.names?.network ?? 'network',
    values: document.values.map((value, i) => ({ name: document.names?.values[i] ?? `value ${i}`, type: typeOfValue(value) })),
    inputs: document.inputs,
    outputs: document.outputs,
  }) as unknown as Network

/** Hands out addresses behind the heap base and grows memory once. */
const reserve = (core: CoreExports, name: string, sizes: readonly number[]): number[] => {
  let end = align16(core.__heap_base.value)
  const addresses = sizes.map((size) => {
    const at = end
    end = align16(end + size)
    return at
  })
  const missing = end - core.memory.buffer.byteLength
  if (end > MEMORY_LIMIT) throw engineMemory(name, end, MEMORY_LIMIT)
  if (missing > 0) growMemory(core, name, missing, end)
  return addresses
}

const growMemory = (core: CoreExports, name: string, missing: number, needed: number): void => {
  try {
    core.memory.grow(Math.ceil(missing / PAGE_BYTES))
  } catch {
    throw engineMemory(name, needed, core.memory.buffer.byteLength)
  }
}

const loadFile = (core: CoreExports, bytes: Uint8Array, path: string): void => {
  const [at] = reserve(core, path, [bytes.length]) as [number]
  new Uint8Array(core.memory.buffer, at, bytes.length).set(bytes)
  const status = core.load(at, bytes.length)
  if (status !== 0) throw malformedFile(path, null, STATUS_TEXTS[status] ?? `the core reports status ${status}`)
}

interface Layout {
  readonly arenas: number
  readonly arenaStride: number
  readonly inputPointers: number
  readonly outputPointers: number
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** samples staged at one time */
  readonly staged: number
}

const stagedSamples = (types: readonly ValueType[]): number => {
  const sampleBytes = types.reduce((sum, type) => sum + byteLength(type), 0)
  return Math.max(1, Math.min(MAX_STAGED_SAMPLES, Math.floor(STAGING_BYTES / sampleBytes)))
}

/** Reserves everything behind the file, prepares the kernels, and points the core's port lists at the staging areas. */
const layOut = (core: CoreExports, fileBytes: number, document: EventnetDocument, ports: Network, kernels: 'simd' | 'plain'): Layout => {
  const typesOf = (values: readonly number[]): ValueType[] => values.map((value) => ports.values[value]?.type as ValueType)
  const [inputTypes, outputTypes] = [typesOf(document.inputs), typesOf(document.outputs)]
  const types = [...inputTypes, ...outputTypes]
  const staged = stagedSamples(types)
  const arenaStride = align16(document.arenaBytes + SLACK_BYTES)
  const preparedBytes = kernels === 'simd' ? core.prepareBytes() : 0
  const sizes = [
    fileBytes,
    preparedBytes,
    core.batchRows() * arenaStride,
    4 * inputTypes.length,
    4 * outputTypes.length,
    ...types.map((type) => staged * byteLength(type)),
    SLACK_BYTES,
  ]
  const [, prepared, arenas, inputPointers, outputPointers, ...areas] = reserve(core, ports.name, sizes) as [
    number,
    number,
    number,
    number,
    number,
    ...number[],
  ]
  if (preparedBytes > 0) core.prepare(prepared)
  const { buffer } = core.memory
  const portAt = (type: ValueType, i: number): Port => ({
    length: arrayLength(type),
    staged: new (arrayClass(type.kind))(buffer, areas[i] as number, arrayLength(type) * staged),
  })
  new Uint32Array(buffer, inputPointers, inputTypes.length).set(areas.slice(0, inputTypes.length))
  new Uint32Array(buffer, outputPointers, outputTypes.length).set(areas.slice(inputTypes.length, types.length))
  return {
    arenas,
    arenaStride,
    inputPointers,
    outputPointers,
    inputs: inputTypes.map(portAt),
    outputs: outputTypes.map((type, i) => portAt(type, inputTypes.length + i)),
    staged,
  }
}

/** Copies samples start..start + count - 1 into staging. */
const stage = (inputs: readonly Port[], batch: Batch, start: number, count: number): void => {
  for (let i = 0; i < inputs.length; i++) {
    const { length, staged } = inputs[i] as Port
    const data = batch.inputs[i] as ElementArray
    staged.set((count === batch.count ? data : data.subarray(start * length, (start + count) * length)) as never)
  }
}

const runBatch = (core: CoreExports, layout: Layout, ports: Network, batch: Batch): Outputs => {
  const { inputs, outputs, staged } = layout
  const call = (count: number): void => core.runBatch(layout.arenas, layout.arenaStride, count, layout.inputPointers, layout.outputPointers)
  if (batch.count <= staged) {
    stage(inputs, batch, 0, batch.count)
    call(batch.count)
    return outputs.map((port) => port.staged.slice(0, port.length * batch.count))
  }
  const results = ports.outputs.map((value) => allocate(ports.values[value]?.type as ValueType, batch.count))
  for (let start = 0; start < batch.count; start += staged) {
    const count = Math.min(staged, batch.count - start)
    stage(inputs, batch, start, count)
    call(count)
    results.forEach((result, i) => {
      const { length, staged: area } = outputs[i] as Port
      result.set(area.subarray(0, length * count) as never, start * length)
    })
  }
  return results
}

/** Runs node by node and copies every value of the last time step while the arena still holds it; states as they are at the end. */
const traceSample = (
  core: CoreExports,
  layout: Layout,
  document: EventnetDocument,
  ports: Network,
  inputs: readonly ElementArray[],
): (ElementArray | null)[] => {
  const viewOf = (value: number): ElementArray => {
    const type = ports.values[value]?.type as ValueType
    return new (arrayClass(type.kind))(core.memory.buffer, layout.arenas + (document.values[value] as EventnetValue).offset, arrayLength(type))
  }
  const values: (ElementArray | null)[] = document.values.map(() => null)
  document.inputs.forEach((value, i) => {
    viewOf(value).set(inputs[i] as never)
    values[value] = (inputs[i] as ElementArray).slice()
  })
  core.start(layout.arenas)
  for (let step = 0; step < core.steps(); step++) {
    document.nodes.forEach((node, i) => {
      core.runNode(layout.arenas, i)
      values[node.output] = viewOf(node.output).slice()
    })
  }
  document.values.forEach(({ isState }, value) => {
    if (isState) values[value] = viewOf(value).slice()
  })
  return values
}

const SELF_TEST_ABSENT = 21

/**
 * A session over the bytes of an .evn file, which are not trusted; `path` is for messages.
 * @throws FILE_MALFORMED for anything that is not a valid file, DOES_NOT_FIT where memory does not suffice
 */
export const wasmSessionFromBytes = async (bytes: Uint8Array, path = 'network.evn', options: WasmOptions = {}): Promise<WasmSession> => {
  const document = readEventnet(bytes, path)
  const core = await instantiateCore()
  loadFile(core, bytes, path)
  const ports = portsOf(document)
  const layout = layOut(core, bytes.length, document, ports, options.kernels ?? 'simd')
  const runNow = (batch: Batch): Outputs => {
    checkBatch(ports, batch)
    return runBatch(core, layout, ports, batch)
  }
  return {
    runNow,
    run: async (batch) => runNow(batch),
    trace: async (inputs) => {
      checkBatch(ports, { count: 1, inputs })
      return traceSample(core, layout, document, ports, inputs)
    },
    selfTest: () => {
      const status = core.selfTest(layout.arenas)
      return status === SELF_TEST_ABSENT ? null : status === 0
    },
    close: async () => {},
  }
}

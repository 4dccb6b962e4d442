// A network and its probes as the words and tables that the C tuner reads (firmware-stubs/tune/tune.h): dense layers, convolutions, pools of maxima
// and nodes that only rename elements; linearised costs of the cross-entropy.

import type { LayerProbe, UnitProgram } from '../../contracts/evaluator.js'
import { unsupported } from '../../errors.js'
import { requantizeScales } from '../../network/emission.js'
import { typeOf } from '../../network/graph.js'
import type { Conv1dNode } from '../../network/operators/conv1d.js'
import type { Conv2dNode } from '../../network/operators/conv2d.js'
import type { DenseNode } from '../../network/operators/dense.js'
import type { Node, NodeOf } from '../../network/operators/index.js'
import { globalGeometry, poolGeometry } from '../../network/operators/pool.js'
import { elementCount, isQuantized, type Network, type QuantizedType } from '../../network/types.js'
import type { Geometry } from '../../network/window.js'
import { firstPosition } from './costs.js'
import { logitFactor } from './cross-entropy.js'
import type { LinearNode } from './linear-layer.js'
import { conv1dTaps, conv2dTaps, denseTaps, invert, type Taps, windowTable } from './taps.js'

const VERSION = 1
const MOST_NODES = 32
const MOST_INPUTS = 4
const MOST_CLASSES = 1024
const KINDS = { linear: 1, pass: 2, maxPool: 3 } as const

export interface UnitProgramLoss {
  /** real value of one step of the stored scores */
  readonly scale: number
  readonly smoothing256: number
}

const refuse = (what: string): Error => unsupported(`${what} in the C tuner.`, 'Tune with the typescript engine instead.')

/** Collects tables; each starts at a multiple of 4 bytes. */
const collect = () => {
  const parts: (Int32Array | Float32Array)[] = []
  let end = 0
  return {
    store: (part: Int32Array | Float32Array): number => {
      const at = end
      parts.push(part)
      end += part.byteLength
      return at
    },
    bytes: (): Uint8Array => {
      const all = new Uint8Array(end)
      let at = 0
      for (const part of parts) {
        all.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
        at += part.byteLength
      }
      return all
    },
  }
}

type Store = ReturnType<typeof collect>['store']
type Tables = Pick<Taps, 'positions' | 'channels' | 'taps' | 'inputOf' | 'starts' | 'readers'>

const poolTables = (g: Geometry): Tables => {
  const inputOf = windowTable(g, 1)
  const elements = g.inputHeight * g.inputWidth * g.inputChannels
  return {
    positions: g.outputHeight * g.outputWidth,
    channels: g.outputChannels,
    taps: g.kernelHeight * g.kernelWidth,
    inputOf,
    ...invert(inputOf, elements),
  }
}

const tablesOf = (network: Network<'integer'>, node: Node): Tables | null => {
  const { shape } = typeOf(network, node.inputs[0] as number)
  switch (node.kind) {
    case 'dense':
      return denseTaps(node as DenseNode)
    case 'conv1d':
      return conv1dTaps(node as Conv1dNode, network)
    case 'conv2d':
      return conv2dTaps(node as Conv2dNode, network)
    case 'maxPool':
      return poolTables(poolGeometry(node as NodeOf<'maxPool'>, shape))
    case 'globalMaxPool':
      return poolTables(globalGeometry(node, shape))
    case 'flatten':
    case 'reshape':
      return null
    default:
      throw refuse(`node "${node.name}": ${node.kind} is not followed`)
  }
}

/** emission, output zero point, bounds and where the scales lie. */
const emissionWords = (network: Network<'integer'>, node: LinearNode, channels: number, store: Store): number[] => {
  const { emission } = node
  const output = typeOf(network, node.output)
  if (emission.kind === 'none') return [0, 0, -128, 127, store(new Float32Array(channels).fill(1))]
  if (emission.kind !== 'requantize' || !isQuantized(output)) throw refuse(`layer "${node.name}": no probes through a ${emission.kind} emission`)
  const input = typeOf(network, node.inputs[0] as number) as QuantizedType
  const scales = requantizeScales(input, node.weights.type as QuantizedType, output, channels)
  return [1, output.zeroPoint, emission.min, emission.max, store(Float32Array.from(scales))]
}

const probeWords = (probe: LayerProbe | undefined, positions: number): number[] => {
  if (probe === undefined) return [0, 1, 1, 1]
  if (probe.rule !== 'linearised') throw refuse(`rule "${probe.rule}" is not evaluated`)
  return [1, probe.radius * probe.inputUnit, probe.inputUnit, Math.min(probe.positionStride, positions)]
}

const checkNetwork = (network: Network<'integer'>): void => {
  if (network.nodes.length > MOST_NODES || network.inputs.length > MOST_INPUTS) throw refuse(`network "${network.name}" is too large`)
  if (network.inputs.some((value) => typeOf(network, value).kind !== 'int8')) throw refuse(`network "${network.name}" has inputs that are not int8`)
  const { shape } = typeOf(network, network.outputs[0] as number)
  if (elementCount(shape) > MOST_CLASSES) throw refuse(`network "${network.name}" has too many scores`)
  if (network.rounding !== 'single') throw refuse(`network "${network.name}" rounds as TensorFlow Lite`)
}

/** The program of a network cut to its scores. @throws UNSUPPORTED naming what the C tuner cannot follow */
export const unitProgram = (network: Network<'integer'>, { scale, smoothing256 }: UnitProgramLoss, probes: readonly LayerProbe[]): UnitProgram => {
  checkNetwork(network)
  const values = [...network.inputs, ...network.nodes.map((node) => node.output)]
  const place = (value: number): number => values.indexOf(value)
  const { store, bytes } = collect()
  const shapes = network.nodes.map((node) => tablesOf(network, node))
  const nodeWords = network.nodes.flatMap((node, index): number[] => {
    const ports = [place(node.inputs[0] as number), place(node.output)]
    const tables = shapes[index]
    if (tables === null || tables === undefined) return [KINDS.pass, ...ports, ...new Array<number>(16).fill(0)]
    const { positions, channels, taps, inputOf, starts, readers } = tables
    const isLinear = 'weights' in node
    const { zeroPoint } = typeOf(network, node.inputs[0] as number) as QuantizedType
    const emission = isLinear ? emissionWords(network, node as LinearNode, channels, store) : [0, 0, 0, 0, 0]
    return [
      isLinear ? KINDS.linear : KINDS.maxPool,
      ...ports,
      zeroPoint,
      ...[positions, channels, taps],
      ...emission,
      ...[inputOf, starts, readers].map(store),
      ...probeWords(
        probes.find((probe) => probe.node === index),
        positions,
      ),
    ]
  })
  const { factor, shift } = logitFactor(scale)
  const scores = place(network.outputs[0] as number)
  const words = Int32Array.from([
    ...[VERSION, network.nodes.length, values.length, network.inputs.length, scores, factor, shift, smoothing256],
    ...values.map((value) => elementCount(typeOf(network, value).shape)),
    ...network.inputs.map((_, i) => i),
    ...nodeWords,
  ])
  const nodes = network.nodes.map((_, index) => index)
  return {
    words,
    data: bytes(),
    nodes,
    probes: probes.map(({ node }) => ({ node, taps: shapes[node]?.taps ?? 0, channels: shapes[node]?.channels ?? 0 })),
    firstPositions: (batch) => {
      const first = new Int32Array(batch.samples.length * network.nodes.length)
      for (const probe of probes)
        for (let n = 0; n < batch.samples.length; n++)
          first[n * network.nodes.length + probe.node] = firstPosition(probe, shapes[probe.node]?.positions ?? 1, batch, n)
      return first
    },
  }
}

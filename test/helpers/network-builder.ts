// Builds integer networks layer by layer with random weights. Each layer is evaluated on one random sample at once, and its output scale is
// chosen from that sample so that outputs use the int8 range without saturating everywhere. For tests and benches only.

import type { Emission } from '#src/network/emission.js'
import type { NodeTypes } from '#src/network/operator.js'
import { type Node, type NodeOf, type OperatorKind, operatorOf } from '#src/network/operators/index.js'
import {
  type ElementArray,
  elementCount,
  isQuantized,
  type Network,
  perChannel,
  perTensor,
  type QuantizedType,
  type Shape,
  type Tensor,
  type Value,
  type ValueType,
} from '#src/network/types.js'
import { verify } from '#src/network/verify.js'
import { type Padding, samePadding } from '#src/network/window.js'
import { type TestRandom, testRandom } from './random.js'

export interface Quantization {
  readonly scale: number
  readonly zeroPoint: number
}

export interface LayerOptions {
  /** outputs below zero are cut; default false */
  readonly relu?: boolean
  /** 'none' gives raw int32 sums; default 'requantize' */
  readonly emission?: 'requantize' | 'none'
  /** default true */
  readonly bias?: boolean
  /** default true: one weight scale per output channel */
  readonly perChannel?: boolean
  /** forces the output's scale and zero point; default: chosen from a sample */
  readonly quantization?: Quantization
  /** scales are powers of two, so that ties (x.5) are common; default false */
  readonly ties?: boolean
  /** largest |weight|; default 127 */
  readonly largestWeight?: number
}

export interface WindowOptions extends LayerOptions {
  readonly kernel: readonly [number, number]
  readonly stride?: readonly [number, number]
  readonly dilation?: readonly [number, number]
  /** default 'same' */
  readonly padding?: 'same' | 'valid' | Padding
}

const powerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(x))

/** Fills an array of a type with uniformly random elements (int32: -1000..1000). */
export const randomElements = (type: ValueType, count: number, random: TestRandom): ElementArray => {
  const fill = (array: ElementArray, low: number, high: number): ElementArray => array.map(() => random.integer(low, high)) as ElementArray
  if (type.kind === 'int8') return fill(new Int8Array(count), -128, 127)
  if (type.kind === 'int32') return fill(new Int32Array(count), -1000, 1000)
  if (type.kind === 'float32') return new Float32Array(count).map(() => random.uniform() * 2 - 1)
  return fill(new Uint8Array(count), 0, 255)
}

/** One array per network input, `samples` random samples each. */
export const randomInputs = (network: Network, seed: number, samples = 1): ElementArray[] => {
  const random = testRandom(seed)
  return network.inputs.map((value) => {
    const { type } = network.values[value] as Value
    return randomElements(type, elementCount(type.shape) * samples, random)
  })
}

/** The scale and zero point that map [low, high] (which includes 0) to -128..127. */
const fitRange = (low: number, high: number, ties: boolean): Quantization => {
  const exact = Math.max(high - low, 1e-6) / 255
  const scale = Math.fround(ties ? powerOfTwo(exact) : exact)
  return { scale, zeroPoint: Math.min(127, Math.max(-128, Math.round(-128 - low / scale))) + 0 } // + 0: never -0
}

/** Starts a network; every method adds a node and returns the index of its output value. */
export const networkBuilder = (name: string, seed: number) => {
  const random = testRandom(seed)
  const values: Value[] = []
  const samples: ElementArray[] = []
  const inputs: number[] = []
  const nodes: Node[] = []

  const typeAt = (value: number): ValueType => (values[value] as Value).type
  const shapeAt = (value: number): Shape => typeAt(value).shape
  const quantizedAt = (value: number): QuantizedType => {
    const type = typeAt(value)
    if (!isQuantized(type)) throw new Error(`value ${value} is ${type.kind}`)
    return type
  }

  const addValue = (type: ValueType, sample: ElementArray, label: string): number => {
    values.push({ name: `${label}_${values.length}`, type })
    samples.push(sample)
    return values.length - 1
  }

  /** Evaluates a node on the sample of its inputs. */
  const evaluateNode = (node: Node, output: ValueType): ElementArray => {
    const types: NodeTypes = { inputs: node.inputs.map(typeAt), output, states: [], rounding: 'single' }
    return operatorOf(node).evaluate(
      node,
      node.inputs.map((i) => samples[i] as ElementArray),
      types,
      [],
    )
  }

  /** Appends a node whose output has the given kind and quantization; the shape comes from the operator. */
  const append = <K extends OperatorKind>(attributes: Omit<NodeOf<K>, 'name' | 'output'>, outputType: (shape: Shape) => ValueType): number => {
    const node = { ...attributes, name: `${attributes.kind}_${nodes.length}`, output: values.length } as unknown as Node
    const shape = operatorOf(node).outputShape(node, node.inputs.map(shapeAt))
    const type = outputType(shape)
    const value = addValue(type, evaluateNode(node, type), attributes.kind)
    nodes.push(node)
    return value
  }

  const constant = (type: QuantizedType, data: ElementArray): Tensor => ({ type, data })

  const randomWeights = (shape: Shape, channelAxis: number, options: LayerOptions): Tensor<QuantizedType> => {
    const largest = options.largestWeight ?? 127
    const data = new Int8Array(elementCount(shape)).map(() => random.integer(-largest, largest))
    const scale = (): number => (options.ties === true ? 2 ** -random.integer(5, 8) : 0.004 + 0.012 * random.uniform())
    const type =
      (options.perChannel ?? true)
        ? perChannel('int8', shape, Array.from({ length: shape[channelAxis] as number }, scale), channelAxis)
        : perTensor('int8', shape, scale(), 0)
    return { type, data }
  }

  const randomBias = (channels: number, taps: number, options: LayerOptions): Tensor | null => {
    if (options.bias === false) return null
    const spread = Math.round(20 * Math.sqrt(taps) * (options.largestWeight ?? 127))
    return constant(
      perTensor('int32', [channels], 1, 0),
      new Int32Array(channels).map(() => random.integer(-spread, spread)),
    )
  }

  /** Chooses the output quantization of a layer from the real sums of its sample, then appends it. */
  const appendLayer = <K extends 'dense' | 'conv1d' | 'conv2d' | 'depthwiseConv2d'>(
    attributes: Omit<NodeOf<K>, 'name' | 'output' | 'emission'> & { weights: Tensor<QuantizedType> },
    channels: number,
    options: LayerOptions,
  ): number => {
    const emission = (e: Emission): Omit<NodeOf<K>, 'name' | 'output'> => ({ ...attributes, emission: e }) as unknown as Omit<NodeOf<K>, 'name' | 'output'>
    const int32Type = (shape: Shape): ValueType => perTensor('int32', shape, 2 ** -12, 0)
    if (options.emission === 'none') return append<K>(emission({ kind: 'none' }), int32Type)
    const q = options.quantization ?? layerRange(emission({ kind: 'none' }) as unknown as Node, int32Type, channels, options)
    const min = options.relu === true ? Math.max(-128, q.zeroPoint) : -128
    return append<K>(emission({ kind: 'requantize', min, max: 127 }), (shape) => perTensor('int8', shape, q.scale, q.zeroPoint))
  }

  const layerRange = (node: Node, int32Type: (shape: Shape) => ValueType, channels: number, options: LayerOptions): Quantization => {
    const shape = operatorOf(node).outputShape(node, node.inputs.map(shapeAt))
    const sums = evaluateNode(node, int32Type(shape))
    const weights = (node as unknown as { weights: Tensor<QuantizedType> }).weights.type
    const inputScale = quantizedAt(node.inputs[0] as number).scales[0] as number
    const real = (sum: number, i: number): number => sum * inputScale * (weights.scales[weights.scales.length === 1 ? 0 : i % channels] as number)
    let [low, high] = [0, 0]
    sums.forEach((sum, i) => {
      const x = real(sum, i)
      if (x < low && options.relu !== true) low = x
      if (x > high) high = x
    })
    return fitRange(low, high, options.ties === true)
  }

  const windowOf = (shape: Shape, options: WindowOptions): { stride: readonly [number, number]; dilation: readonly [number, number]; padding: Padding } => {
    const stride = options.stride ?? [1, 1]
    const dilation = options.dilation ?? [1, 1]
    const [height, width] = shape.length === 3 ? [shape[0] as number, shape[1] as number] : [1, shape[0] as number]
    if (options.padding === 'valid') return { stride, dilation, padding: [0, 0, 0, 0] }
    if (options.padding !== undefined && options.padding !== 'same') return { stride, dilation, padding: options.padding }
    const [top, bottom] = samePadding(height, options.kernel[0], stride[0], dilation[0])
    const [left, right] = samePadding(width, options.kernel[1], stride[1], dilation[1])
    return { stride, dilation, padding: [top, bottom, left, right] }
  }

  const sameType =
    (value: number) =>
    (shape: Shape): ValueType => ({ ...quantizedAt(value), shape })
  const toInt8 =
    (q: Quantization) =>
    (shape: Shape): ValueType =>
      perTensor('int8', shape, q.scale, q.zeroPoint)

  return {
    random,
    typeAt,
    shapeAt,
    quantizationOf: (value: number): Quantization => ({ scale: quantizedAt(value).scales[0] as number, zeroPoint: quantizedAt(value).zeroPoint }),

    /** A network input; default int8 with scale 1/128 and zero point 0. */
    input: (shape: Shape, type: Partial<Quantization> & { kind?: 'int8' | 'int32' } = {}): number => {
      const valueType = perTensor(type.kind ?? 'int8', shape, type.scale ?? 1 / 128, type.zeroPoint ?? 0)
      const value = addValue(valueType, randomElements(valueType, elementCount(shape), random), 'input')
      inputs.push(value)
      return value
    },

    dense: (x: number, units: number, options: LayerOptions = {}): number => {
      const taps = shapeAt(x)[0] as number
      const weights = randomWeights([units, taps], 0, options)
      return appendLayer<'dense'>({ kind: 'dense', inputs: [x], weights, bias: randomBias(units, taps, options) }, units, options)
    },

    conv2d: (x: number, channels: number, options: WindowOptions): number => {
      const inputChannels = shapeAt(x)[2] as number
      const weights = randomWeights([channels, ...options.kernel, inputChannels], 0, options)
      const bias = randomBias(channels, elementCount(options.kernel) * inputChannels, options)
      return appendLayer<'conv2d'>({ kind: 'conv2d', inputs: [x], weights, bias, ...windowOf(shapeAt(x), options) }, channels, options)
    },

    /** Windows are [1, k]; stride and dilation use the second number. */
    conv1d: (x: number, channels: number, options: WindowOptions): number => {
      const inputChannels = shapeAt(x)[1] as number
      const weights = randomWeights([channels, options.kernel[1], inputChannels], 0, options)
      const bias = randomBias(channels, options.kernel[1] * inputChannels, options)
      const { stride, dilation, padding } = windowOf(shapeAt(x), options)
      const window = { stride: stride[1], dilation: dilation[1], padding: [padding[2], padding[3]] as const }
      return appendLayer<'conv1d'>({ kind: 'conv1d', inputs: [x], weights, bias, ...window }, channels, options)
    },

    depthwise: (x: number, multiplier: number, options: WindowOptions): number => {
      const channels = (shapeAt(x)[2] as number) * multiplier
      const weights = randomWeights([...options.kernel, channels], 2, options)
      const bias = randomBias(channels, elementCount(options.kernel), options)
      return appendLayer<'depthwiseConv2d'>({ kind: 'depthwiseConv2d', inputs: [x], weights, bias, ...windowOf(shapeAt(x), options) }, channels, options)
    },

    maxPool: (x: number, options: WindowOptions): number => {
      const { stride, padding } = windowOf(shapeAt(x), options)
      return append<'maxPool'>({ kind: 'maxPool', inputs: [x], kernel: options.kernel, stride, padding }, sameType(x))
    },

    averagePool: (x: number, options: WindowOptions): number => {
      const { stride, padding } = windowOf(shapeAt(x), options)
      const q = options.quantization ?? { scale: quantizedAt(x).scales[0] as number, zeroPoint: quantizedAt(x).zeroPoint }
      return append<'averagePool'>({ kind: 'averagePool', inputs: [x], kernel: options.kernel, stride, padding }, toInt8(q))
    },

    globalMaxPool: (x: number): number => append<'globalMaxPool'>({ kind: 'globalMaxPool', inputs: [x] }, sameType(x)),

    globalAveragePool: (x: number, quantization?: Quantization): number => {
      const q = quantization ?? { scale: (quantizedAt(x).scales[0] as number) / 2, zeroPoint: quantizedAt(x).zeroPoint }
      return append<'globalAveragePool'>({ kind: 'globalAveragePool', inputs: [x] }, toInt8(q))
    },

    add: (a: number, b: number, options: LayerOptions = {}): number => {
      const range = (value: number): readonly [number, number] => {
        const { scales, zeroPoint } = quantizedAt(value)
        return [(scales[0] as number) * (-128 - zeroPoint), (scales[0] as number) * (127 - zeroPoint)]
      }
      const [low, high] = [0, 1].map((i) => 0.8 * ((range(a)[i] as number) + (range(b)[i] as number))) as [number, number]
      const q = options.quantization ?? fitRange(options.relu === true ? 0 : low, high, options.ties === true)
      const min = options.relu === true ? Math.max(-128, q.zeroPoint) : -128
      return append<'add'>({ kind: 'add', inputs: [a, b], emission: { kind: 'requantize', min, max: 127 } }, toInt8(q))
    },

    /** All values must have one quantization. */
    concat: (parts: readonly number[], axis: number): number => append<'concat'>({ kind: 'concat', inputs: parts, axis }, sameType(parts[0] as number)),

    flatten: (x: number): number => append<'flatten'>({ kind: 'flatten', inputs: [x] }, sameType(x)),

    reshape: (x: number, shape: Shape): number => append<'reshape'>({ kind: 'reshape', inputs: [x], shape }, sameType(x)),

    relu: (x: number, max: number | null = null): number => append<'relu'>({ kind: 'relu', inputs: [x], max }, sameType(x)),

    softmax: (x: number): number => append<'softmax'>({ kind: 'softmax', inputs: [x] }, (shape) => ({ kind: 'float32', shape })),

    /** The finished network, verified. */
    build: (outputs: readonly number[], labels: readonly string[] = []): Network<'integer'> =>
      verify<'integer'>({ stage: 'integer', name, rounding: 'single', values, inputs, outputs, nodes, labels, metadata: {} }),
  }
}

export type NetworkBuilder = ReturnType<typeof networkBuilder>

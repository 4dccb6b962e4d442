// The layers that spikeport adds to TensorFlow.js: Staircase, Sign, BinaryDense and BinaryConv2D, and those over time (spiking.ts). They save into model.json under these names,
// and src/importers/tfjs reads them. Classes, because TensorFlow.js extends layers that way; made once for the module that was loaded.

import type { layers, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { StaircaseCurve } from '#src/network/operators/staircase.js'
import type { TensorFlow } from '../tfjs.js'
import { makeSpikingLayers, type SpikingLayers } from './spiking.js'
import { signStraightThrough, staircaseStraightThrough } from './straight-through.js'

type Layer = layers.Layer
type Config = Record<string, unknown>

export interface StaircaseOptions {
  readonly name?: string
  /** stairs, 2..256: values 0, 1 / levels, ... (levels - 1) / levels */
  readonly levels: number
  /** default sigmoid */
  readonly curve?: StaircaseCurve
}

export interface BinaryDenseOptions {
  readonly name?: string
  readonly units: number
  /** default false */
  readonly useBias?: boolean
  /** of the latent weights; default 1 */
  readonly seed?: number
}

export interface BinaryConv2dOptions extends Omit<BinaryDenseOptions, 'units'> {
  readonly filters: number
  readonly kernelSize: number
  /** default 1 */
  readonly strides?: number
  /** same pads with -1 */
  readonly padding?: 'same' | 'valid'
}

/** Layers to build models with. */
export interface BinaryLayers extends SpikingLayers {
  /** floor(levels * curve(x)) / levels, at most (levels - 1) / levels */
  readonly staircase: (options: StaircaseOptions) => Layer
  /** +1 where x >= 0, otherwise -1 */
  readonly sign: (options?: { readonly name?: string }) => Layer
  /** Dense with weights +1 and -1 over sqrt(inputs) */
  readonly binaryDense: (options: BinaryDenseOptions) => Layer
  /** Conv2D with weights +1 and -1 over sqrt(taps), for inputs +1 and -1 */
  readonly binaryConv2d: (options: BinaryConv2dOptions) => Layer
}

/** Latent weights stay within -1..1. */
export const LATENT_LIMIT = 1

const made = new WeakMap<TensorFlow, BinaryLayers>()

/** The layers for a loaded TensorFlow.js; registers their classes the first time. */
export const spikeportLayers = (tf: TensorFlow): BinaryLayers => {
  const known = made.get(tf) ?? makeLayers(tf)
  made.set(tf, known)
  return known
}

/** The factor of sign weights over `taps` inputs. */
const weightScale = (taps: number): number => Math.fround(1 / Math.sqrt(taps))
const only = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? (inputs[0] as Tensor) : inputs)

const makeLayers = (tf: TensorFlow): BinaryLayers => {
  const limit = { limit: LATENT_LIMIT, apply: (w: Tensor): Tensor => tf.clipByValue(w, -LATENT_LIMIT, LATENT_LIMIT) }
  type Constraint = Parameters<Layer['addWeight']>[6]
  const shape = (shapes: unknown): number[] => (Array.isArray((shapes as unknown[])[0]) ? (shapes as number[][])[0] : shapes) as number[]

  class Staircase extends tf.layers.Layer {
    static className = 'Staircase'
    readonly levels: number
    readonly curve: StaircaseCurve
    constructor(config: Config) {
      super(config as never)
      this.levels = config.levels as number
      this.curve = (config.curve as StaircaseCurve | undefined) ?? 'sigmoid'
    }
    override computeOutputShape(input: never): never {
      return input
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => staircaseStraightThrough(tf, only(inputs), this.levels, this.curve))
    }
    override getConfig(): never {
      return { ...super.getConfig(), levels: this.levels, curve: this.curve } as never
    }
  }

  class Sign extends tf.layers.Layer {
    static className = 'Sign'
    override computeOutputShape(input: never): never {
      return input
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => signStraightThrough(tf, only(inputs)))
    }
  }

  /** What both layers with sign weights share. */
  abstract class Binary extends tf.layers.Layer {
    readonly useBias: boolean
    readonly seed: number
    private kernel: ReturnType<Layer['addWeight']> | undefined
    private bias: ReturnType<Layer['addWeight']> | undefined
    constructor(config: Config) {
      super(config as never)
      this.useBias = (config.useBias as boolean | undefined) ?? false
      this.seed = (config.seed as number | undefined) ?? 1
    }
    protected addWeights(kernelShape: number[], outputs: number): void {
      const start = tf.initializers.randomUniform({ minval: -0.1, maxval: 0.1, seed: this.seed })
      this.kernel = this.addWeight('kernel', kernelShape, 'float32', start, undefined, true, limit as unknown as Constraint)
      if (this.useBias) this.bias = this.addWeight('bias', [outputs], 'float32', tf.initializers.zeros())
      this.built = true
    }
    /** Sign weights times the scale. */
    protected signs(): Tensor {
      const kernel = this.kernel?.read() as Tensor
      const taps = kernel.shape.slice(0, -1).reduce((a, b) => a * b, 1)
      return tf.mul(signStraightThrough(tf, kernel), weightScale(taps))
    }
    protected withBias(sums: Tensor): Tensor {
      return this.bias === undefined ? sums : tf.add(sums, this.bias.read())
    }
    override getConfig(): never {
      return { ...super.getConfig(), useBias: this.useBias, seed: this.seed } as never
    }
  }

  class BinaryDense extends Binary {
    static className = 'BinaryDense'
    readonly units: number
    constructor(config: Config) {
      super(config)
      this.units = config.units as number
    }
    override build(input: never): void {
      this.addWeights([shape(input).at(-1) as number, this.units], this.units)
    }
    override computeOutputShape(input: never): never {
      return [...shape(input).slice(0, -1), this.units] as never
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => this.withBias(tf.matMul(only(inputs) as Tensor2D, this.signs() as Tensor2D)))
    }
    override getConfig(): never {
      return { ...(super.getConfig() as object), units: this.units } as never
    }
  }

  class BinaryConv2D extends Binary {
    static className = 'BinaryConv2D'
    readonly filters: number
    readonly kernelSize: number
    readonly strides: number
    readonly padding: 'same' | 'valid'
    constructor(config: Config) {
      super(config)
      this.filters = config.filters as number
      this.kernelSize = config.kernelSize as number
      this.strides = (config.strides as number | undefined) ?? 1
      this.padding = (config.padding as 'same' | 'valid' | undefined) ?? 'valid'
    }
    override build(input: never): void {
      this.addWeights([this.kernelSize, this.kernelSize, shape(input).at(-1) as number, this.filters], this.filters)
    }
    override computeOutputShape(input: never): never {
      const [batch, ...size] = shape(input)
      const along = (n: number): number => Math.ceil((this.padding === 'same' ? n : n - this.kernelSize + 1) / this.strides)
      return [batch, along(size[0] as number), along(size[1] as number), this.filters] as never
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => {
        const x = only(inputs) as Tensor4D
        const padded = this.padding === 'same' ? tf.pad4d(x, [[0, 0], this.sides(x.shape[1]), this.sides(x.shape[2]), [0, 0]], -1) : x
        return this.withBias(tf.conv2d(padded, this.signs() as Tensor4D, this.strides, 'valid'))
      })
    }
    private sides(size: number): [number, number] {
      const total = Math.max(0, (Math.ceil(size / this.strides) - 1) * this.strides + this.kernelSize - size)
      return [Math.floor(total / 2), Math.ceil(total / 2)]
    }
    override getConfig(): never {
      const { filters, kernelSize, strides, padding } = this
      return { ...(super.getConfig() as object), filters, kernelSize, strides, padding } as never
    }
  }

  for (const layer of [Staircase, Sign, BinaryDense, BinaryConv2D]) tf.serialization.registerClass(layer as never)
  return {
    ...makeSpikingLayers(tf),
    staircase: (options) => new Staircase({ ...options }),
    sign: (options = {}) => new Sign({ ...options } as never),
    binaryDense: (options) => new BinaryDense({ ...options }),
    binaryConv2d: (options) => new BinaryConv2D({ ...options }),
  }
}

// Layers over time for TensorFlow.js: Lif, Li and SpikeCount over values [steps, ...]. A model is dense layers with repeatVector (a direct current) or a
// recording [steps, ...] in front; backpropagation goes through all steps.

import type { layers, Tensor } from '@tensorflow/tfjs'
import { LEAST_LEARNED_THRESHOLD } from '#src/network/operators/lif.js'
import type { TensorFlow } from '../tfjs.js'
import { type Surrogate, spike } from './surrogate.js'

type Layer = layers.Layer
type Config = Record<string, unknown>

export interface LifOptions {
  readonly name?: string
  /** share of the membrane that a step keeps, 0..1; default 0.95 */
  readonly beta?: number
  /** above 0; default 1 */
  readonly threshold?: number
  /** what a spike does to the membrane; default zero */
  readonly reset?: 'zero' | 'subtract'
  /** default fast-sigmoid */
  readonly surrogate?: Surrogate
  /** steepness of the surrogate, above 0; default 5 */
  readonly slope?: number
  /** one beta a channel is learned; default false */
  readonly learnsBeta?: boolean
  /** one threshold a channel is learned; default false */
  readonly learnsThreshold?: boolean
}

/** Layers to build models over time with. */
export interface SpikingLayers {
  /** leaky integrate-and-fire units: [steps, ...] -> spikes [steps, ...] */
  readonly lif: (options?: LifOptions) => Layer
  /** leaky integrators: the membrane of the last step, [steps, ...] -> [...] */
  readonly li: (options?: { readonly name?: string; readonly beta?: number }) => Layer
  /** the sum over the steps, [steps, ...] -> [...] */
  readonly spikeCount: (options?: { readonly name?: string }) => Layer
  /** marks a recording [steps, ...]: passes it on; the deployed network takes one slice a step */
  readonly recording: (options?: { readonly name?: string }) => Layer
}

const only = (inputs: Tensor | Tensor[]): Tensor => (Array.isArray(inputs) ? (inputs[0] as Tensor) : inputs)
const shapeOf = (shapes: unknown): number[] => (Array.isArray((shapes as unknown[])[0]) ? (shapes as number[][])[0] : shapes) as number[]
const withoutTime = (shapes: unknown): number[] => shapeOf(shapes).filter((_, axis) => axis !== 1)

/** The layers for a loaded TensorFlow.js; registers their classes. */
export const makeSpikingLayers = (tf: TensorFlow): SpikingLayers => {
  class Lif extends tf.layers.Layer {
    static className = 'Lif'
    readonly options: Required<Omit<LifOptions, 'name'>>
    private beta: ReturnType<Layer['addWeight']> | undefined
    private threshold: ReturnType<Layer['addWeight']> | undefined
    constructor(config: Config) {
      super(config as never)
      const given = config as LifOptions
      this.options = {
        beta: given.beta ?? 0.95,
        threshold: given.threshold ?? 1,
        reset: given.reset ?? 'zero',
        surrogate: given.surrogate ?? 'fast-sigmoid',
        slope: given.slope ?? 5,
        learnsBeta: given.learnsBeta ?? false,
        learnsThreshold: given.learnsThreshold ?? false,
      }
    }
    override build(input: never): void {
      const channels = [shapeOf(input).at(-1) as number]
      const start = (value: number) => tf.initializers.constant({ value })
      if (this.options.learnsBeta) this.beta = this.addWeight('beta', channels, 'float32', start(this.options.beta))
      if (this.options.learnsThreshold) this.threshold = this.addWeight('threshold', channels, 'float32', start(this.options.threshold))
      this.built = true
    }
    override computeOutputShape(input: never): never {
      return input
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => {
        const { surrogate, slope, reset, beta, threshold } = this.options
        const keep = this.beta === undefined ? tf.scalar(beta) : tf.clipByValue(this.beta.read(), 0, 1)
        const limit = this.threshold === undefined ? tf.scalar(threshold) : tf.maximum(this.threshold.read(), LEAST_LEARNED_THRESHOLD)
        const spikes: Tensor[] = []
        let membrane: Tensor | null = null
        for (const x of tf.unstack(only(inputs), 1)) {
          const u: Tensor = membrane === null ? x : tf.add(tf.mul(membrane, keep), x)
          const fired = spike(tf, tf.sub(u, limit), surrogate, slope)
          // the reset itself passes no gradient: it is a choice, not a slope
          const hasFired = tf.greaterEqual(u, limit)
          membrane = tf.where(hasFired, reset === 'zero' ? tf.zerosLike(u) : tf.sub(u, limit), u)
          spikes.push(fired)
        }
        return tf.stack(spikes, 1)
      })
    }
    override getConfig(): never {
      return { ...(super.getConfig() as object), ...this.options } as never
    }
  }

  class Li extends tf.layers.Layer {
    static className = 'Li'
    readonly beta: number
    constructor(config: Config) {
      super(config as never)
      this.beta = (config.beta as number | undefined) ?? 0.95
    }
    override computeOutputShape(input: never): never {
      return withoutTime(input) as never
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => tf.unstack(only(inputs), 1).reduce((membrane, x) => tf.add(tf.mul(membrane, this.beta), x)))
    }
    override getConfig(): never {
      return { ...(super.getConfig() as object), beta: this.beta } as never
    }
  }

  class SpikeCount extends tf.layers.Layer {
    static className = 'SpikeCount'
    override computeOutputShape(input: never): never {
      return withoutTime(input) as never
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => tf.sum(only(inputs), 1))
    }
  }

  class Recording extends tf.layers.Layer {
    static className = 'Recording'
    override computeOutputShape(input: never): never {
      return input
    }
    override call(inputs: Tensor | Tensor[]): Tensor {
      return tf.tidy(() => tf.clone(only(inputs)))
    }
  }

  for (const layer of [Lif, Li, SpikeCount, Recording]) tf.serialization.registerClass(layer as never)
  return {
    lif: (options = {}) => new Lif({ ...options }),
    li: (options = {}) => new Li({ ...options }),
    spikeCount: (options = {}) => new SpikeCount({ ...options } as never),
    recording: (options = {}) => new Recording({ ...options } as never),
  }
}

// The forward pass of training, and the loss on its logits: the layers' own computation, except that batch normalization is one
// operation, dropout draws from the counter-based generator, and a last softmax is left to the loss.

import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import { unsupported } from '#src/errors.js'
import { randomWords, STREAMS } from '#src/random.js'
import { batchNormTraining } from './batch-norm.js'
import { beforeActivation, findWeight, type LayerCall, type ModelGraph, weightedKind } from './model-graph.js'
import type { TensorFlow } from './tfjs.js'

export interface TrainingStep {
  readonly seed: number
  /** counts from 0 over the whole training */
  readonly step: number
}

/** The model's output for x [n, ...] in training mode; before softmax if the model ends with one. Updates moving averages. */
export const trainingForward = (tf: TensorFlow, graph: ModelGraph, x: Tensor, step: TrainingStep): Tensor => {
  const values: Tensor[] = [x]
  for (const call of graph.calls) {
    values[call.output] = callOutput(
      tf,
      call,
      call.inputs.map((index) => valueAt(values, index)),
      step,
      call.output === graph.output,
    )
  }
  return valueAt(values, graph.output)
}

const valueAt = (values: readonly Tensor[], index: number): Tensor => values[index] as Tensor

const callOutput = (tf: TensorFlow, call: LayerCall, inputs: Tensor[], step: TrainingStep, isLast: boolean): Tensor => {
  const x = inputs[0] as Tensor
  const weighted = weightedKind(call)
  if (isLast && weighted !== undefined && call.config.activation === 'softmax') return beforeActivation(tf, call, weighted, x)
  if (isLast && isSoftmax(call)) return x
  if (call.kind === 'Dropout') return tf.dropout(x, call.config.rate ?? 0, undefined, dropoutSeed(step, call.output))
  if (call.kind === 'BatchNormalization') return batchNorm(tf, call, x) ?? applyLayer(call, inputs)
  return applyLayer(call, inputs)
}

/** True for a layer that only computes softmax. */
export const isSoftmax = ({ kind, config }: LayerCall): boolean => kind === 'Softmax' || (kind === 'Activation' && config.activation === 'softmax')

const applyLayer = ({ layer }: LayerCall, inputs: Tensor[]): Tensor =>
  layer.apply(inputs.length === 1 ? (inputs[0] as Tensor) : inputs, { training: true }) as Tensor

const dropoutSeed = ({ seed, step }: TrainingStep, layer: number): number => randomWords(seed, step, STREAMS.dropout, layer)[0]

/** Batch normalization as one operation that updates the moving averages; undefined where the axis is not the last. */
const batchNorm = (tf: TensorFlow, call: LayerCall, x: Tensor): Tensor | undefined => {
  const { axis, epsilon = 1e-3, momentum = 0.99 } = call.config
  const channelAxis = typeof axis === 'number' ? axis : axis?.[0]
  if (channelAxis !== -1 && channelAxis !== x.rank - 1) return undefined
  const channels = x.shape.at(-1) ?? 1
  const gamma = findWeight(call.layer, 'gamma') ?? tf.ones([channels])
  const beta = findWeight(call.layer, 'beta') ?? tf.zeros([channels])
  return batchNormTraining(tf, x, gamma, beta, epsilon, (mean, variance) => {
    for (const [name, value] of [
      ['moving_mean', mean],
      ['moving_variance', variance],
    ] as const) {
      const moving = findWeight(call.layer, name)
      moving?.assign(tf.add(tf.mul(moving, momentum), tf.mul(value, 1 - momentum)))
    }
  })
}

/** Mean cross-entropy of logits [n, classes] against labels [n]; smoothing moves that share of each target to all classes evenly. */
export const crossEntropy = (tf: TensorFlow, logits: Tensor, labels: Int32Array, smoothing = 0): Tensor => {
  const classes = logits.shape.at(-1) ?? 1
  if (logits.rank !== 2)
    throw unsupported(`the model's output has shape [${logits.shape.join(', ')}], training takes [n, classes].`, 'End the model with a dense layer.')
  const targets = new Float32Array(labels.length * classes).fill(smoothing / classes)
  labels.forEach((label, i) => {
    targets[i * classes + label] = (targets[i * classes + label] ?? 0) + 1 - smoothing
  })
  const logProbabilities = tf.logSoftmax(logits as Tensor2D)
  return tf.mul(tf.sum(tf.mul(logProbabilities, tf.tensor2d(targets, [labels.length, classes]))), -1 / labels.length)
}

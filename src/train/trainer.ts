// The trainable part of a model during a training: weights as plain arrays beside their tensorflow variables, one optimizer step
// at a time. Knows nothing of epochs, files or progress.

import type { LayersModel, Tensor, Variable } from '@tensorflow/tfjs'
import { initialState, type OptimizerState, optimizerStep } from './optimizer.js'
import type { OptimizerSettings } from './schedule.js'
import type { TensorFlow } from './tfjs.js'

export interface Trainer {
  readonly tf: TensorFlow
  readonly settings: OptimizerSettings
  readonly variables: readonly Variable[]
  readonly weights: readonly Float32Array[]
  /** which tensors weight decay shrinks: those with two or more dimensions */
  readonly decays: readonly boolean[]
  /** bound of the magnitude of each tensor's weights (latent weights of binary layers), null: none */
  readonly limits: readonly (number | null)[]
  readonly state: OptimizerState
}

/** The limit that a layer of src/train/layers sets as its weight's constraint. */
const limitOf = (weight: object): number | null => (weight as { constraint?: { limit?: number } | null }).constraint?.limit ?? null

const keepWithin = (weights: Float32Array, limit: number): void => {
  for (let i = 0; i < weights.length; i++) weights[i] = Math.min(limit, Math.max(-limit, weights[i] as number))
}

/** A trainer of a model's trainable weights. */
export const makeTrainer = (tf: TensorFlow, model: LayersModel, settings: OptimizerSettings): Trainer => {
  const variables = model.trainableWeights.map((weight) => weight.read() as Variable)
  const weights = variables.map((variable) => Float32Array.from(variable.dataSync()))
  return {
    tf,
    settings,
    variables,
    weights,
    decays: variables.map((variable) => variable.rank > 1),
    limits: model.trainableWeights.map(limitOf),
    state: initialState(
      settings,
      weights.map((array) => array.length),
    ),
  }
}

/** One step down the gradient of a loss; gives the loss before the step. */
export const trainStep = (trainer: Trainer, learningRate: number, loss: () => Tensor): number => {
  const { tf, variables, weights } = trainer
  return tf.tidy(() => {
    const { value, grads } = tf.variableGrads(() => loss().asScalar(), [...variables])
    const gradients = variables.map((variable, i) => {
      const gradient = grads[variable.name]
      return gradient === undefined ? new Float32Array(weights[i]?.length ?? 0) : (gradient.dataSync() as Float32Array)
    })
    optimizerStep(trainer.settings, trainer.state, weights, gradients, trainer.decays, learningRate)
    trainer.limits.forEach((limit, i) => {
      if (limit !== null) keepWithin(weights[i] as Float32Array, limit)
    })
    assignWeights(trainer)
    return value.dataSync()[0] ?? Number.NaN
  })
}

/** Copies the weights to the model. */
export const assignWeights = ({ tf, variables, weights }: Trainer): void =>
  variables.forEach((variable, i) => {
    const tensor = tf.tensor(weights[i] as Float32Array, variable.shape)
    variable.assign(tensor)
    tensor.dispose()
  })

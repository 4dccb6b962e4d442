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
  readonly state: OptimizerState
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

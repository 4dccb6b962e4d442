// The models that come with spikeport, by name; each recipe loads when asked for.

import type { Recipe } from '#src/train/recipe.js'

export interface ShippedModel {
  readonly name: string
  /** one line for lists */
  readonly description: string
  readonly load: () => Promise<Recipe>
}

/** The shipped models, in the order lists show them. */
export const models: readonly ShippedModel[] = [
  {
    name: 'mnist-mlp',
    description: 'dense 784-128-128-10 on MNIST',
    load: async () => (await import('./mnist-mlp/recipe.js')).recipe,
  },
  {
    name: 'mnist-mlp-staircase',
    description: 'dense 784-128-128-10 with staircases of five levels on MNIST',
    load: async () => (await import('./mnist-mlp-staircase/recipe.js')).recipe,
  },
  {
    name: 'mnist-mlp-binary',
    description: 'dense 784-256-256-10 with sign weights and activations on MNIST',
    load: async () => (await import('./mnist-mlp-binary/recipe.js')).recipe,
  },
  {
    name: 'mnist-cnn',
    description: 'three strided convolutions on MNIST',
    load: async () => (await import('./mnist-cnn/recipe.js')).recipe,
  },
  {
    name: 'mnist-cnn-staircase',
    description: 'three strided convolutions with staircases of five levels on MNIST',
    load: async () => (await import('./mnist-cnn-staircase/recipe.js')).recipe,
  },
  {
    name: 'mnist-cnn-binary',
    description: 'an int8 and two binary convolutions on MNIST',
    load: async () => (await import('./mnist-cnn-binary/recipe.js')).recipe,
  },
  {
    name: 'mnist-snn',
    description: 'leaky integrate-and-fire units, 784-128-10 over fifteen steps, on MNIST',
    load: async () => (await import('./mnist-snn/recipe.js')).recipe,
  },
  {
    name: 'fashion-cnn',
    description: 'residual and depthwise convolutions on Fashion-MNIST',
    load: async () => (await import('./fashion-cnn/recipe.js')).recipe,
  },
]

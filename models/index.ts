// The models that come with spikeport, by name; each recipe loads when asked for.

import type { Recipe } from '#src/train/recipe.js'

/** The shipped recipes, in the order lists show them. */
export const MODELS: Readonly<Record<string, () => Promise<Recipe>>> = {
  'mnist-mlp': async () => (await import('./mnist-mlp/recipe.js')).recipe,
  'mnist-cnn': async () => (await import('./mnist-cnn/recipe.js')).recipe,
  'fashion-cnn': async () => (await import('./fashion-cnn/recipe.js')).recipe,
}

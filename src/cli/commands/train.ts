// spikeport train: a recipe, shipped or the user's own, trained in TensorFlow.js; Ctrl-C keeps the best checkpoint.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Command } from 'commander'
import { models } from '#models/index.js'
import { SpikeportError, usage } from '../../errors.js'
import type { Recipe } from '../../train/recipe.js'
import { type TrainOptions, type TrainResult, train } from '../../train/train.js'
import { type Progress as Bar, type Io, percent, processIo } from '../io.js'
import { count, finish } from '../options.js'

interface Options {
  readonly output: string
  readonly seed?: number
  readonly fast?: boolean
  readonly resume?: boolean
  readonly json?: boolean
}

const MODEL_NAMES = models.map(({ name }) => name).join(', ')

const isRecipe = (x: unknown): x is Recipe => x !== null && typeof x === 'object' && ['data', 'model', 'schedule'].every((key) => key in x)

const importFile = async (path: string): Promise<Record<string, unknown>> => {
  const url = pathToFileURL(resolve(path)).href
  try {
    if (!path.endsWith('.ts')) return (await import(url)) as Record<string, unknown>
    const { tsImport } = await import('tsx/esm/api')
    return (await tsImport(url, import.meta.url)) as Record<string, unknown>
  } catch (error) {
    if (error instanceof SpikeportError) throw error
    throw usage(
      `${path} does not load: ${error instanceof Error ? error.message.trim() : String(error)}.`,
      'A recipe is an ES module that exports `recipe`; models/mnist-mlp/recipe.ts is an example.',
    )
  }
}

/** A shipped recipe by name, or the export `recipe` of a file. */
export const openRecipe = async (source: string): Promise<Recipe> => {
  const shipped = models.find(({ name }) => name === source)
  if (shipped !== undefined) return shipped.load()
  if (!existsSync(source)) throw usage(`there is no recipe "${source}".`, `Pass a file, or one of ${MODEL_NAMES}.`)
  const loaded = await importFile(source)
  const recipe = loaded['recipe'] ?? (loaded['default'] as Record<string, unknown> | undefined)?.['recipe']
  if (!isRecipe(recipe)) throw usage(`${source} exports no \`recipe\` with data, model and schedule.`, 'models/mnist-mlp/recipe.ts is an example.')
  return recipe
}

/** Trains with a progress bar on a terminal and a line an epoch elsewhere. */
export const trainWithProgress = async (io: Io, recipe: Recipe, options: TrainOptions): Promise<TrainResult> => {
  let bar: Bar | undefined
  try {
    return await train(recipe, {
      ...options,
      signal: io.signal,
      onProgress: ({ epoch, epochs, batch, batches, loss, validationAccuracy, secondsLeft }) => {
        bar ??= io.progress(`training ${recipe.name}`, epochs * batches)
        const accuracy = validationAccuracy === null ? '' : `, validation ${percent(validationAccuracy)}`
        bar.update((epoch - 1) * batches + batch, `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}${accuracy}, ${Math.ceil(secondsLeft)} s left`)
      },
    })
  } finally {
    bar?.stop()
  }
}

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const recipe = await openRecipe(source)
  if (options.fast === true && recipe.fast === undefined) throw usage(`recipe "${recipe.name}" has no fast schedule.`, 'Leave --fast out.')
  const result = await trainWithProgress(io, recipe, {
    output: options.output,
    seed: options.seed,
    resume: options.resume,
    schedule: options.fast === true ? recipe.fast : undefined,
  })
  result.model.dispose()
  const { history, best, testAccuracy, stopped, checkpoint, seconds } = result
  io.json({ recipe: recipe.name, history, best, testAccuracy, stopped, checkpoint, seconds })
  for (const { epoch, loss, validationAccuracy } of history) io.print(`epoch ${epoch}: loss ${loss.toFixed(4)}, validation ${percent(validationAccuracy)}`)
  io.print(
    best === null ? 'no epoch was completed, nothing was kept' : `kept epoch ${best.epoch} (validation ${percent(best.validationAccuracy)}) in ${checkpoint}`,
  )
  if (testAccuracy !== null) io.print(`test ${percent(testAccuracy)}, ${seconds.toFixed(0)} s`)
  if (stopped === 'interrupted') {
    io.note(`interrupted; go on with: spikeport train ${source} -o ${options.output} --resume`)
    process.exitCode = 130
  }
}

export const registerTrain = (program: Command): void => {
  finish(
    program
      .command('train')
      .description('train a recipe in TensorFlow.js and save it as model.json with weights; Ctrl-C keeps the best checkpoint')
      .argument('<recipe>', `a shipped recipe (${MODEL_NAMES}) or a recipe file (.ts, .js)`)
      .requiredOption('-o, --output <folder>', 'where model.json, the weights and the state to resume from go')
      .option('--seed <n>', "seed of weights, order and augmentation (default: the recipe's)", count(0))
      .option('--fast', 'the short schedule of the recipe')
      .option('--resume', 'go on with the unfinished training in the output folder')
      .action(run),
    'spikeport train mnist-cnn -o digits/',
  )
}

// spikeport finetune: quantization-aware fine-tuning of a trained TensorFlow.js model on a recipe's data, so that int8 loses little.

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { interrupted } from '../../errors.js'
import { loadModel, saveModel } from '../../train/model-files.js'
import { fineTuneQuantized } from '../../train/quantization-aware.js'
import { loadTensorFlow } from '../../train/tfjs.js'
import { type Progress as Bar, percent, processIo } from '../io.js'
import { count, finish, real } from '../options.js'
import { openRecipe } from './train.js'

interface Options {
  readonly recipe: string
  readonly output: string
  readonly steps: number
  readonly learningRate: number
  readonly seed: number
  readonly json?: boolean
}

const modelPath = (source: string): string => (existsSync(source) && statSync(source).isDirectory() ? join(source, 'model.json') : source)

const run = async (source: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const recipe = await openRecipe(options.recipe)
  const tf = await loadTensorFlow()
  const original = await loadModel(tf, modelPath(source))
  const { steps, learningRate, seed } = options
  let bar: Bar | undefined
  const result = await fineTuneQuantized(original, await recipe.data(), {
    steps,
    learningRate,
    seed,
    augmentation: recipe.schedule.augmentation,
    signal: io.signal,
    onProgress: ({ step, loss, validationAccuracy }) => {
      bar ??= io.progress('quantization-aware fine-tuning', steps)
      bar.update(step, `loss ${loss.toFixed(4)}, validation ${percent(validationAccuracy)}`)
    },
  }).finally(() => bar?.stop())
  await saveModel(tf, result.model, options.output)
  const { accuracyBefore, accuracyAfter } = result
  io.json({ output: options.output, accuracyBefore, accuracyAfter })
  io.print(`${options.output}: int8 validation accuracy ${percent(accuracyBefore)} before, ${percent(accuracyAfter)} after`)
  if (io.signal.aborted) throw interrupted('the fine-tuning was stopped.', `The best weights so far are in ${options.output}.`)
}

export const registerFinetune = (program: Command): void => {
  finish(
    program
      .command('finetune')
      .description('fine-tune a trained TensorFlow.js model with fake-quantized weights and activations, to win int8 accuracy back')
      .argument('<model>', 'model.json, or the folder that holds it')
      .requiredOption('--recipe <recipe>', 'whose data and augmentation to use: a shipped recipe or a recipe file')
      .requiredOption('-o, --output <folder>', 'where the new model.json and weights go')
      .option('--steps <n>', 'optimizer steps', count(1), 300)
      .option('--learning-rate <x>', 'peak of the cosine schedule', real, 0.001)
      .option('--seed <n>', 'order of the samples', count(0), 1)
      .action(run),
    'spikeport finetune digits/ --recipe mnist-cnn -o digits-int8-ready/',
  )
}

// Bench accuracy: test accuracy of the shipped checkpoints, float (TensorFlow.js) and int8 (wasm engine), on the whole test set.

import { join, resolve } from 'node:path'
import { models } from '#models/index.js'
import { wasmRuntime } from '#runtimes/wasm/index.js'
import { argmax, summarize } from '#src/check/classification.js'
import { readBytes } from '#src/files.js'
import { typeOf } from '#src/network/graph.js'
import { loadNetwork } from '#src/network/net-file.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { quantizeInput } from '#src/quantize/index.js'
import { type DataSet, floatImages } from '#src/train/data.js'
import { accuracy } from '#src/train/evaluate.js'
import { loadModel } from '#src/train/model-files.js'
import { loadTensorFlow } from '#src/train/tfjs.js'
import type { Bench } from './bench.js'

const MODELS = resolve(import.meta.dirname, '../models')

const floatAccuracy = async (name: string, test: DataSet): Promise<number> => {
  const tf = await loadTensorFlow()
  const model = await loadModel(tf, join(MODELS, name, 'checkpoint/model.json'))
  const share = accuracy(tf, model, test)
  model.dispose()
  return share
}

const int8Accuracy = async (name: string, test: DataSet): Promise<number> => {
  const path = join(MODELS, name, 'int8.net')
  const network = loadNetwork(await readBytes(path), path) as Network<'integer'>
  const session = await wasmRuntime.load(network)
  const [scores] = await session.run({ count: test.count, inputs: [quantizeInput(network, 0, floatImages(test))] })
  await session.close()
  const classes = typeOf(network, network.outputs[0] as number).shape[0] as number
  return summarize(argmax(scores as ElementArray, classes), test.labels, classes).accuracy
}

/** Least test accuracy in percent that the project holds itself to. */
const GOALS: Readonly<Record<string, number>> = {
  'mnist-mlp-staircase': 97.5,
  'mnist-mlp-binary': 97,
  'mnist-cnn': 98.5,
  'mnist-cnn-staircase': 98.5,
  'mnist-cnn-binary': 98.5,
  'mnist-snn': 97.8,
  'fashion-cnn': 90,
}

export const bench: Bench = {
  name: 'accuracy',
  description: 'test accuracy of the shipped checkpoints, float and int8',
  run: async (report) => {
    for (const { name, load } of models) {
      const { test } = await (await load()).data()
      const float = 100 * (await floatAccuracy(name, test))
      const int8 = 100 * (await int8Accuracy(name, test))
      const goal = GOALS[name]
      report({ case: name, metric: 'float test accuracy', value: float, unit: '%' })
      report({
        case: name,
        metric: 'int8 test accuracy',
        value: int8,
        unit: '%',
        ...(goal === undefined ? {} : { goal }),
        baseline: { name: 'float', value: float },
      })
    }
  },
}

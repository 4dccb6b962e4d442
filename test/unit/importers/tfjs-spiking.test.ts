// Layers over time against TensorFlow.js itself: direct currents and recordings, learned constants, both resets; and what is refused.

import { describe, expect, test } from 'vitest'
import { evaluate } from '#src/network/evaluate.js'
import type { Network } from '#src/network/types.js'
import { spikeportLayers } from '#src/train/layers/index.js'
import { testRandom } from '../../helpers/random.js'
import { importSaved, saveToMemory, sequential, tf } from './tfjs-models.js'

const { layers } = tf
const { lif, li, spikeCount, recording } = spikeportLayers(tf as never)
const SAMPLES = 4
const importModel = async (model: tf.LayersModel): Promise<Network> => importSaved(await saveToMemory(model))

const inputOf = (shape: readonly number[], seed: number): Float32Array => {
  const random = testRandom(seed)
  return Float32Array.from({ length: SAMPLES * shape.reduce((a, b) => a * b, 1) }, () => random.uniform() * 2)
}

const ourOutputs = (network: Network, inputs: Float32Array, width: number): number[] =>
  Array.from({ length: SAMPLES }, (_, s) => {
    const [length] = [inputs.length / SAMPLES]
    return Array.from(evaluate(network, [inputs.subarray(s * length, (s + 1) * length)])[network.outputs[0] as number] as Float32Array).slice(0, width)
  }).flat()

const CASES: readonly (readonly [string, () => tf.LayersModel, readonly number[]])[] = [
  [
    'a direct current',
    () =>
      sequential(
        [6],
        layers.dense({ units: 5 }),
        layers.repeatVector({ n: 9 }),
        lif() as never,
        layers.dense({ units: 4 }),
        lif() as never,
        spikeCount() as never,
      ),
    [6],
  ],
  [
    'reset by subtraction',
    () =>
      sequential(
        [6],
        layers.repeatVector({ n: 9 }),
        layers.dense({ units: 5 }),
        lif({ reset: 'subtract', beta: 0.8, threshold: 0.5 }) as never,
        spikeCount() as never,
      ),
    [6],
  ],
  [
    'learned constants',
    () =>
      sequential(
        [6],
        layers.repeatVector({ n: 7 }),
        lif({ learnsBeta: true, learnsThreshold: true, beta: 0.7, threshold: 1.5 }) as never,
        spikeCount() as never,
      ),
    [6],
  ],
  ['integrators', () => sequential([6], layers.repeatVector({ n: 7 }), lif() as never, layers.dense({ units: 3 }), li({ beta: 0.6 }) as never), [6]],
  ['a recording', () => sequential([8, 5], recording() as never, layers.dense({ units: 4 }), lif() as never, spikeCount() as never), [8, 5]],
]

describe('layers over time give what TensorFlow.js gives', () => {
  test.each(CASES)('%s', async (_, make, shape) => {
    const model = make()
    const network = await importModel(model)
    const inputs = inputOf(shape, 3)
    const expected = Array.from((model.predict(tf.tensor(inputs, [SAMPLES, ...shape])) as tf.Tensor).dataSync())
    const got = ourOutputs(network, inputs, expected.length / SAMPLES)
    expect(expected.some((x) => x !== 0)).toBe(true)
    // a sum at its threshold may round to either side in float32
    const apart = expected.filter((x, i) => Math.abs(x - (got[i] as number)) > 1e-4 * Math.max(1, Math.abs(x)))
    expect(apart.length / expected.length).toBeLessThan(0.05)
  })
})

test('layers of different numbers of steps are refused', async () => {
  const model = sequential([6], layers.repeatVector({ n: 3 }), lif() as never, spikeCount() as never, layers.repeatVector({ n: 4 }), spikeCount() as never)
  await expect(importModel(model)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

// Conversion of ReLU networks to spiking ones: rates stand for activations, and accuracy stays.

import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { wasmSession } from '#runtimes/wasm/index.js'
import { argmax, summarize } from '#src/check/classification.js'
import { convertToSpiking } from '#src/convert/spiking.js'
import { importTfjs } from '#src/importers/tfjs/index.js'
import { evaluate } from '#src/network/evaluate.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { calibrate, quantizationReport, quantizeInput, quantizeSimplified } from '#src/quantize/index.js'
import { simplify } from '#src/simplify/index.js'
import { floatImages } from '#src/train/data.js'
import { mnist } from '#src/train/mnist.js'

const IMAGES = 400
const modelOf = async (name: string): Promise<Network<'float'>> =>
  simplify(await importTfjs(resolve(import.meta.dirname, '../../models', name, 'checkpoint/model.json')))

describe.each([
  ['mnist-mlp', 16, 0.97],
  ['mnist-cnn', 64, 0.96],
])('%s in %i steps', (name, steps, least) => {
  test('keeps its accuracy as an integer spiking network, and its sums stand for the scores', async () => {
    const { train, validation } = await mnist()
    const float = await modelOf(name)
    const calibration = { count: 128, inputs: [floatImages(train, 0, 128)] }
    const spiking = convertToSpiking(float, calibrate(float, calibration, 'percentile', 99), { steps })
    const integer = quantizeSimplified(spiking, { scheme: 'spiking', calibration })
    const session = await wasmSession(integer)
    const images = floatImages(validation, 0, IMAGES)
    const [sums] = (await session.run({ count: IMAGES, inputs: [quantizeInput(integer, 0, images)] })) as [ElementArray]
    expect(summarize(argmax(sums, 10), validation.labels.subarray(0, IMAGES), 10).accuracy).toBeGreaterThan(least)
    const report = quantizationReport(spiking, integer, calibration)
    const agreements = report.flatMap(({ agreement }) => (agreement === null ? [] : [agreement]))
    expect(agreements.length).toBeGreaterThan(1)
    for (const agreement of agreements) expect(agreement).toBeGreaterThan(0.85)
  })
})

test('more steps bring rates closer to activations', async () => {
  const { train } = await mnist()
  const float = await modelOf('mnist-mlp')
  const calibration = { count: 32, inputs: [floatImages(train, 0, 32)] }
  const ranges = calibrate(float, calibration, 'minmax')
  const image = floatImages(train, 40, 1)
  const scores = (network: Network): ElementArray => evaluate(network, [image])[network.outputs[0] as number] as ElementArray
  const logits = evaluate(float, [image])
  const truth = logits[float.nodes.find(({ kind }) => kind === 'softmax')?.inputs[0] as number] as ElementArray
  const errorAt = (steps: number): number => {
    const got = scores(convertToSpiking(float, ranges, { steps }))
    return Math.hypot(...Array.from(truth as ArrayLike<number>, (x, i) => x - (got[i] as number)))
  }
  expect(errorAt(256)).toBeLessThan(0.35 * errorAt(16))
})

test('refuses what has no spiking form by name', async () => {
  const float = await modelOf('fashion-cnn')
  expect(() =>
    convertToSpiking(
      float,
      float.values.map(() => ({ min: 0, max: 1 })),
      { steps: 8 },
    ),
  ).toThrow(/has no spiking form|another layer reads it/)
  const mlp = await modelOf('mnist-mlp')
  expect(() => convertToSpiking(mlp, [], { steps: 0 })).toThrow(/0 time steps/)
})

// The shipped models after coarse post-training quantization, or on inputs that changed: what tuning brings back from labelled samples.

import { fileURLToPath } from 'node:url'
import { importTfjs } from '#src/importers/tfjs/index.js'
import type { Network } from '#src/network/types.js'
import { quantizeInput, quantizeSimplified } from '#src/quantize/index.js'
import { STREAMS } from '#src/random.js'
import { simplify } from '#src/simplify/index.js'
import { type DataSet, floatImages, sliceData } from '#src/train/data.js'
import { mnist } from '#src/train/mnist.js'
import type { TuneData } from '#src/tune/data.js'
import { gaussians } from '#src/tune/gaussian.js'
import { accuracyOf, tuneNetwork } from '#src/tune/tune.js'
import { type Coarse, coarsen } from './coarsen.js'
import { cpuMilliseconds, type Report, type Task } from './task.js'

/** A shipped model as int8, calibrated on training images. */
const int8Model = async (name: string, train: DataSet): Promise<Network<'integer'>> => {
  const float = simplify(await importTfjs(fileURLToPath(new URL(`../../models/${name}/checkpoint/model.json`, import.meta.url))))
  return quantizeSimplified(float, { scheme: 'int8', calibration: { count: 256, inputs: [floatImages(train, 0, 256)] } })
}

type Images = (images: Float32Array, count: number) => Float32Array
const asTheyAre: Images = (images) => images

const encode = (network: Network<'integer'>, data: DataSet, change: Images = asTheyAre): TuneData => ({
  count: data.count,
  inputs: [quantizeInput(network, 0, change(floatImages(data), data.count))],
  labels: data.labels,
})

const SIZE = 28

/** Turned about the centre, bilinear, zero outside. */
const rotated =
  (degrees: number): Images =>
  (images, count) => {
    const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)]
    const out = new Float32Array(images.length)
    const pixel = (n: number, y: number, x: number): number => (y < 0 || x < 0 || y >= SIZE || x >= SIZE ? 0 : (images[(n * SIZE + y) * SIZE + x] as number))
    for (let at = 0; at < count * SIZE * SIZE; at++) {
      const [n, y, x] = [Math.floor(at / (SIZE * SIZE)), (Math.floor(at / SIZE) % SIZE) - 13.5, (at % SIZE) - 13.5]
      const [u, v] = [x * cos + y * sin + 13.5, y * cos - x * sin + 13.5]
      const [left, top] = [Math.floor(u), Math.floor(v)]
      const [right, down] = [u - left, v - top]
      out[at] =
        (pixel(n, top, left) * (1 - right) + pixel(n, top, left + 1) * right) * (1 - down) +
        (pixel(n, top + 1, left) * (1 - right) + pixel(n, top + 1, left + 1) * right) * down
    }
    return out
  }

/** Gaussian noise added, then clipped to 0..1. */
const noisy =
  (deviation: number, seed: number): Images =>
  (images) => {
    const noise = gaussians(images.length, seed, 3, STREAMS.instance)
    return images.map((x, i) => Math.max(0, Math.min(1, x + deviation * (noise[i] as number))))
  }

const rows = (report: Report, name: string, before: number, after: number, seconds: number, goal: number): void => {
  report({ case: name, metric: 'test', value: 100 * after, unit: '%', goal, baseline: { name: 'before', value: 100 * before } })
  report({ case: name, metric: 'CPU time', value: seconds, unit: 's' })
}

interface RecoverCase {
  readonly model: string
  readonly name: string
  readonly goal: number
  readonly limitOf: (layer: string) => number | null
}

const RECOVER: readonly RecoverCase[] = [
  { model: 'mnist-mlp', name: 'mnist-mlp int3', goal: 97.4, limitOf: () => 3 },
  { model: 'mnist-mlp', name: 'mnist-mlp ternary', goal: 96.5, limitOf: () => 1 },
  { model: 'mnist-cnn', name: 'mnist-cnn, ternary convolutions', goal: 98, limitOf: (layer) => (layer.startsWith('conv') ? 1 : null) },
]

/** One level as radius; moves of a few hundredths of a level (fractions of it for int8 layers beside). */
const gentle = (limit: (layer: string) => number | null) => ({
  largestLevel: (layer: string): number => limit(layer) ?? 127,
  radius: (layer: string): number => (limit(layer) === null ? 10 : 1),
  stepSize: (layer: string): number => (limit(layer) === null ? 0.5 : 0.02),
})

const recover = async (report: Report, { model, name, goal, limitOf }: RecoverCase, seconds: number, seed: number): Promise<void> => {
  const splits = await mnist()
  const integer = await int8Model(model, splits.train)
  const coarse: Coarse = coarsen(integer, limitOf)
  const [data, validation, test] = [splits.train, sliceData(splits.validation, 0, 2500), splits.test].map((d) => encode(integer, d)) as [
    TuneData,
    TuneData,
    TuneData,
  ]
  const common = { data, seed, now: cpuMilliseconds, batchSize: 256, latent: coarse.latent, ...gentle(limitOf), positionStride: strideOf }
  await tuneNetwork(coarse.network, { ...common, steps: 1 })
  const probing = await tuneNetwork(coarse.network, { ...common, steps: 3 })
  const steps = Math.max(10, Math.floor((0.9 * seconds * 3) / probing.seconds))
  const tuned = await tuneNetwork(coarse.network, { ...common, steps, validation, validateEvery: Math.ceil(steps / 5) })
  rows(report, name, accuracyOf(coarse.network, test), accuracyOf(tuned.network, test), tuned.seconds, goal)
  report({ case: name, metric: 'int8 before coarsening, test', value: 100 * accuracyOf(integer, test), unit: '%' })
}

export const recoverTask: Task = async (report, seconds, seed) => {
  for (const recoverCase of RECOVER) await recover(report, recoverCase, seconds, seed)
}

interface AdaptCase {
  readonly model: string
  readonly name: string
  readonly samples: number
  readonly change: (seed: number) => Images
  readonly goal: number
  readonly limit: number | null
}

const ADAPT: readonly AdaptCase[] = [
  { model: 'mnist-mlp', name: 'mnist-mlp int8, turned by 35 degrees', samples: 304, change: () => rotated(35), goal: 85, limit: null },
  { model: 'mnist-mlp', name: 'mnist-mlp int8, noise 0.5', samples: 304, change: (seed) => noisy(0.5, seed), goal: 77, limit: null },
  { model: 'mnist-cnn', name: 'mnist-cnn int4, turned by 25 degrees', samples: 256, change: () => rotated(25), goal: 90, limit: 7 },
]

/** One position of so many: many in the first layer, fewer behind it. */
const strideOf = (layer: string): number => (layer === 'conv1' ? 8 : layer.startsWith('conv') ? 4 : 1)

/** 60 steps, each on all samples; the last iterate (there is nothing to select by). */
const adapt = async (report: Report, { model, name, samples, change, goal, limit }: AdaptCase, seed: number): Promise<void> => {
  const splits = await mnist()
  const integer = await int8Model(model, splits.train)
  const { network, latent } = coarsen(integer, () => limit)
  const data = encode(integer, sliceData(splits.train, 0, samples), change(seed))
  const test = encode(integer, splits.test, change(seed + 1))
  const clean = encode(integer, splits.test)
  const settings = limit === null ? { radius: 16, stepSize: 0.5 } : { radius: 1, stepSize: 0.04, positionStride: strideOf, largestLevel: () => limit }
  const tuned = await tuneNetwork(network, { data, seed, now: cpuMilliseconds, batchSize: samples, steps: 60, latent, ...settings })
  rows(report, name, accuracyOf(network, test), accuracyOf(tuned.last, test), tuned.seconds, goal)
  report({
    case: name,
    metric: 'test on clean images',
    value: 100 * accuracyOf(tuned.last, clean),
    unit: '%',
    baseline: { name: 'before', value: 100 * accuracyOf(network, clean) },
  })
}

export const adaptTask: Task = async (report, _seconds, seed) => {
  for (const adaptCase of ADAPT) await adapt(report, adaptCase, seed)
}

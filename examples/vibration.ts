// From vibration to a class on the deployed network: recordings of a machine in three states, made from a seed, become events by
// adaptive level crossing; rates and inter-event intervals of each axis are the inputs of a small dense network.
//
//     node --conditions=spikeport-source --import tsx examples/vibration.ts [seed]

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argmax, importTfjs, quantize, quantizeInput, summarize } from 'spikeport'
import { createSensorEncoder, type EventBatch, regularBlock } from 'spikeport/events'
import { wasmSession } from 'spikeport/runtimes/wasm'
import { type DataSet, dataSet, type Recipe, saveModel, sliceData, train } from 'spikeport/train'

const STATES = ['healthy', 'unbalanced', 'worn bearing'] as const
const AXES = 3
const RATE_HZ = 3200
const SAMPLES = 1600
const PER_STATE = 150
const INTERVAL_BINS = 8
const FEATURES = AXES * (1 + INTERVAL_BINS)

/** A small generator of numbers 0..1 from a seed (the linear congruence of Numerical Recipes). */
const uniform = (seed: number): (() => number) => {
  let state = (seed * 2654435761) >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
}

/**
 * Half a second of a three-axis accelerometer, in thousandths of g, [SAMPLES, AXES]. Every machine turns at another speed and shakes more or less;
 * imbalance adds a wave at the speed of the shaft, a worn bearing rings at 400 to 700 Hz some three times a turn.
 */
const record = (state: number, draw: () => number): Int32Array => {
  const shaftHz = 20 + 20 * draw()
  const strength = 0.5 + draw()
  const wave = strength * (state === 1 ? 120 + 180 * draw() : 60 * draw())
  const ring = state === 2 ? strength * (100 + 250 * draw()) : 0
  const ringHz = 400 + 300 * draw()
  const blowsHz = shaftHz * (2.8 + 0.6 * draw())
  const phases = Array.from({ length: AXES }, () => 2 * Math.PI * draw())
  const noise = 30 + 40 * draw()
  return Int32Array.from({ length: SAMPLES * AXES }, (_, k) => {
    const [seconds, axis] = [Math.floor(k / AXES) / RATE_HZ, k % AXES]
    const sinceBlow = ((seconds * blowsHz + (phases[axis] ?? 0)) % 1) / blowsHz
    const blow = ring * Math.exp(-sinceBlow * 250) * Math.sin(2 * Math.PI * ringHz * sinceBlow)
    const turn = wave * Math.sin(2 * Math.PI * shaftHz * seconds + (phases[axis] ?? 0))
    return Math.round(((axis + 2) / 4) * (turn + blow) + noise * (draw() + draw() + draw() - 1.5))
  })
}

const encode = (samples: Int32Array): EventBatch =>
  createSensorEncoder({ channels: AXES, method: 'adaptive', threshold: 40, gain16: 40, memoryLog2: 8 }).apply(regularBlock(samples, AXES, RATE_HZ, 0))

/** Of each axis: events a sample, and the shares of intervals between events of one direction that last 2^b to 2^(b + 1) samples. [FEATURES] */
const features = (events: EventBatch): Float32Array => {
  const out = new Float32Array(FEATURES)
  const last = new Map<number, number>()
  const counts = new Float32Array(AXES)
  for (let i = 0; i < events.count; i++) {
    const [axis, time] = [events.x[i] ?? 0, events.timeMicros[i] ?? 0]
    const train = 2 * axis + (events.polarity[i] ?? 0)
    const interval = Math.max(1, ((time - (last.get(train) ?? time)) * RATE_HZ) / 1e6)
    const at = axis * (1 + INTERVAL_BINS)
    const bin = at + 1 + Math.min(INTERVAL_BINS - 1, Math.floor(Math.log2(interval)))
    out[bin] = (out[bin] ?? 0) + 1
    out[at] = (out[at] ?? 0) + 1 / SAMPLES
    counts[axis] = (counts[axis] ?? 0) + 1
    last.set(train, time)
  }
  return out.map((value, k) => (k % (1 + INTERVAL_BINS) === 0 ? value : value / Math.max(1, counts[Math.floor(k / (1 + INTERVAL_BINS))] ?? 0)))
}

/** Recordings of all states in turn, as vectors of features. */
const makeData = (seed: number): DataSet => {
  const draw = uniform(seed)
  const labels = Int32Array.from({ length: PER_STATE * STATES.length }, (_, i) => i % STATES.length)
  const vectors = Float32Array.from(Array.from(labels, (state) => [...features(encode(record(state, draw)))]).flat())
  return dataSet({ name: 'vibration', shape: [FEATURES], images: vectors, labels, classes: STATES })
}

const recipeOf = (data: DataSet, seed: number): Recipe => {
  const [held, rest] = [PER_STATE, data.count - PER_STATE]
  const splits = { test: sliceData(data, rest, held), validation: sliceData(data, rest - held / 2, held / 2), train: sliceData(data, 0, rest - held / 2) }
  return {
    name: 'vibration',
    description: 'dense layers on rates and intervals',
    data: async () => splits,
    model: (tf, seed) =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 16, activation: 'relu', inputShape: [FEATURES], kernelInitializer: tf.initializers.heNormal({ seed }) }),
          tf.layers.dense({ units: STATES.length, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed: seed + 1 }) }),
        ],
      }),
    seed,
    schedule: { epochs: 40, batchSize: 15, learningRate: { kind: 'one-cycle', peak: 0.02 } },
  }
}

const main = async (seed: number): Promise<void> => {
  const recipe = recipeOf(makeData(seed), seed)
  const { tf, model, splits, best, testAccuracy } = await train(recipe)
  const folder = mkdtempSync(join(tmpdir(), 'vibration-'))
  try {
    await saveModel(tf, model, folder)
    const float = await importTfjs(folder)
    const network = quantize(float, { scheme: 'int8', calibration: { count: splits.train.count, inputs: [splits.train.images as Float32Array] } })
    const session = await wasmSession(network)
    const [scores] = session.runNow({ count: splits.test.count, inputs: [quantizeInput(network, 0, splits.test.images)] })
    if (scores === undefined) throw new Error('the network has no output')
    const { accuracy } = summarize(argmax(scores, STATES.length), splits.test.labels, STATES.length)
    await session.close()
    console.log(JSON.stringify({ recordings: splits.test.count, validation: best?.validationAccuracy, floatAccuracy: testAccuracy, wasmAccuracy: accuracy }))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main(Number(process.argv[2] ?? 1))

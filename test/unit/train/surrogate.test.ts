// Surrogate gradients: forward a step, backward the slope that the named function has.

import { beforeAll, describe, expect, test } from 'vitest'
import { spikeportLayers } from '#src/train/layers/index.js'
import { SURROGATES, type Surrogate, spike } from '#src/train/layers/surrogate.js'
import { loadTensorFlow, type TensorFlow } from '#src/train/tfjs.js'

let tf: TensorFlow
beforeAll(async () => {
  tf = await loadTensorFlow()
})

const X = [-2, -0.5, -0.01, 0, 0.01, 0.5, 2]

const SLOPES: Readonly<Record<Surrogate, (x: number, k: number) => number>> = {
  'fast-sigmoid': (x, k) => 1 / (1 + k * Math.abs(x)) ** 2,
  arctangent: (x, k) => 1 / (1 + ((Math.PI / 2) * k * x) ** 2),
  'straight-through': (x) => (Math.abs(x) <= 1 ? 1 : 0),
}

describe.each(SURROGATES)('%s', (surrogate) => {
  test('is a step forward and its slope backward', () => {
    const k = 3
    expect(Array.from(spike(tf, tf.tensor1d(X), surrogate, k).dataSync())).toEqual([0, 0, 0, 1, 1, 1, 1])
    const gradient = tf
      .grad((x) => tf.sum(spike(tf, x, surrogate, k)))(tf.tensor1d(X))
      .dataSync()
    X.forEach((x, i) => {
      expect(gradient[i]).toBeCloseTo(SLOPES[surrogate](x, k), 5)
    })
  })
})

test('the gradient of a spike count goes through all steps: as the same loops written out by hand', () => {
  const { lif, spikeCount } = spikeportLayers(tf)
  const [beta, k, steps] = [0.9, 5, 4]
  const layers = [lif({ beta, slope: k }), spikeCount()]
  const count = (x: ReturnType<TensorFlow['tensor']>) => layers.reduce((value, layer) => layer.apply(value) as typeof x, x)
  const currents = [0.3, 0.45, 0.5, 0.2]
  const gradient = Array.from(
    tf
      .grad((x) => tf.sum(count(x)))(tf.tensor(currents, [1, steps, 1]))
      .dataSync(),
  )
  // d count / d x[t] = sum over s >= t of slope(u[s]) * d u[s] / d x[t], where a reset cuts the chain
  const u: number[] = []
  let v = 0
  for (const x of currents) {
    u.push(beta * v + x)
    v = (u.at(-1) as number) >= 1 ? 0 : (u.at(-1) as number)
  }
  const expected = currents.map((_, t) => {
    let [sum, chain] = [0, 1]
    for (let s = t; s < steps; s++) {
      sum += chain * SLOPES['fast-sigmoid']((u[s] as number) - 1, k)
      chain *= (u[s] as number) >= 1 ? 0 : beta
    }
    return sum
  })
  expected.forEach((x, t) => {
    expect(gradient[t]).toBeCloseTo(x, 5)
  })
})

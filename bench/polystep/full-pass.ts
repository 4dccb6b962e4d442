// Unit-resolved costs beside full passes of the same engine: probes a second, and accuracy of every method after equal processor time.

import type { Evaluator } from '#src/contracts/evaluator.js'
import { networkMacs } from '#src/network/graph.js'
import type { Network } from '#src/network/types.js'
import { mnist } from '#src/train/mnist.js'
import { batches, type TuneData } from '#src/tune/data.js'
import type { Method } from '#src/tune/method.js'
import { coordinateSearch, eggroll, evolutionStrategy, mezo, randomSearch, sepCma, spsa } from '#src/tune/methods/index.js'
import { optimize } from '#src/tune/optimize.js'
import { applyParameters, networkParameters, readParameters } from '#src/tune/parameters.js'
import { polyStep } from '#src/tune/polystep.js'
import { denseSubspace } from '#src/tune/subspace.js'
import { accuracyOf, scoreLoss, tuneNetwork } from '#src/tune/tune.js'
import { unitCosts } from '#src/tune/units/costs.js'
import { LOSS_ONE } from '#src/tune/units/cross-entropy.js'
import { createEngine } from '#src/tune/units/engine.js'
import { unitPolyStep } from '#src/tune/units/unit-polystep.js'
import { levels, mlp } from './images.js'
import { cosine, cpuMilliseconds, milliseconds, type Task } from './task.js'

/** The same engine used for full passes: each probe is a network of its own, run over the batch. */
const fullPass = (network: Network<'integer'>, data: TuneData, batchSize: number, seed: number): Evaluator => {
  const space = networkParameters(network)
  const loss = scoreLoss(network)
  const order = batches(data.count, batchSize, seed)
  const width = (data.inputs[0] as Int8Array).length / data.count
  return {
    name: 'full pass',
    parameters: space.count,
    evaluate: async (probes) => {
      const samples = order(probes.step)
      const parameters = new Float64Array(space.count)
      const losses = Float64Array.from({ length: probes.count }, (_, k) => {
        probes.write(k, parameters)
        const engine = createEngine(applyParameters(network, space, parameters), loss)
        let total = 0
        for (const s of samples) total += engine.forward([(data.inputs[0] as Int8Array).subarray(s * width, (s + 1) * width)], data.labels?.[s] as number)
        return total / LOSS_ONE / samples.length
      })
      return { losses, passes: probes.count, macs: probes.count * samples.length * networkMacs(network) }
    },
  }
}

export const throughputTask: Task = async (report, _seconds, seed) => {
  const splits = await mnist()
  const data = levels(splits.train)
  const network = mlp(seed)
  const batchSize = 256
  const loss = scoreLoss(network)
  const method = unitPolyStep(network, { steps: 10 })
  const samples = [...batches(data.count, batchSize, seed)(0)]
  const batch = {
    samples: samples.map((s) => [(data.inputs[0] as Int8Array).subarray(s * 784, (s + 1) * 784)]),
    labels: samples.map((s) => data.labels?.[s] as number),
    seed,
    step: 0,
  }
  const evaluate = () => unitCosts(network, loss, method.probes(method.start()), batch)
  evaluate()
  const probes = evaluate().weightProbes
  const unitTime = await milliseconds(() => [evaluate(), evaluate(), evaluate()])
  const on = fullPass(network, data, batchSize, seed)
  const start = readParameters(network, networkParameters(network))
  const ask = { step: 0, count: 10, base: start, write: (_: number, out: Float64Array) => out.set(start) }
  await on.evaluate(ask)
  const fullTime = await milliseconds(() => on.evaluate(ask))
  const full = (10 / fullTime) * 1000
  report({
    case: 'throughput',
    metric: 'weight probes a second',
    value: ((3 * probes) / unitTime) * 1000,
    unit: '1/s',
    goal: 100 * full,
    baseline: { name: 'full-pass probes a second', value: full },
  })
}

/** Accuracy of the last iterate after `seconds` for every full-pass method; the first row is ours in the same time. */
export const baselinesTask: Task = async (report, seconds, seed) => {
  const splits = await mnist()
  const [data, validation] = [levels(splits.train), levels(splits.validation)]
  const network = mlp(seed)
  const space = networkParameters(network)
  const on = fullPass(network, data, 256, seed)
  const start = readParameters(network, space)
  const guess = Math.max(2, Math.floor(seconds / 2))
  const subspace = denseSubspace(space.count, 64, seed)
  const methods: readonly Method<{ readonly step: number }>[] = [
    polyStep(space.count, { seed, subspace, epsilon: 0.5, weightEpsilon: 0.02, stepRadius: cosine(20, 2, guess / 4), probeRadius: cosine(20, 4, guess / 4) }),
    evolutionStrategy(space.count, { seed, population: 32, sigma: 2, learningRate: cosine(1, 0.2, guess) }),
    spsa(space.count, { seed, perturbation: 1, learningRate: cosine(0.2, 0.02, 16 * guess) }),
    mezo(space.count, { seed, perturbation: 1, learningRate: cosine(0.2, 0.02, 16 * guess) }),
    sepCma(space.count, { seed, sigma: 2 }),
    coordinateSearch(space.count, { seed, coordinatesPerStep: 16, stepSize: 10 }),
    randomSearch(space.count, { seed, candidates: 15, sigma: 1 }),
    eggroll(space.count, { seed, tensors: space.tensors, population: 32, sigma: 2, learningRate: cosine(1, 0.2, guess) }),
  ] as unknown as readonly Method<{ readonly step: number }>[]
  const ours = await tuneNetwork(network, { data, seed, batchSize: 256, steps: Math.max(4, Math.floor(seconds * 6)), seconds, now: cpuMilliseconds })
  report({ case: 'unit-resolved polystep', metric: 'validation', value: 100 * accuracyOf(ours.last, validation), unit: '%' })
  for (const method of methods) {
    const result = await optimize(method, start, { on, seconds, now: cpuMilliseconds })
    const accuracy = 100 * accuracyOf(applyParameters(network, space, result.parameters), validation)
    report({ case: method.name, metric: 'validation', value: accuracy, unit: '%' })
    report({ case: method.name, metric: 'passes', value: result.passes, unit: 'passes' })
  }
}

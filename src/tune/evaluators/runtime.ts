// The generic evaluator: every probe is a network, loaded into any Runtime and run over the step's mini-batch (a full pass).

import type { Evaluator } from '../../contracts/evaluator.js'
import type { Runtime } from '../../contracts/runtime.js'
import { networkMacs, typeOf } from '../../network/graph.js'
import type { ElementArray, Network, ValueType } from '../../network/types.js'
import { batches, checkTuneData, gather, type TuneData } from '../data.js'
import type { Objective } from '../objectives.js'
import { applyParameters, type NetworkParameters } from '../parameters.js'
import { scoreNetwork, scoresOf } from '../scores.js'

export interface RuntimeEvaluatorOptions {
  readonly runtime: Runtime
  readonly space: NetworkParameters
  readonly data: TuneData
  readonly objective: Objective
  /** samples a step, the same for all its probes; default 512 */
  readonly batchSize?: number
  /** of the order of samples; default 0 */
  readonly seed?: number
}

/** Mean loss of a batch's scores. */
export const meanLoss = (output: ElementArray, type: ValueType, samples: Uint32Array, objective: Objective): number => {
  let sum = 0
  samples.forEach((sample, n) => {
    sum += objective.loss(scoresOf(output, type, n), sample)
  })
  return sum / samples.length
}

/** Losses of a network's parameters by full passes through a runtime. */
export const runtimeEvaluator = (network: Network<'integer'>, options: RuntimeEvaluatorOptions): Evaluator => {
  const { runtime, space, data, objective, batchSize = 512, seed = 0 } = options
  checkTuneData(network, data)
  const samplesOf = batches(data.count, batchSize, seed)
  const macs = networkMacs(network)
  const lossOf = async (candidate: Network<'integer'>, inputs: readonly ElementArray[], samples: Uint32Array): Promise<number> => {
    const scored = scoreNetwork(candidate)
    const session = await runtime.load(scored)
    try {
      const [output] = await session.run({ count: samples.length, inputs })
      return meanLoss(output as ElementArray, typeOf(scored, scored.outputs[0] as number), samples, objective)
    } finally {
      await session.close()
    }
  }
  return {
    name: `${runtime.name}, full pass`,
    parameters: space.count,
    evaluate: async (probes) => {
      const samples = samplesOf(probes.step)
      const inputs = gather(network, data, samples)
      const losses = new Float64Array(probes.count)
      const parameters = new Float64Array(space.count)
      for (let probe = 0; probe < probes.count; probe++) {
        probes.write(probe, parameters)
        losses[probe] = await lossOf(applyParameters(network, space, parameters), inputs, samples)
      }
      return { losses, passes: probes.count, macs: probes.count * samples.length * macs }
    },
  }
}

// The evaluator of any function: a simulator, a board, an energy meter. Probes are asked one after the other.

import type { Evaluator } from '../../contracts/evaluator.js'
import { objectiveFailed, SpikeportError } from '../../errors.js'
import type { Network } from '../../network/types.js'
import { applyParameters, type NetworkParameters } from '../parameters.js'

/** What a black-box loss is told beside the candidate. */
export interface ProbeContext {
  /** losses of the same step should depend on the same random choices */
  readonly step: number
  readonly probe: number
}

export interface BlackBoxOptions {
  readonly name: string
  readonly parameters: number
  /** passes that one loss counts for; default 1 */
  readonly passesPerProbe?: number
}

type Loss<T> = (candidate: T, context: ProbeContext) => number | Promise<number>

/** The loss of a probe; whatever it throws becomes OBJECTIVE_FAILED, unless it is one of ours already. */
const guarded = async <T>(name: string, loss: Loss<T>, candidate: T, context: ProbeContext): Promise<number> => {
  try {
    return await loss(candidate, context)
  } catch (cause) {
    throw cause instanceof SpikeportError ? cause : objectiveFailed(name, context.step, context.probe, cause)
  }
}

/** An evaluator of a function of the parameters. The function must not keep the array. */
export const blackBox = (loss: Loss<Float64Array>, { name, parameters, passesPerProbe = 1 }: BlackBoxOptions): Evaluator => ({
  name,
  parameters,
  evaluate: async (probes) => {
    const losses = new Float64Array(probes.count)
    const candidate = new Float64Array(parameters)
    for (let probe = 0; probe < probes.count; probe++) {
      probes.write(probe, candidate)
      losses[probe] = await guarded(name, loss, candidate, { step: probes.step, probe })
    }
    return { losses, passes: probes.count * passesPerProbe, macs: 0 }
  },
})

/** An evaluator of a function of the network itself. */
export const networkBlackBox = (network: Network<'integer'>, space: NetworkParameters, loss: Loss<Network<'integer'>>, name = 'black-box'): Evaluator =>
  blackBox((parameters, context) => loss(applyParameters(network, space, parameters), context), { name, parameters: space.count })

// The engine that `spikeport tune` validates on: wasm, or the reference where the core lacks an operator. Both give the same bytes.

import { referenceRuntime } from '#runtimes/reference/index.js'
import { wasmRuntime } from '#runtimes/wasm/index.js'
import { argmax } from '../../check/classification.js'
import type { Runtime } from '../../contracts/runtime.js'
import { UnsupportedError } from '../../errors.js'
import { typeOf } from '../../network/graph.js'
import { type ElementArray, elementCount, type Network } from '../../network/types.js'
import { scoreNetwork, type TuneData } from '../../tune/index.js'

/** The faster engine that runs a network's scores. */
export const engineFor = async (network: Network<'integer'>): Promise<Runtime> => {
  try {
    await (await wasmRuntime.load(scoreNetwork(network))).close()
    return wasmRuntime
  } catch (error) {
    if (error instanceof UnsupportedError) return referenceRuntime
    throw error
  }
}

/** Part of the samples whose largest score is their label's, 0..1. */
export const accuracyOn =
  (runtime: Runtime) =>
  async (network: Network<'integer'>, { count, inputs, labels }: TuneData): Promise<number> => {
    const scored = scoreNetwork(network)
    const session = await runtime.load(scored)
    try {
      const [scores] = await session.run({ count, inputs })
      const predicted = argmax(scores as ElementArray, elementCount(typeOf(scored, scored.outputs[0] as number).shape))
      return predicted.reduce((right, label, n) => right + (label === labels?.[n] ? 1 : 0), 0) / count
    } finally {
      await session.close()
    }
  }

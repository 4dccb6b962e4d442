// The reference runtime: the definitions of src/network run sample by sample. Slow and plain; every other engine must give its bytes.

import { checkBatch } from '#src/contracts/batch.js'
import type { Batch, Outputs, Runtime, Session } from '#src/contracts/runtime.js'
import { evaluate } from '#src/network/evaluate.js'
import { typeOf } from '#src/network/graph.js'
import { allocate, arrayLength, type ElementArray, type Network } from '#src/network/types.js'

const sampleOf = (network: Network, batch: Batch, sample: number): ElementArray[] =>
  network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    return (batch.inputs[i] as ElementArray).subarray(sample * length, (sample + 1) * length)
  })

const runBatch = (network: Network, batch: Batch): Outputs => {
  checkBatch(network, batch)
  const outputs = network.outputs.map((value) => allocate(typeOf(network, value), batch.count))
  for (let sample = 0; sample < batch.count; sample++) {
    const values = evaluate(network, sampleOf(network, batch, sample))
    network.outputs.forEach((value, i) => {
      const result = values[value] as ElementArray
      outputs[i]?.set(result as never, sample * result.length)
    })
  }
  return outputs
}

/** A session over a network of either stage (float networks run here only). */
export const referenceSession = (network: Network): Session => ({
  run: async (batch) => runBatch(network, batch),
  trace: async (inputs) => evaluate(network, inputs),
  close: async () => {},
})

export const referenceRuntime: Runtime = { name: 'reference', load: async (network) => referenceSession(network) }

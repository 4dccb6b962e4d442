// The check every runtime makes of a batch before it touches it.

import { inputMismatch } from '../errors.js'
import { typeOf } from '../network/graph.js'
import { arrayClass, arrayLength, type Network } from '../network/types.js'
import type { Batch } from './runtime.js'

/** Refuses a batch whose number of inputs, element arrays or lengths do not fit the network. @throws INPUT_MISMATCH */
export const checkBatch = (network: Network, batch: Batch): void => {
  if (batch.inputs.length !== network.inputs.length) {
    throw inputMismatch(`"${network.name}" takes ${network.inputs.length} inputs, the batch has ${batch.inputs.length}.`, 'Pass one array per network input.')
  }
  if (!Number.isInteger(batch.count) || batch.count < 0)
    throw inputMismatch(`a batch of ${batch.count} samples makes no sense.`, 'The count is a whole number from 0.')
  network.inputs.forEach((value, i) => {
    const type = typeOf(network, value)
    const data = batch.inputs[i]
    const expected = arrayLength(type) * batch.count
    if (!(data instanceof arrayClass(type.kind)))
      throw inputMismatch(`input "${network.values[value]?.name}" is not a ${arrayClass(type.kind).name}.`, `It holds ${type.kind} elements.`)
    if (data.length !== expected) {
      throw inputMismatch(
        `input "${network.values[value]?.name}" has ${data.length} elements, ${batch.count} samples of [${type.shape.join(',')}] take ${expected}.`,
        'Check the shape of the data against `spikeport inspect`.',
      )
    }
  })
}

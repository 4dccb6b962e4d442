// The runtime over a board: exports a network to its flash file, loads it, and runs batches on the chip.

import { checkBatch } from '#src/contracts/batch.js'
import type { Batch, Outputs, Runtime, Session } from '#src/contracts/runtime.js'
import { eventnetBytes } from '#src/eventnet/index.js'
import { typeOf } from '#src/network/graph.js'
import { allocate, arrayLength, byteLength, type ElementArray, type Network, stepsOf } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import type { Device, OutputPlace } from './device.js'
import type { LoadOptions } from './load.js'

export { type Connection, openConnection, PATIENCE_MILLIS } from './connection.js'
export { connectDevice, type Device, type OutputPlace, type ReadValue } from './device.js'
export type { LoadOptions, LoadResult } from './load.js'
export { type ProfileReport, type ProfileRow, profileNetwork } from './profile.js'

const bytesOf = (data: ElementArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Elements from their bytes on the wire (little-endian, as every host this runs on). */
const elementsOf = (network: Network, value: number, bytes: Uint8Array): ElementArray => {
  const elements = allocate(typeOf(network, value))
  bytesOf(elements).set(bytes)
  return elements
}

const outputPlaces = (network: Network): OutputPlace[] => network.outputs.map((value) => ({ value, bytes: byteLength(typeOf(network, value)) }))

const sampleBytes = (network: Network, batch: Batch, sample: number): Uint8Array[] =>
  network.inputs.map((value, i) => {
    const length = arrayLength(typeOf(network, value))
    return bytesOf((batch.inputs[i] as ElementArray).subarray(sample * length, (sample + 1) * length))
  })

const runBatch = async (device: Device, network: Network<'integer'>, batch: Batch): Promise<Outputs> => {
  checkBatch(network, batch)
  const places = outputPlaces(network)
  const outputs = network.outputs.map((value) => allocate(typeOf(network, value), batch.count))
  for (let sample = 0; sample < batch.count; sample++) {
    const { outputs: bytes } = await device.infer(sampleBytes(network, batch, sample), places)
    let at = 0
    places.forEach((place, i) => {
      bytesOf(outputs[i] as ElementArray).set(bytes.subarray(at, at + place.bytes), sample * place.bytes)
      at += place.bytes
    })
  }
  return outputs
}

const trace = async (device: Device, network: Network<'integer'>, inputs: readonly ElementArray[]): Promise<(ElementArray | null)[]> => {
  const values: (ElementArray | null)[] = network.values.map(() => null)
  network.inputs.forEach((value, i) => {
    values[value] = inputs[i] as ElementArray
  })
  await device.trace(inputs.map(bytesOf), { nodes: network.nodes.length, steps: stepsOf(network) }, async (node, read) => {
    const { output } = network.nodes[node] as { output: number }
    values[output] = elementsOf(network, output, await read(output, byteLength(typeOf(network, output))))
  })
  return values
}

/** The flash file that deviceRuntime() loads; `name` apart it is what the eventnet exporter writes. */
export const deviceFile = (network: Network<'integer'>): Uint8Array => eventnetBytes(network, planArena(network), { selfTest: true })

/**
 * A runtime over a connected board; closing a session leaves the network on the board and the board connected.
 * @example
 * const session = await deviceRuntime(device).load(network)
 */
export const deviceRuntime = (device: Device, options: LoadOptions = {}): Runtime => ({
  name: device.board.id,
  load: async (network): Promise<Session> => {
    await device.load(deviceFile(network), options)
    return {
      run: (batch) => runBatch(device, network, batch),
      trace: (inputs) => trace(device, network, inputs),
      close: async () => {},
    }
  },
})

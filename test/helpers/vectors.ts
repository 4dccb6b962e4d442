// The golden vectors of test/vectors/conformance, made by scripts/make-vectors.ts: networks, inputs and the bytes every engine must give.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Batch, Outputs } from '#src/contracts/runtime.js'
import { typeOf } from '#src/network/graph.js'
import { loadNetwork } from '#src/network/net-file.js'
import { allocate, byteLength, type ElementArray, type Network } from '#src/network/types.js'

const FOLDER = resolve(import.meta.dirname, '../vectors/conformance')

export interface Vector {
  readonly name: string
  readonly network: Network<'integer'>
  readonly batch: Batch
  readonly expected: Outputs
}

/** Cuts a file into one array per value, samples one after the other. */
const split = (network: Network, values: readonly number[], bytes: Uint8Array, count: number): ElementArray[] => {
  let at = 0
  return values.map((value) => {
    const array = allocate(typeOf(network, value), count)
    new Uint8Array(array.buffer).set(bytes.subarray(at, at + array.byteLength))
    at += array.byteLength
    return array
  })
}

const readVector = (name: string): Vector => {
  const path = join(FOLDER, name)
  const network = loadNetwork(readFileSync(`${path}.net`), `${path}.net`) as Network<'integer'>
  const inputs = readFileSync(`${path}.inputs`)
  const count = inputs.length / network.inputs.reduce((sum, value) => sum + byteLength(typeOf(network, value)), 0)
  return {
    name,
    network,
    batch: { count, inputs: split(network, network.inputs, inputs, count) },
    expected: split(network, network.outputs, readFileSync(`${path}.outputs`), count),
  }
}

/** Every vector, by name. */
export const readVectors = (): readonly Vector[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.net'))
    .sort()
    .map((file) => readVector(file.slice(0, -'.net'.length)))

// Writes the golden vectors of the conformance suite, test/vectors/conformance/<case>.{net,inputs,outputs}: networks of every operator, inputs with
// extremes, and what the definition gives. Run it only when the arithmetic changes, and review the difference: node --conditions=spikeport-source --import tsx scripts/make-vectors.ts

import { join, resolve } from 'node:path'
import { referenceSession } from '#runtimes/reference/index.js'
import { testInputs } from '#src/check/inputs.js'
import { writeBytes } from '#src/files.js'
import { saveNetwork } from '#src/network/net-file.js'
import type { ElementArray, Network } from '#src/network/types.js'
import { INTEGER_OPERATORS, operatorNetwork, randomNetwork } from '../test/helpers/networks.js'

const FOLDER = resolve(import.meta.dirname, '../test/vectors/conformance')
const SAMPLES = 5
/** Larger networks say nothing that smaller ones do not. */
const LARGEST_BYTES = 12_000
const EACH = 3
const GRAPHS = 8

const join8 = (arrays: readonly ElementArray[]): Uint8Array =>
  new Uint8Array(Buffer.concat(arrays.map((a) => new Uint8Array(a.buffer, a.byteOffset, a.byteLength))))

/** The first networks of a series, by seed, that are small enough. */
const smallest = (make: (seed: number) => Network<'integer'>, count: number): Network<'integer'>[] => {
  const found: Network<'integer'>[] = []
  for (let seed = 0; found.length < count; seed++) {
    const network = make(seed)
    if (saveNetwork(network).length <= LARGEST_BYTES) found.push(network)
  }
  return found
}

const networks = [...INTEGER_OPERATORS.flatMap((kind) => smallest((seed) => operatorNetwork(kind, seed), EACH)), ...smallest(randomNetwork, GRAPHS)]

for (const network of networks) {
  const batch = testInputs(network, SAMPLES, 1)
  const outputs = await referenceSession(network).run(batch)
  const path = join(FOLDER, network.name)
  await writeBytes(`${path}.net`, saveNetwork(network))
  await writeBytes(`${path}.inputs`, join8(batch.inputs))
  await writeBytes(`${path}.outputs`, join8(outputs))
}
console.log(`${networks.length} cases in test/vectors/conformance`)

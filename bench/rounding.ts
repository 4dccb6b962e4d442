// How often the two roundings differ: the golden inputs of the MLPerf Tiny models under 'tflite', as imported, and under 'single', as
// `spikeport import --rounding single` converts them. Reads ../shared/data beside the repository.

import { referenceSession } from '../runtimes/reference/index.js'
import { exactOutputs, producerOf } from '../src/network/graph.js'
import { elementCount, type Network } from '../src/network/types.js'
import { toSingleRounding } from '../src/quantize/rounding.js'
import { type GoldenName, readGolden } from '../test/helpers/tflite-networks.js'
import type { Bench } from './bench.js'

/** The network with the scores in front of its softmax as only output. */
const scoresOf = (network: Network<'integer'>): Network<'integer'> => {
  const [output] = exactOutputs(network).map((position) => network.outputs[position] as number)
  const producer = producerOf(network, output as number)
  return { ...network, outputs: [producer?.kind === 'softmax' ? (producer.inputs[0] as number) : (output as number)] }
}

const runScores = async (network: Network<'integer'>, count: number, inputs: Int8Array): Promise<Int8Array> => {
  const [scores] = await referenceSession(scoresOf(network)).run({ count, inputs: [inputs] })
  return scores as Int8Array
}

const largestIndex = (row: Int8Array): number => row.indexOf(row.reduce((a, b) => Math.max(a, b)))

const NAMES: readonly GoldenName[] = ['kws', 'ic']

export const bench: Bench = {
  name: 'rounding',
  description: "scores and classes that differ between rounding 'tflite' and rounding 'single' on the golden inputs",
  run: async (report) => {
    for (const name of NAMES) {
      const { network, count, inputs } = readGolden(name)
      const single = toSingleRounding(network)
      const [a, b] = [await runScores(network, count, inputs), await runScores(single, count, inputs)]
      const classes = elementCount(scoresOf(single).values[scoresOf(single).outputs[0] as number]?.type.shape ?? [])
      const rows = Array.from({ length: count }, (_, i) => [a, b].map((scores) => scores.subarray(i * classes, (i + 1) * classes)) as [Int8Array, Int8Array])
      const differences = Array.from(a, (x, i) => Math.abs(x - (b[i] as number)))
      report({ case: name, metric: 'inputs', value: count, unit: '' })
      report({ case: name, metric: 'scores', value: a.length, unit: '' })
      report({ case: name, metric: 'scores that differ', value: differences.filter((d) => d > 0).length, unit: '' })
      report({ case: name, metric: 'largest difference', value: Math.max(...differences), unit: 'steps' })
      report({ case: name, metric: 'classes that differ', value: rows.filter(([x, y]) => largestIndex(x) !== largestIndex(y)).length, unit: '' })
    }
  },
}

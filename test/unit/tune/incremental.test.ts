import { describe, expect, it } from 'vitest'
import { evaluate } from '#src/network/evaluate.js'
import { typeOf } from '#src/network/graph.js'
import type { ElementArray, Network } from '#src/network/types.js'
import type { WeightedNode } from '#src/tune/parameters.js'
import { scoreNetwork } from '#src/tune/scores.js'
import { type IntegerLoss, integerCrossEntropy } from '#src/tune/units/cross-entropy.js'
import { createEngine, type Engine } from '#src/tune/units/engine.js'
import type { LinearLayer } from '#src/tune/units/linear-layer.js'
import { cnnNetwork, kwsNetwork, mlpNetwork, networkBuilder, randomInputs, randomNetwork, resnet8Network, testRandom } from '../../helpers/networks.js'

const lossOfFull = (network: Network<'integer'>, inputs: readonly ElementArray[], loss: IntegerLoss, label: number): number =>
  loss(Int32Array.from(evaluate(network, inputs)[network.outputs[0] as number] as ElementArray), label)

/** Random networks have scores of any scale; these make one step of a score count. */
const SCORE_SCALES: Readonly<Record<string, number>> = { int8: 0.02, int32: 1e-4 }
const lossFor = (network: Network<'integer'>): IntegerLoss =>
  integerCrossEntropy({ scale: SCORE_SCALES[typeOf(network, network.outputs[0] as number).kind] as number })

/** The network with one stored weight (or bias, tap = taps) moved. */
const moved = (network: Network<'integer'>, node: number, { taps }: LinearLayer, tap: number, channel: number, change: number): Network<'integer'> => {
  const layer = network.nodes[node] as WeightedNode
  const attribute = tap === taps.taps ? 'bias' : 'weights'
  const constant = layer[attribute] as NonNullable<WeightedNode['bias']>
  const data = constant.data.slice()
  const at = tap === taps.taps ? channel : taps.weightIndex(tap, channel)
  data[at] = (data[at] as number) + change
  return { ...network, nodes: network.nodes.map((other, i) => (i === node ? { ...layer, [attribute]: { ...constant, data } } : other)) as Network['nodes'] }
}

/** Compares `count` random moves in each layer with full evaluations; returns how many of them changed the loss. */
const compareMoves = (network: Network<'integer'>, seed: number, count: number): number => {
  const random = testRandom(seed)
  const loss = lossFor(network)
  const engine: Engine = createEngine(network, loss)
  expect(engine.network.nodes.length).toBe(network.nodes.length)
  const inputs = randomInputs(network, seed)
  const label = random.integer(0, engine.scores.length - 1)
  const base = engine.forward(inputs, label)
  expect(base).toBe(lossOfFull(network, inputs, loss, label))
  let changes = 0
  for (const [node, layer] of engine.layers) {
    const hasBias = (network.nodes[node] as WeightedNode).bias !== null
    for (let k = 0; k < count; k++) {
      const channel = random.integer(0, layer.taps.channels - 1)
      const isBias = hasBias && random.chance(0.2)
      const tap = isBias ? layer.taps.taps : random.integer(0, layer.taps.taps - 1)
      const stored = isBias ? 0 : ((network.nodes[node] as WeightedNode).weights.data[layer.taps.weightIndex(tap, channel)] as number)
      const change = isBias ? random.integer(-4000, 4000) : random.integer(-127, 127) - stored
      const incremental = engine.moveLoss(node, tap, channel, change)
      const full = lossOfFull(moved(network, node, layer, tap, channel, change), inputs, loss, label) - base
      expect(incremental, `node ${node}, tap ${tap}, channel ${channel}, change ${change}`).toBe(full)
      if (full !== 0) changes++
    }
  }
  expect(engine.forward(inputs, label)).toBe(base)
  return changes
}

describe('incremental losses equal full evaluation exactly', () => {
  it('dense layers with ReLU, int8 scores', () => {
    expect(compareMoves(mlpNetwork(3), 3, 60)).toBeGreaterThan(40)
  })

  it('dense layers with raw int32 scores and ties in the rounding', () => {
    const b = networkBuilder('raw', 5)
    const x = b.dense(b.dense(b.input([30], { scale: 1 / 64 }), 20, { relu: true, ties: true }), 17, { ties: true })
    expect(compareMoves(b.build([b.dense(x, 10, { emission: 'none' })]), 5, 100)).toBeGreaterThan(100)
  })

  it('convolutions with strides, and global average pooling', () => {
    expect(compareMoves(cnnNetwork(7), 7, 12)).toBeGreaterThan(10)
  })

  it('depthwise convolutions', () => {
    expect(compareMoves(kwsNetwork(9), 9, 2)).toBeGreaterThan(5)
  })

  it('depthwise convolutions with a channel multiplier', () => {
    const b = networkBuilder('multiplier', 21)
    const x = b.depthwise(b.conv2d(b.input([7, 6, 2]), 3, { kernel: [2, 3], padding: 'valid' }), 2, { kernel: [3, 3], stride: [2, 1], relu: true })
    expect(compareMoves(b.build([b.dense(b.flatten(x), 5)]), 21, 60)).toBeGreaterThan(60)
  })

  it('residual additions', () => {
    expect(compareMoves(resnet8Network(11), 11, 1)).toBeGreaterThan(1)
  })

  it('one-dimensional convolutions, pools, concatenation, reshape and standalone ReLU', () => {
    const b = networkBuilder('mixed', 13)
    const quantization = { scale: 1 / 32, zeroPoint: -20 }
    const x = b.input([12, 2])
    const left = b.conv1d(x, 3, { kernel: [1, 3], quantization })
    const right = b.relu(b.conv1d(x, 4, { kernel: [1, 5], quantization }))
    const image = b.reshape(b.concat([left, right], 1), [4, 3, 7])
    const pooled = b.maxPool(b.averagePool(image, { kernel: [2, 2] }), { kernel: [2, 2], padding: 'valid' })
    expect(compareMoves(b.build([b.dense(b.flatten(pooled), 6)]), 13, 40)).toBeGreaterThan(20)
  })

  it('random graphs', () => {
    let changes = 0
    for (let seed = 1; seed <= 40; seed++) changes += compareMoves(scoreNetwork(randomNetwork(seed)), seed, 5)
    expect(changes).toBeGreaterThan(100)
  })

  it('softmax after the scores is left out', () => {
    const b = networkBuilder('softmax', 15)
    const scores = b.dense(b.input([9]), 4)
    const network = b.build([b.softmax(scores)])
    expect(createEngine(network, () => 0).network.nodes.map((node) => node.kind)).toEqual(['dense'])
  })

  it('shifts of one sum equal a move of the bias', () => {
    const network = mlpNetwork(17)
    const loss = lossFor(network)
    const engine = createEngine(network, loss)
    engine.forward(randomInputs(network, 17), 2)
    for (const [node, { taps }] of engine.layers)
      for (let unit = 0; unit < taps.channels; unit += 7) expect(engine.shiftLoss(node, unit, 900)).toBe(engine.moveLoss(node, taps.taps, unit, 900))
  })
})

describe('the integer cross-entropy', () => {
  const real = (scores: readonly number[], label: number, scale: number): number => {
    const logits = scores.map((q) => q * scale)
    const largest = Math.max(...logits)
    return largest + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0)) - (logits[label] as number)
  }

  it('is within 1e-3 of the real one over scales of scores', () => {
    const random = testRandom(1)
    for (const scale of [2e-5, 0.001, 0.02, 0.3, 2]) {
      const loss = integerCrossEntropy({ scale })
      for (let k = 0; k < 200; k++) {
        const scores = Array.from({ length: 10 }, () => Math.round((random.uniform() * 20 - 10) / scale))
        const label = random.integer(0, 9)
        expect(Math.abs(loss(Int32Array.from(scores), label) / 4096 - real(scores, label, scale))).toBeLessThan(1.2e-3)
      }
    }
  })

  it('depends on differences alone and stays finite at the ends of int32', () => {
    const loss = integerCrossEntropy({ scale: 0.01 })
    expect(loss(Int32Array.of(5, 9, -3), 1)).toBe(loss(Int32Array.of(1005, 1009, 997), 1))
    expect(Number.isInteger(loss(Int32Array.of(2147483647, -2147483648), 1))).toBe(true)
    expect(loss(Int32Array.of(2147483647, -2147483648), 0)).toBe(0)
  })

  it('smooths labels', () => {
    const scores = [100, 300, -50, 20]
    const smoothed = integerCrossEntropy({ scale: 0.01, smoothing256: 26 })(Int32Array.from(scores), 1) / 4096
    const part = 26 / 256
    const wanted = (1 - part) * real(scores, 1, 0.01) + (part / 4) * [0, 1, 2, 3].reduce((sum, c) => sum + real(scores, c, 0.01), 0)
    expect(Math.abs(smoothed - wanted)).toBeLessThan(2e-3)
  })

  it('refuses scales that fit no grid', () => {
    expect(() => integerCrossEntropy({ scale: 0 })).toThrow('scores of scale 0 cannot be brought to a logit grid.')
  })
})

// The memory plan: nothing alive is overwritten, also where outputs grow into their inputs; and it is as small as promised.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { models } from '#models/index.js'
import { nodeTypes, typeOf } from '#src/network/graph.js'
import { loadNetwork } from '#src/network/net-file.js'
import { conv1dGeometry } from '#src/network/operators/conv1d.js'
import { conv2dGeometry } from '#src/network/operators/conv2d.js'
import { depthwiseGeometry } from '#src/network/operators/depthwise-conv2d.js'
import type { Node } from '#src/network/operators/index.js'
import { globalGeometry, poolGeometry } from '#src/network/operators/pool.js'
import { byteLength, elementCount, type Network, type Shape, statesOf, stepsOf, type ValueType } from '#src/network/types.js'
import type { Geometry } from '#src/network/window.js'
import { ARENA_ALIGNMENT, lifetimes, planArena } from '#src/plan/arena.js'
import { cnnNetwork, kwsNetwork, mlpNetwork, networkBuilder, randomNetwork, resnet8Network } from '../../helpers/networks.js'
import { SPIKING_MAKERS } from '../../helpers/spiking-networks.js'

/** Rows of a window operator; null for operators that do not move over rows. */
const rowsOf = (node: Node, input: Shape): Geometry | null => {
  switch (node.kind) {
    case 'conv2d':
      return conv2dGeometry(node, input)
    case 'conv1d':
      return conv1dGeometry(node, input)
    case 'depthwiseConv2d':
      return depthwiseGeometry(node, input)
    case 'maxPool':
    case 'sumPool':
    case 'averagePool':
      return poolGeometry(node, input)
    case 'globalMaxPool':
    case 'globalAveragePool':
      return globalGeometry(node, input)
    default:
      return null
  }
}

const ELEMENTWISE = ['add', 'relu', 'flatten', 'reshape']

/**
 * Plays a network in the arena with one owner tag a byte. A window operator writes each output row before its input rows are checked,
 * which is the worst order that the kernel law allows; elementwise operators read byte i, then write byte i; all others read everything
 * after everything is written.
 */
const play = (network: Network, offsets: readonly number[], arenaBytes: number): void => {
  const owner = new Int32Array(arenaBytes).fill(-1)
  const range = (value: number): [number, number] => [offsets[value] as number, (offsets[value] as number) + byteLength(typeOf(network, value))]
  const own = (value: number, from: number, to: number): void => {
    expect(to).toBeLessThanOrEqual(arenaBytes)
    owner.fill(value, from, to)
  }
  const check = (value: number, from: number, to: number, node: Node): void => {
    for (let i = from; i < to; i++)
      if (owner[i] !== value) throw new Error(`${node.name} reads byte ${i - (offsets[value] as number)} of value ${value}, value ${owner[i]} is there`)
  }
  for (const given of [...network.inputs, ...statesOf(network)]) own(given, ...range(given))
  const lives = lifetimes(network)
  const step = (node: Node, index: number): void => {
    const { inputs, output } = nodeTypes(network, node)
    const [start, end] = range(node.output)
    const g = rowsOf(node, inputs[0]?.shape ?? [])
    if (g !== null) {
      const input = node.inputs[0] as number
      const [from, to] = range(input)
      const inputRow = byteLength(inputs[0] as NonNullable<(typeof inputs)[0]>) / g.inputHeight
      const outputRow = byteLength(output) / g.outputHeight
      for (let y = 0; y < g.outputHeight; y++) {
        own(node.output, start + y * outputRow, start + (y + 1) * outputRow)
        check(input, from + Math.max(0, y * g.strideY - g.padTop) * inputRow, to, node)
      }
    } else if (ELEMENTWISE.includes(node.kind)) {
      for (let i = 0; i < end - start; i++) {
        for (const input of node.inputs) check(input, (offsets[input] as number) + i, (offsets[input] as number) + i + 1, node)
        own(node.output, start + i, start + i + 1)
      }
    } else if (node.kind === 'lif' || node.kind === 'li') {
      const input = node.inputs[0] as number
      const units = elementCount(output.shape)
      const [read, written] = [byteLength(inputs[0] as ValueType) / units, (end - start) / units]
      for (const state of node.states) check(state, ...range(state), node)
      for (let i = 0; i < units; i++) {
        check(input, (offsets[input] as number) + read * i, (offsets[input] as number) + read * (i + 1), node)
        own(node.output, start + written * i, start + written * (i + 1))
      }
    } else {
      own(node.output, start, end)
      for (const input of node.inputs) check(input, ...range(input), node)
    }
    lives.forEach(({ first, last }, value) => {
      if (first <= index + 1 && last > index + 1) check(value, ...range(value), node)
    })
  }
  for (let t = 0; t < Math.min(2, stepsOf(network)); t++) network.nodes.forEach(step)
  for (const output of network.outputs) for (let i = range(output)[0]; i < range(output)[1]; i++) expect(owner[i]).toBe(output)
}

describe('planArena', () => {
  test.each([
    ['mlp', mlpNetwork(1)],
    ['cnn', cnnNetwork(1)],
    ['kws', kwsNetwork(1)],
    ['resnet8', resnet8Network(1)],
  ])('%s: no live byte is overwritten and the arena is not above the usual bound', (_, network) => {
    const plan = planArena(network)
    play(network, plan.offsets, plan.arenaBytes)
    expect(plan.arenaBytes).toBeLessThanOrEqual(plan.idealBytes)
  })

  test.each(models.map(({ name }) => name))('recipe %s: not above the ideal live peak', (name) => {
    const path = resolve(import.meta.dirname, '../../../models', name, 'int8.net')
    const network = loadNetwork(readFileSync(path), path)
    const plan = planArena(network)
    play(network, plan.offsets, plan.arenaBytes)
    expect(plan.arenaBytes).toBeLessThanOrEqual(plan.idealBytes)
  })

  test('random networks: no live byte is overwritten', () => {
    for (let seed = 0; seed < 150; seed++) {
      const network = randomNetwork(seed)
      const plan = planArena(network)
      expect(plan.offsets.every((offset) => offset >= 0 && offset % ARENA_ALIGNMENT === 0)).toBe(true)
      play(network, plan.offsets, plan.arenaBytes)
    }
  })

  test('networks over time: no live byte is overwritten, in the second step either', () => {
    for (const make of Object.values(SPIKING_MAKERS)) {
      for (let seed = 0; seed < 40; seed++) {
        const network = make(seed)
        const plan = planArena(network)
        play(network, plan.offsets, plan.arenaBytes)
      }
    }
  })

  test('keyword spotting and ResNet-8 stay below the ideal live peak of MLPerf Tiny', () => {
    const kws = planArena(kwsNetwork(1))
    const resnet = planArena(resnet8Network(1))
    expect([kws.idealBytes, resnet.idealBytes]).toEqual([16000, 49152])
    expect(kws.arenaBytes).toBeLessThan(16000)
    expect(resnet.arenaBytes).toBeLessThan(49152)
  })

  test('relu, add, flatten take over their input, a convolution of equal rows moves by one row', () => {
    const b = networkBuilder('in place', 1)
    const x = b.input([4, 8, 8])
    const y = b.conv2d(x, 8, { kernel: [1, 1] })
    const z = b.flatten(b.relu(y))
    const plan = planArena(b.build([z]))
    expect(plan.arenaBytes).toBe(4 * 8 * 8 + 8 * 8)
  })

  test('a plan is the same every time', () => {
    const network = randomNetwork(7)
    expect(planArena(network)).toEqual(planArena(network))
  })

  test('an output that is read later keeps its bytes to the end', () => {
    const b = networkBuilder('two outputs', 2)
    const x = b.input([16])
    const a = b.dense(x, 16)
    const c = b.relu(a)
    const network = b.build([a, c])
    const plan = planArena(network)
    play(network, plan.offsets, plan.arenaBytes)
    expect(plan.offsets[a]).not.toBe(plan.offsets[c])
  })
})

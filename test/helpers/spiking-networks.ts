// Networks over time with random weights, both stages: one layer and its units in every form, recurrent and delayed ones, and small convolutional
// stacks over recordings. The same seed gives the same network.

import { createBuilder, type NetworkBuilder } from '#src/network/builder.js'
import { LINEAR } from '#src/network/emission.js'
import { type Network, perTensor, type Shape, spikes, type Tensor, type ValueType } from '#src/network/types.js'
import { type TestRandom, testRandom } from './random.js'

const int32 = (numbers: readonly number[]): Tensor => ({ type: perTensor('int32', [numbers.length], 1, 0), data: Int32Array.from(numbers) })
const float32 = (numbers: readonly number[]): Tensor => ({ type: { kind: 'float32', shape: [numbers.length] }, data: Float32Array.from(numbers) })
const times = (count: number, make: () => number): number[] => Array.from({ length: count }, make)

const int8Weights = (random: TestRandom, shape: Shape): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return { type: perTensor('int8', shape, 1 / 64, 0), data: Int8Array.from(times(count, () => random.integer(-127, 127))) }
}

type Builder = NetworkBuilder<'integer'>
const sums = (shape: Shape): ValueType => perTensor('int32', shape, 1, 0)
const membrane = (shape: Shape): ValueType => ({ kind: 'membrane', shape })

/** One number for all units, one a channel or one a unit. */
const parameter = (random: TestRandom, shape: Shape, low: number, high: number): Tensor => {
  const units = shape.reduce((a, b) => a * b, 1)
  return int32(times(random.pick([1, shape.at(-1) ?? 1, units]), () => random.integer(low, high)))
}

/** Adds units behind int32 sums or levels; fires: lif, otherwise li. */
export const addUnits = (b: Builder, random: TestRandom, name: string, input: number, fires: boolean): number => {
  const shape = b.shapeOf(input)
  const hasCurrent = random.chance(0.3)
  const states = [b.state(`${name}_membrane`, membrane(shape)), ...(hasCurrent ? [b.state(`${name}_current`, membrane(shape))] : [])]
  const common = {
    name,
    inputs: [input],
    states,
    leak: parameter(random, shape, 0, random.chance(0.2) ? 32768 : 4000),
    gain: null,
    drive: random.chance(0.3) ? parameter(random, shape, -200, 200) : null,
    currentLeak: hasCurrent ? parameter(random, shape, 0, 32768) : null,
    currentGain: null,
    shift: random.pick([0, 0, 0, 1, 5]),
  }
  if (!fires) return b.add({ kind: 'li', ...common }, membrane(shape))
  const reset = random.pick(['zero', 'subtract'] as const)
  const resetTo = reset === 'zero' && random.chance(0.3) ? parameter(random, shape, -300, 300) : null
  return b.add(
    { kind: 'lif', ...common, threshold: parameter(random, shape, 1, random.chance(0.2) ? 65535 : 900), fires: 'reaching', reset, resetTo },
    spikes(shape),
  )
}

const addDense = (b: Builder, random: TestRandom, name: string, input: number, units: number): number => {
  const bias = random.chance(0.5) ? int32(times(units, () => random.integer(-100, 100))) : null
  return b.add(
    { kind: 'dense', name, inputs: [input], weights: int8Weights(random, [units, b.shapeOf(input)[0] as number]), bias, emission: { kind: 'none' } },
    sums([units]),
  )
}

const inputType = (random: TestRandom, shape: Shape): ValueType =>
  random.chance(0.4) ? perTensor('int8', shape, 1 / 64, random.pick([-128, 0, 7])) : { kind: 'level', shape, levels: random.pick([1, 4, 255]) }

/** dense, units, dense, units: firing or integrating at the end. */
export const spikingMlp = (seed: number): Network<'integer'> => {
  const random = testRandom(seed)
  const b = createBuilder('integer')
  const hidden = addUnits(
    b,
    random,
    'hidden',
    addDense(b, random, 'first', b.input('x', inputType(random, [random.integer(1, 40)])), random.pick([1, 16, 33])),
    true,
  )
  const last = addUnits(b, random, 'last', addDense(b, random, 'second', hidden, random.pick([3, 16, 20])), random.chance(0.5))
  const outputs = random.chance(0.3) ? [last, hidden] : [last]
  return b.build({ name: `spiking_mlp_${seed}`, outputs, steps: random.integer(1, 12) })
}

/** A layer whose spikes come back a step later, with an input that is delayed by two steps beside it. */
export const spikingRecurrent = (seed: number): Network<'integer'> => {
  const random = testRandom(seed)
  const b = createBuilder('integer')
  const [width, units] = [random.integer(2, 20), random.integer(2, 20)]
  const steps = random.integer(2, 10)
  const recording = b.input('events', spikes([steps, width]))
  const now = b.add({ kind: 'timeSlice', name: 'slice', inputs: [recording], states: [b.state('step', perTensor('int32', [1], 1, 0))] }, spikes([width]))
  const before = b.state('before', spikes([width]))
  const earlier = b.state('earlier', spikes([width]))
  const feedback = b.state('feedback', spikes([units]))
  const joined = b.add({ kind: 'concat', name: 'joined', inputs: [now, earlier, feedback], axis: 0 }, spikes([2 * width + units]))
  const fired = addUnits(b, random, 'fired', addDense(b, random, 'all', joined, units), true)
  b.addTo(feedback, { kind: 'carry', name: 'carry_feedback', inputs: [fired] })
  b.addTo(earlier, { kind: 'carry', name: 'carry_earlier', inputs: [before] })
  b.addTo(before, { kind: 'carry', name: 'carry_before', inputs: [now] })
  const count = addUnits(b, random, 'count', fired, false)
  return b.build({ name: `spiking_recurrent_${seed}`, outputs: [count, fired, feedback], steps })
}

/** conv, units, sum pool, conv, units, dense, integrators over a recording of counts. */
export const spikingCnn = (seed: number): Network<'integer'> => {
  const random = testRandom(seed)
  const b = createBuilder('integer')
  const [height, width, channels, steps] = [random.integer(5, 9), random.integer(5, 9), random.integer(1, 3), random.integer(1, 5)]
  const levels = random.pick([1, 255])
  const input = b.input('events', { kind: 'level', shape: [steps, height, width, channels], levels })
  const slice = b.add(
    { kind: 'timeSlice', name: 'slice', inputs: [input], states: [b.state('step', perTensor('int32', [1], 1, 0))] },
    { kind: 'level', shape: [height, width, channels], levels },
  )
  const conv = (name: string, from: number, out: number): number => {
    const kernel = [random.integer(1, 3), random.integer(1, 3)] as const
    const pad = (size: number): number => random.integer(0, size - 1)
    const padding = [pad(kernel[0]), pad(kernel[0]), pad(kernel[1]), pad(kernel[1])] as const
    const stride = [random.integer(1, 2), random.integer(1, 2)] as const
    const dilation = [random.integer(1, 2), random.integer(1, 2)] as const
    const inChannels = b.shapeOf(from)[2] as number
    const size = (axis: 0 | 1): number => {
      const span = (kernel[axis] - 1) * dilation[axis] + 1
      const pads = (padding[2 * axis] as number) + (padding[2 * axis + 1] as number)
      return Math.floor(((b.shapeOf(from)[axis] as number) + pads - span) / stride[axis]) + 1
    }
    const bias = random.chance(0.5) ? int32(times(out, () => random.integer(-100, 100))) : null
    const weights = int8Weights(random, [out, kernel[0], kernel[1], inChannels])
    return b.add({ kind: 'conv2d', name, inputs: [from], weights, bias, stride, padding, dilation, emission: { kind: 'none' } }, sums([size(0), size(1), out]))
  }
  const first = addUnits(b, random, 'units1', conv('conv1', slice, random.integer(1, 18)), true)
  const [h, w, c] = b.shapeOf(first) as [number, number, number]
  const kernel = [Math.min(2, h), Math.min(2, w)] as const
  const pooled = b.add(
    { kind: 'sumPool', name: 'pool', inputs: [first], kernel, stride: kernel, padding: [0, 0, 0, 0] },
    { kind: 'level', shape: [Math.floor(h / kernel[0]), Math.floor(w / kernel[1]), c], levels: kernel[0] * kernel[1] },
  )
  const flat = b.add(
    { kind: 'flatten', name: 'flat', inputs: [pooled] },
    { kind: 'level', shape: [b.shapeOf(pooled).reduce((x, y) => x * y, 1)], levels: kernel[0] * kernel[1] },
  )
  const scores = addUnits(b, random, 'scores', addDense(b, random, 'dense', flat, 10), random.chance(0.3))
  return b.build({ name: `spiking_cnn_${seed}`, outputs: [scores], steps })
}

/** An encoder of each code in front of a layer of units. */
export const spikingEncoded = (seed: number): Network<'integer'> => {
  const random = testRandom(seed)
  const b = createBuilder('integer')
  const code = random.pick(['rate', 'latency', 'delta'] as const)
  const [width, steps] = [random.integer(1, 30), random.integer(1, 12)]
  const type = (shape: Shape): ValueType =>
    random.chance(0.5) ? perTensor('int8', shape, 1 / 64, random.pick([-128, 0, 7])) : { kind: 'level', shape, levels: 255 }
  const isDelta = code === 'delta'
  const input = type(isDelta ? [steps, width] : [width])
  const given = b.input('x', input)
  const x = isDelta
    ? b.add({ kind: 'timeSlice', name: 'slice', inputs: [given], states: [b.state('step', perTensor('int32', [1], 1, 0))] }, {
        ...input,
        shape: [width],
      } as ValueType)
    : given
  const state = b.state('encoder', perTensor('int32', [isDelta ? width : 1], 1, 0))
  const entry = (): number => (code === 'rate' ? random.pick([0, -1, random.integer(-(2 ** 31), 2 ** 31 - 1)]) : random.integer(-1, steps))
  const table = isDelta ? null : int32(times(256, entry))
  const common = { seed: random.integer(0, 2 ** 31), steps, threshold: random.integer(1, 60), table }
  const encoded = b.add({ kind: 'encode', name: 'encode', inputs: [x], states: [state], code, ...common }, spikes([isDelta ? 2 * width : width]))
  const fired = addUnits(b, random, 'fired', addDense(b, random, 'dense', encoded, 12), true)
  return b.build({ name: `spiking_encoded_${seed}`, outputs: [fired, encoded], steps })
}

export const SPIKING_MAKERS = { mlp: spikingMlp, recurrent: spikingRecurrent, cnn: spikingCnn, encoded: spikingEncoded } as const

/** A float network as tfjs and NIR give them: dense, lif, dense, lif, and the counts of spikes. */
export const floatSpiking = (seed: number, steps = 20): Network<'float'> => {
  const random = testRandom(seed)
  const b = createBuilder('float')
  const weights = (out: number, width: number): Tensor => ({
    type: { kind: 'float32', shape: [out, width] },
    data: Float32Array.from(times(out * width, () => (random.uniform() - 0.4) * (2 / Math.sqrt(width)))),
  })
  const units = (name: string, input: number, fires: boolean): number => {
    const shape = b.shapeOf(input)
    const common = {
      name,
      inputs: [input],
      states: [b.state(`${name}_membrane`, shape)],
      gain: null,
      drive: null,
      currentLeak: null,
      currentGain: null,
      shift: 0,
    }
    if (!fires) return b.add({ kind: 'li', ...common, leak: float32([0]) })
    return b.add({
      kind: 'lif',
      ...common,
      leak: float32([0.05]),
      threshold: float32([1]),
      fires: 'reaching',
      reset: random.pick(['zero', 'subtract'] as const),
      resetTo: null,
    })
  }
  const dense = (name: string, input: number, out: number): number =>
    b.add({ kind: 'dense', name, inputs: [input], weights: weights(out, b.shapeOf(input)[0] as number), bias: null, emission: LINEAR })
  const hidden = units('hidden', dense('first', b.input('x', [30]), 24), true)
  const fired = units('fired', dense('second', hidden, 10), true)
  return b.build({ name: `float_spiking_${seed}`, outputs: [units('count', fired, false)], steps })
}

// One NIR node at a time into a float network under construction: layers, pools and spiking units. A value remembers its NIR shape, because flattened
// images keep NIR's order only in the weights that read them.

import { malformedFile, unsupported } from '../../errors.js'
import type { NirArray, NirNode } from '../../formats/nir.js'
import type { NetworkBuilder } from '../../network/builder.js'
import { LINEAR } from '../../network/emission.js'
import { elementCount, type Float32Type, type Shape, type Tensor } from '../../network/types.js'
import { decayOf, type Integrator } from './discretize.js'
import { channelsLastWeights, compactParameter, depthwiseWeights, nirOrder, reordered, withColumns } from './layout.js'

export interface Rules {
  /** seconds (or whatever the file's time constants are in) of a step */
  readonly dt: number
  readonly integrator: Integrator
  readonly reset: 'zero' | 'subtract'
}

/** A value of the network: its index, and the NIR shape whose elements it holds in our order. */
export interface Source {
  readonly value: number
  readonly nirShape: Shape
}

export interface Context {
  readonly b: NetworkBuilder<'float'>
  readonly path: string
  readonly rules: Rules
  readonly name: string
  readonly node: NirNode
  /** notes that a state takes a value over at the end of the step, when all who read it have */
  readonly carry: (state: number, name: string, from: number) => void
}

export const float32 = (shape: Shape, data: Float32Array): Tensor<Float32Type> => ({ type: { kind: 'float32', shape }, data })

const whereOf = ({ name, node }: Context): string => `${node.type} "${name}"`

/** A field with numbers, or null where it may be absent. @throws FILE_MALFORMED */
const optional = (context: Context, field: string): NirArray | null => {
  const found = context.node.fields[field]
  if (found === undefined) return null
  if (typeof found === 'string') throw malformedFile(context.path, null, `${whereOf(context)}: ${field} is text, numbers are needed`)
  if (!found.data.every(Number.isFinite))
    throw malformedFile(context.path, null, `${whereOf(context)}: ${field} holds ${found.data.find((x) => !Number.isFinite(x))}`)
  return found
}

const required = (context: Context, field: string): NirArray => {
  const found = optional(context, field)
  if (found === null) throw malformedFile(context.path, null, `${whereOf(context)} has no ${field}`)
  return found
}

const oneNumber = (context: Context, field: string, absent: number): number => optional(context, field)?.data[0] ?? absent

/** One or two numbers as a pair. */
const pairOf = (context: Context, field: string, absent: number): readonly [number, number] => {
  const data = optional(context, field)?.data ?? [absent]
  return [data[0] ?? absent, data[1] ?? data[0] ?? absent]
}

/** Padding before and behind along each axis; text names "valid" and "same" (torch: the odd one behind). */
const paddingOf = (context: Context, extents: readonly number[]): readonly (readonly [number, number])[] => {
  const field = context.node.fields.padding
  if (field === 'valid' || field === undefined) return extents.map(() => [0, 0])
  if (field === 'same') return extents.map((extent) => [Math.floor((extent - 1) / 2), Math.ceil((extent - 1) / 2)])
  if (typeof field === 'string') throw unsupported(`${whereOf(context)} has padding ${JSON.stringify(field)}.`, 'Use numbers, "same" or "valid".')
  return extents.map((_, i) => [field.data[i] ?? field.data[0] ?? 0, field.data[i] ?? field.data[0] ?? 0])
}

const rankOf = (context: Context, input: Source, rank: number): Shape => {
  if (input.nirShape.length !== rank)
    throw unsupported(`${whereOf(context)} reads [${input.nirShape.join(',')}], it takes ${rank} dimensions.`, 'Flatten or reshape in front of it.')
  return input.nirShape
}

type Convert = (context: Context, input: Source) => Source

const added = (context: Context, spec: Parameters<NetworkBuilder<'float'>['add']>[0], nirShape: Shape): Source => ({ value: context.b.add(spec), nirShape })

// ---- layers ----

/** Weights [out, in] of a Linear or Affine node with columns in our order, and its bias. @throws where it does not fit its input */
export const denseWeights = (context: Context, input: Source): { readonly weights: Float32Array; readonly bias: NirArray | null; readonly outputs: number } => {
  const weight = required(context, 'weight')
  const width = elementCount(input.nirShape)
  if (weight.shape.length !== 2 || weight.shape[1] !== width)
    throw unsupported(`${whereOf(context)} has weights [${weight.shape.join(',')}] and reads ${width} numbers.`, 'The shapes of the graph do not fit together.')
  const outputs = weight.shape[0] as number
  const bias = context.node.type === 'Affine' ? required(context, 'bias') : null
  return { weights: withColumns(weight.data, outputs, nirOrder(input.nirShape)), bias, outputs }
}

const flat = (context: Context, { value, nirShape }: Source): number =>
  nirShape.length === 1 ? value : context.b.add({ kind: 'flatten', name: `${context.name}_flat`, inputs: [value] })

const dense: Convert = (context, input) => {
  const { weights, bias, outputs } = denseWeights(context, input)
  const width = elementCount(input.nirShape)
  return added(
    context,
    {
      kind: 'dense',
      name: context.name,
      inputs: [context.b.shapeOf(input.value).length === 1 ? input.value : flat(context, input)],
      weights: float32([outputs, width], weights),
      bias: bias === null ? null : float32([outputs], Float32Array.from(bias.data)),
      emission: LINEAR,
    },
    [outputs],
  )
}

const biasTensor = (context: Context, out: number): Tensor | null => {
  const bias = optional(context, 'bias')
  return bias === null
    ? null
    : float32(
        [out],
        Float32Array.from({ length: out }, (_, i) => bias.data[bias.data.length === 1 ? 0 : i] ?? Number.NaN),
      )
}

const conv2d: Convert = (context, input) => {
  const [channels, height, width] = rankOf(context, input, 3) as readonly [number, number, number]
  const weight = required(context, 'weight')
  const [out, inner, kh, kw] = weight.shape as readonly [number, number, number, number]
  const [stride, dilation] = [pairOf(context, 'stride', 1), pairOf(context, 'dilation', 1)]
  const extents = [(kh - 1) * dilation[0] + 1, (kw - 1) * dilation[1] + 1]
  const [[top, bottom], [left, right]] = paddingOf(context, extents) as [readonly [number, number], readonly [number, number]]
  const groups = oneNumber(context, 'groups', 1)
  const window = { stride, dilation, padding: [top, bottom, left, right] as const, bias: biasTensor(context, out), emission: LINEAR }
  const size = (input: number, before: number, behind: number, extent: number, step: number): number =>
    Math.floor((input + before + behind - extent) / step) + 1
  const nirShape = [out, size(height, top, bottom, extents[0] as number, stride[0]), size(width, left, right, extents[1] as number, stride[1])]
  if (weight.shape.length !== 4) throw unsupported(`${whereOf(context)} has weights [${weight.shape.join(',')}].`, 'Conv2d takes [out, in, height, width].')
  if (groups === 1 && inner === channels)
    return added(
      context,
      { kind: 'conv2d', name: context.name, inputs: [input.value], weights: float32([out, kh, kw, inner], channelsLastWeights(weight)), ...window },
      nirShape,
    )
  if (groups === channels && inner === 1)
    return added(
      context,
      { kind: 'depthwiseConv2d', name: context.name, inputs: [input.value], weights: float32([kh, kw, out], depthwiseWeights(weight)), ...window },
      nirShape,
    )
  throw unsupported(
    `${whereOf(context)} has ${groups} groups over ${channels} channels and weights [${weight.shape.join(',')}].`,
    'One group, or one a channel, can be read.',
  )
}

const conv1d: Convert = (context, input) => {
  const [channels, length] = rankOf(context, input, 2) as readonly [number, number]
  const weight = required(context, 'weight')
  const [out, inner, kernel] = weight.shape as readonly [number, number, number]
  const [stride, dilation] = [oneNumber(context, 'stride', 1), oneNumber(context, 'dilation', 1)]
  const extent = (kernel - 1) * dilation + 1
  const [padding] = paddingOf(context, [extent]) as [readonly [number, number]]
  if (weight.shape.length !== 3 || inner !== channels || oneNumber(context, 'groups', 1) !== 1)
    throw unsupported(`${whereOf(context)} has weights [${weight.shape.join(',')}] over ${channels} channels.`, 'Conv1d of one group takes [out, in, length].')
  const weights = float32([out, kernel, inner], channelsLastWeights(weight))
  const spec = {
    kind: 'conv1d',
    name: context.name,
    inputs: [input.value],
    weights,
    bias: biasTensor(context, out),
    stride,
    dilation,
    padding,
    emission: LINEAR,
  } as const
  return added(context, spec, [out, Math.floor((length + padding[0] + padding[1] - extent) / stride) + 1])
}

const pool2d =
  (kind: 'sumPool' | 'averagePool'): Convert =>
  (context, input) => {
    const [channels, height, width] = rankOf(context, input, 3) as readonly [number, number, number]
    const kernel = pairOf(context, 'kernel_size', 1)
    const stride = pairOf(context, 'stride', kernel[0])
    const [[top, bottom], [left, right]] = paddingOf(context, [...kernel]) as [readonly [number, number], readonly [number, number]]
    if (kind === 'averagePool' && top + bottom + left + right > 0)
      throw unsupported(`${whereOf(context)} pads, and NIR counts padding in the mean.`, 'Use SumPool2d and scale the next weights, or no padding.')
    const size = (n: number, pads: number, k: number, step: number): number => Math.floor((n + pads - k) / step) + 1
    const nirShape = [channels, size(height, top + bottom, kernel[0], stride[0]), size(width, left + right, kernel[1], stride[1])]
    return added(context, { kind, name: context.name, inputs: [input.value], kernel, stride, padding: [top, bottom, left, right] }, nirShape)
  }

/** Only whole flattening: the order of the elements stays ours, and the weights that follow are reordered. */
const flatten: Convert = (context, input) => {
  const start = oneNumber(context, 'start_dim', 1)
  const end = oneNumber(context, 'end_dim', -1)
  const rank = input.nirShape.length
  const last = end < 0 ? rank + end : end
  // files that count a batch axis store start_dim 1
  if (!(start === 0 || start === 1) || (last !== rank - 1 && last !== rank))
    throw unsupported(`${whereOf(context)} flattens dimensions ${start} to ${end}.`, 'Flatten everything.')
  return {
    value: input.nirShape.length === 1 ? input.value : context.b.add({ kind: 'flatten', name: context.name, inputs: [input.value] }),
    nirShape: input.nirShape,
  }
}

const scale: Convert = (context, input) => {
  const factors = parameterOf(context, 'scale', input)
  const shape = context.b.shapeOf(input.value)
  const channels = shape.at(-1) ?? 1
  if (factors === null || factors.length > channels)
    throw unsupported(`${whereOf(context)} scales each unit by its own number.`, 'One number, or one a channel, can be read.')
  const all = Float32Array.from({ length: channels }, (_, c) => factors[c % factors.length] as number)
  const filled = (x: number): Tensor => float32([channels], new Float32Array(channels).fill(x))
  const spec = {
    kind: 'batchNorm',
    name: context.name,
    inputs: [input.value],
    gamma: float32([channels], all),
    beta: filled(0),
    mean: filled(0),
    variance: filled(1),
    epsilon: 0,
  } as const
  return added(context, spec, input.nirShape)
}

// ---- units ----

/** A parameter in our order and as short as it can be; null where the field is absent. */
const parameterOf = (context: Context, field: string, input: Source): readonly number[] | null => {
  const found = optional(context, field)
  if (found === null) return null
  const units = elementCount(input.nirShape)
  const channels = context.b.shapeOf(input.value).at(-1) ?? 1
  if (found.data.length === 1) return found.data
  if (found.data.length !== units) {
    // one number a channel, stored [c, 1, 1]
    if (found.data.length === input.nirShape[0]) return found.data
    throw unsupported(`${whereOf(context)} has ${found.data.length} numbers of ${field} for ${units} units.`, 'The shapes of the graph do not fit together.')
  }
  return compactParameter(reordered(found.data, nirOrder(input.nirShape)), channels)
}

/** Combines parameters number by number; the longest decides how many. */
const combine = (parameters: readonly (readonly number[])[], f: (...numbers: number[]) => number): Tensor => {
  const count = Math.max(...parameters.map((p) => p.length))
  const numbers = Array.from({ length: count }, (_, i) => f(...parameters.map((p) => p[i % p.length] as number)))
  const isOne = numbers.every((x) => x === numbers[0])
  return float32([isOne ? 1 : count], Float32Array.from(isOne ? numbers.slice(0, 1) : numbers))
}

const isConstant = (tensor: Tensor, x: number): boolean => tensor.data.every((y: number) => y === x)

/** null for the number that an absent parameter stands for. */
const unless = (tensor: Tensor, x: number): Tensor | null => (isConstant(tensor, x) ? null : tensor)

const ratioOf =
  (dt: number, context: Context, what: string) =>
  (tau: number): number => {
    if (!(tau > 0)) throw malformedFile(context.path, null, `${whereOf(context)}: ${what} is ${tau}, it must be above 0`)
    if (dt / tau > 1 && context.rules.integrator === 'euler')
      throw unsupported(`${whereOf(context)}: a step of ${dt} is longer than ${what}, ${tau}.`, 'Use a shorter --dt, or --integrator exact.')
    return dt / tau
  }

interface Membrane {
  readonly leak: Tensor
  readonly gain: Tensor | null
  readonly drive: Tensor | null
}

const ZERO = [0]
const ONE = [1]

/** tau v' = (v_leak - v) + r I, or v' = r I where there is no tau. */
const membraneOf = (context: Context, input: Source, tauField: string | null): Membrane => {
  const { dt, integrator } = context.rules
  const get = (field: string, absent: readonly number[]): readonly number[] => parameterOf(context, field, input) ?? absent
  const resistance = get('r', ONE)
  if (tauField === null)
    return {
      leak: float32([1], Float32Array.of(0)),
      gain: unless(
        combine([resistance], (r) => r * dt),
        1,
      ),
      drive: null,
    }
  required(context, tauField)
  const [tau, rest] = [get(tauField, ONE), get('v_leak', ZERO)]
  const decay = (t: number) => decayOf(integrator, ratioOf(dt, context, tauField)(t))
  return {
    leak: combine([tau], (t) => decay(t).leak),
    gain: unless(
      combine([tau, resistance], (t, r) => decay(t).gain * r),
      1,
    ),
    drive: unless(
      combine([tau, rest], (t, v) => decay(t).leak * v),
      0,
    ),
  }
}

interface Kind {
  /** the field of the membrane's time constant; null: it does not leak */
  readonly tau: string | null
  readonly hasCurrent: boolean
  readonly fires: boolean
}

const units =
  ({ tau, hasCurrent, fires }: Kind): Convert =>
  (context, input) => {
    const { b, name, rules } = context
    const shape = b.shapeOf(input.value)
    const membrane = membraneOf(context, input, tau)
    const states = [b.state(`${name}_membrane`, shape), ...(hasCurrent ? [b.state(`${name}_current`, shape)] : [])]
    const synapse = (f: (t: number, w: number) => number): Tensor =>
      combine([parameterOf(context, 'tau_syn', input) ?? ONE, parameterOf(context, 'w_in', input) ?? ONE], f)
    const current = (t: number) => decayOf(rules.integrator, ratioOf(rules.dt, context, 'tau_syn')(t))
    if (hasCurrent) required(context, 'tau_syn')
    const common = {
      name,
      inputs: [input.value],
      states,
      ...membrane,
      currentLeak: hasCurrent ? synapse((t) => current(t).leak) : null,
      currentGain: hasCurrent
        ? unless(
            synapse((t, w) => current(t).gain * w),
            1,
          )
        : null,
      shift: 0,
    }
    if (!fires) return added(context, { kind: 'li', ...common }, input.nirShape)
    required(context, 'v_threshold')
    const threshold = combine([parameterOf(context, 'v_threshold', input) ?? ONE], (v) => v)
    const resetTo =
      rules.reset === 'zero'
        ? unless(
            combine([parameterOf(context, 'v_reset', input) ?? ZERO], (v) => v),
            0,
          )
        : null
    return added(context, { kind: 'lif', ...common, threshold, fires: 'above', reset: rules.reset, resetTo }, input.nirShape)
  }

/** z = [x > threshold]: units that keep nothing. */
const threshold: Convert = (context, input) => {
  const { b, name } = context
  const limit = combine([parameterOf(context, 'threshold', input) ?? ZERO], (v) => v)
  const states = [b.state(`${name}_membrane`, b.shapeOf(input.value))]
  const nothing = { gain: null, drive: null, currentLeak: null, currentGain: null, shift: 0, resetTo: null } as const
  const leak = float32([1], Float32Array.of(1))
  return added(context, { kind: 'lif', name, inputs: [input.value], states, leak, threshold: limit, fires: 'above', reset: 'zero', ...nothing }, input.nirShape)
}

/** y(t) = x(t - tau): a chain of carried states. */
const delay: Convert = (context, input) => {
  const { b, name, rules } = context
  const times = new Set(required(context, 'delay').data)
  const [time] = times
  const steps = Math.round((time ?? 0) / rules.dt)
  if (times.size !== 1 || steps > 256)
    throw unsupported(
      `${whereOf(context)} delays by ${[...times].slice(0, 3).join(', ')}: ${steps} steps.`,
      'One delay for all units, of at most 256 steps, can be read.',
    )
  const states = Array.from({ length: steps }, (_, i) => b.state(`${name}_${i + 1}`, b.shapeOf(input.value)))
  states.toReversed().forEach((state, i) => {
    context.carry(state, `${name}_carry_${steps - i}`, states[steps - i - 2] ?? input.value)
  })
  return steps === 0 ? input : { value: states.at(-1) as number, nirShape: input.nirShape }
}

export const CONVERT: Readonly<Record<string, Convert>> = {
  Affine: dense,
  Linear: dense,
  Conv1d: conv1d,
  Conv2d: conv2d,
  SumPool2d: pool2d('sumPool'),
  AvgPool2d: pool2d('averagePool'),
  Flatten: flatten,
  Scale: scale,
  Threshold: threshold,
  Delay: delay,
  I: units({ tau: null, hasCurrent: false, fires: false }),
  IF: units({ tau: null, hasCurrent: false, fires: true }),
  LI: units({ tau: 'tau', hasCurrent: false, fires: false }),
  LIF: units({ tau: 'tau', hasCurrent: false, fires: true }),
  CubaLI: units({ tau: 'tau_mem', hasCurrent: true, fires: false }),
  CubaLIF: units({ tau: 'tau_mem', hasCurrent: true, fires: true }),
  Input: (_, input) => input,
  Output: (_, input) => input,
}

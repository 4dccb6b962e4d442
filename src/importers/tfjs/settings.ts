// Settings of a layer as its config states them, checked: counts, pairs, flags, padding modes, activations.

import { type ClampEmission, LINEAR } from '../../network/emission.js'
import { MAX_AXIS } from '../../network/window.js'
import { brokenLayer, isObject, type Layer, refusedLayer, show } from './document.js'

const isCount = (x: unknown, least: number): x is number => Number.isInteger(x) && (x as number) >= least && (x as number) <= MAX_AXIS

/** An integer from 1 to MAX_AXIS. */
export const countOf = (layer: Layer, key: string, fallback?: number): number => {
  const x = layer.config[key] ?? fallback
  if (!isCount(x, 1)) throw brokenLayer(layer, `has ${key} ${show(x)}, expected an integer from 1 to ${MAX_AXIS}`)
  return x
}

/** One integer an axis; a single number stands for all axes. `fallback` is used where the setting is missing or null. */
export const countsOf = (layer: Layer, key: string, axes: number, fallback?: readonly number[]): readonly number[] => {
  const x = layer.config[key] ?? fallback
  const list: unknown = typeof x === 'number' ? new Array<number>(axes).fill(x) : x
  if (!Array.isArray(list) || list.length !== axes || !list.every((n) => isCount(n, 1))) {
    throw brokenLayer(layer, `has ${key} ${show(x)}, expected ${axes} integers from 1 to ${MAX_AXIS}`)
  }
  return list as number[]
}

export const flagOf = (layer: Layer, key: string, fallback: boolean): boolean => {
  const x = layer.config[key] ?? fallback
  if (typeof x !== 'boolean') throw brokenLayer(layer, `has ${key} ${show(x)}, expected true or false`)
  return x
}

export const numberOf = (layer: Layer, key: string, fallback: number): number => {
  const x = layer.config[key] ?? fallback
  if (typeof x !== 'number' || !Number.isFinite(x)) throw brokenLayer(layer, `has ${key} ${show(x)}, expected a number`)
  return x
}

/** An axis, counted with the batch axis; [axis] is read as axis. */
export const axisOf = (layer: Layer, fallback: number): number => {
  const raw = layer.config.axis ?? fallback
  const x: unknown = Array.isArray(raw) && raw.length === 1 ? raw[0] : raw
  if (!Number.isInteger(x)) throw brokenLayer(layer, `has axis ${show(raw)}, expected one integer`)
  return x as number
}

/** [[before, after], ...] of a zero padding layer, one pair an axis. */
export const zeroPaddingOf = (layer: Layer, axes: number): readonly (readonly [number, number])[] => {
  const x = layer.config.padding ?? 1
  // one axis: a number or [before, after]; two: a number, [rows, columns] or [[top, bottom], [left, right]]
  const list: unknown = axes === 1 && Array.isArray(x) ? [x] : Array.isArray(x) ? x : new Array(axes).fill(x)
  const pairs = Array.isArray(list) ? list.map((side: unknown) => (Array.isArray(side) ? side : [side, side])) : []
  if (pairs.length !== axes || !pairs.every((pair) => pair.length === 2 && pair.every((n) => isCount(n, 0)))) {
    throw brokenLayer(layer, `has padding ${show(x)}, expected ${axes} pairs of integers from 0 to ${MAX_AXIS}`)
  }
  return pairs as unknown as readonly (readonly [number, number])[]
}

export type PaddingMode = 'valid' | 'same' | 'causal'

export const paddingModeOf = (layer: Layer): PaddingMode => {
  const x = layer.config.padding ?? 'valid'
  if (x !== 'valid' && x !== 'same' && x !== 'causal') throw brokenLayer(layer, `has padding ${show(x)}, expected valid, same or causal`)
  return x
}

/** Refuses layers that put channels first. */
export const refuseChannelsFirst = (layer: Layer): void => {
  const x = layer.config.data_format ?? 'channels_last'
  if (x === 'channels_first' || x === 'channelsFirst') throw refusedLayer(layer, 'puts channels first', 'Build the model with dataFormat channelsLast.')
  if (x !== 'channels_last' && x !== 'channelsLast') throw brokenLayer(layer, `has data_format ${show(x)}`)
}

export const ACTIVATION_REMEDY =
  'Train with relu, relu6 or linear, and with softmax as the last layer only (two classes: two units and softmax instead of one and sigmoid).'

/** An activation's name; Keras may wrap it in an object. */
export const activationOf = (layer: Layer): string => {
  const x = layer.config.activation ?? 'linear'
  const name = isObject(x) ? (x.config ?? x.class_name) : x
  if (typeof name === 'string') return name
  throw refusedLayer(layer, `has the activation ${show(x)}`, ACTIVATION_REMEDY)
}

const EMISSIONS: ReadonlyMap<string, ClampEmission> = new Map([
  ['linear', LINEAR],
  ['relu', { kind: 'clamp', min: 0, max: null }],
  ['relu6', { kind: 'clamp', min: 0, max: 6 }],
  ['softmax', LINEAR],
])

/** What a layer emits, and whether a softmax follows. */
export interface Activation {
  readonly emission: ClampEmission
  readonly isSoftmax: boolean
}

/** @throws UNSUPPORTED for any activation but linear, relu, relu6 and softmax */
export const readActivation = (layer: Layer): Activation => {
  const name = activationOf(layer)
  const emission = EMISSIONS.get(name)
  if (emission === undefined) throw refusedLayer(layer, `has the activation ${name}`, ACTIVATION_REMEDY)
  return { emission, isSoftmax: name === 'softmax' }
}

// Weight costs of a batch from unit evaluations, sample by sample, so that memory holds one sample's activations and the costs alone. All sums are
// integers: the order of samples, and how they are shared among workers, does not matter.

import type { CostRule, LayerCosts, LayerProbe, UnitBatch, UnitEvaluation } from '../../contracts/evaluator.js'
import type { Network } from '../../network/types.js'
import { boundedInteger, randomWords, STREAMS } from '../../random.js'
import { argmax } from '../objectives.js'
import { createEngine, type Engine, type ScoreLoss } from './engine.js'
import type { LinearLayer } from './linear-layer.js'

/** Unit losses saturate here (8 nats), so that they fit int16 in every engine. */
export const LARGEST_UNIT_LOSS = 32767

const saturate = (loss: number): number => (loss > LARGEST_UNIT_LOSS ? LARGEST_UNIT_LOSS : Math.max(loss, -LARGEST_UNIT_LOSS))

/** Sums of one layer while the batch runs. */
interface Accumulator {
  readonly probe: LayerProbe
  readonly layer: LinearLayer
  readonly costs: { readonly up: Float64Array; readonly down: Float64Array }
  readonly upLoss: Int32Array // [channels]
  readonly downLoss: Int32Array // [channels]
  /** channels whose loss moved in the last evaluation: the first `activeCount` entries */
  readonly active: Int32Array // [channels]
  activeCount: number
}

const accumulatorOf = (engine: Engine, probe: LayerProbe): Accumulator => {
  const layer = engine.layers.get(probe.node) as LinearLayer
  const { taps, channels } = layer.taps
  const length = (taps + 1) * channels
  return {
    probe,
    layer,
    costs: { up: new Float64Array(length), down: new Float64Array(length) },
    upLoss: new Int32Array(channels),
    downLoss: new Int32Array(channels),
    active: new Int32Array(channels),
    activeCount: 0,
  }
}

/** The positions a layer is probed at for sample n: p = first, first + stride, ... */
export const firstPosition = (probe: LayerProbe, positions: number, { seed, step }: Pick<UnitBatch, 'seed' | 'step'>, n: number): number => {
  const stride = Math.min(probe.positionStride, positions)
  return stride === 1 ? 0 : boundedInteger(randomWords(seed, step, STREAMS.method, n * 4096 + probe.node)[0], stride)
}

/** Losses of all channels at a position when their sums move by +-shift. */
const evaluateUnits = (engine: Engine, accumulator: Accumulator, position: number, shift: number): void => {
  const { probe, layer, upLoss, downLoss, active } = accumulator
  const { channels } = layer.taps
  let count = 0
  for (let c = 0; c < channels; c++) {
    const up = saturate(engine.shiftLoss(probe.node, position * channels + c, shift))
    const down = saturate(engine.shiftLoss(probe.node, position * channels + c, -shift))
    upLoss[c] = up
    downLoss[c] = down
    if (up !== 0 || down !== 0) active[count++] = c
  }
  accumulator.activeCount = count
}

/** costs[row] += factor * losses; a negative input swaps up and down. */
const addRow = ({ costs, upLoss, downLoss, layer, active, activeCount }: Accumulator, tap: number, x: number): void => {
  const at = tap * layer.taps.channels
  const size = Math.abs(x)
  const [first, second] = x > 0 ? [costs.up, costs.down] : [costs.down, costs.up]
  for (let k = 0; k < activeCount; k++) {
    const c = active[k] as number
    first[at + c] = (first[at + c] as number) + size * (upLoss[c] as number)
    second[at + c] = (second[at + c] as number) + size * (downLoss[c] as number)
  }
}

/** Depthwise layers: the input of a tap differs between channels. */
const addDepthwiseRow = ({ costs, upLoss, downLoss, layer }: Accumulator, tap: number, position: number): void => {
  const { channels } = layer.taps
  for (let c = 0; c < channels; c++) {
    const x = layer.inputAt(position, tap, c)
    const at = tap * channels + c
    costs.up[at] = (costs.up[at] as number) + Math.abs(x) * ((x > 0 ? upLoss[c] : downLoss[c]) as number)
    costs.down[at] = (costs.down[at] as number) + Math.abs(x) * ((x > 0 ? downLoss[c] : upLoss[c]) as number)
  }
}

type AddSample = (engine: Engine, accumulator: Accumulator, batch: UnitBatch, sample: number) => void

/** Costs ~ input / inputUnit times the unit's loss at a shift of radius * inputUnit; the common factor inputUnit is left in. */
const linearised: AddSample = (engine, accumulator, batch, sample) => {
  const { probe, layer } = accumulator
  const { taps, positions, multiplier } = layer.taps
  const stride = Math.min(probe.positionStride, positions)
  for (let position = firstPosition(probe, positions, batch, sample); position < positions; position += stride) {
    evaluateUnits(engine, accumulator, position, probe.radius * probe.inputUnit)
    if (accumulator.activeCount === 0) continue
    for (let tap = 0; tap < taps; tap++) {
      if (multiplier > 0) addDepthwiseRow(accumulator, tap, position)
      else {
        const x = layer.inputAt(position, tap, 0)
        if (x !== 0) addRow(accumulator, tap, x)
      }
    }
    addRow(accumulator, taps, probe.inputUnit)
  }
}

/** Costs of moved weights by one evaluation a unit and distinct input (a dense layer: every tap with the same input has the same loss). */
const exact: AddSample = (engine, accumulator, batch, sample) => {
  const { probe, layer } = accumulator
  const { taps, positions, multiplier } = layer.taps
  if (positions > 1 || multiplier > 0) {
    direct(engine, accumulator, batch, sample)
    return
  }
  const byInput = new Map<number, number[]>()
  const put = (x: number, tap: number): void => {
    const size = Math.abs(x)
    const list = byInput.get(size)
    if (list === undefined) byInput.set(size, [x > 0 ? tap : -tap - 1])
    else list.push(x > 0 ? tap : -tap - 1)
  }
  for (let tap = 0; tap < taps; tap++) {
    const x = layer.inputAt(0, tap, 0)
    if (x !== 0) put(x, tap)
  }
  put(probe.inputUnit, taps)
  for (const [size, list] of byInput) {
    evaluateUnits(engine, accumulator, 0, probe.radius * size)
    for (const tap of list) addRow(accumulator, tap >= 0 ? tap : -tap - 1, tap >= 0 ? 1 : -1)
  }
}

/** Costs of moved weights, each moved by itself. */
const direct: AddSample = (engine, { probe, layer, costs }) => {
  const { taps, channels } = layer.taps
  for (let tap = 0; tap <= taps; tap++) {
    const change = probe.radius * (tap === taps ? probe.inputUnit : 1)
    for (let c = 0; c < channels; c++) {
      const at = tap * channels + c
      costs.up[at] = (costs.up[at] as number) + saturate(engine.moveLoss(probe.node, tap, c, change))
      costs.down[at] = (costs.down[at] as number) + saturate(engine.moveLoss(probe.node, tap, c, -change))
    }
  }
}

const RULES: Readonly<Record<CostRule, AddSample>> = { exact, linearised, direct }

/** Weight costs of some layers over a batch, for the network as it stands. */
export const unitCosts = (network: Network<'integer'>, loss: ScoreLoss, probes: readonly LayerProbe[], batch: UnitBatch): UnitEvaluation => {
  const engine = createEngine(network, loss)
  const accumulators = probes.map((probe) => accumulatorOf(engine, probe))
  let total = 0
  let correct = 0
  batch.samples.forEach((inputs, sample) => {
    const label = batch.labels[sample] as number
    total += engine.forward(inputs, label)
    if (argmax(engine.scores) === label) correct++
    for (const accumulator of accumulators) RULES[accumulator.probe.rule](engine, accumulator, batch, sample)
  })
  const layers: LayerCosts[] = accumulators.map(({ costs }) => costs)
  const weightProbes = layers.reduce((sum, { up }) => sum + 2 * up.length, 0)
  return { layers, loss: total, correct, evaluations: engine.counters.evaluations, weightProbes, macs: engine.counters.macs }
}

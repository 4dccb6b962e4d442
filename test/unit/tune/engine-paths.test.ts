// The fast paths of the incremental engine beside the plain definitions they stand for.

import { describe, expect, it } from 'vitest'
import { perChannel, perTensor } from '#src/network/types.js'
import { crossEntropy, errorRate, marginLoss, meanSquaredError } from '#src/tune/objectives.js'
import { LOSS_ONE } from '#src/tune/units/cross-entropy.js'
import { emitterOf } from '#src/tune/units/emitter.js'
import { SCORE_LOSSES } from '#src/tune/units/score-losses.js'
import { testRandom } from '../../helpers/random.js'

describe('ranges of sums that keep an output', () => {
  it('hold no sum that changes it, over scales from 1e-8 to 1', () => {
    const random = testRandom(1)
    const channels = 8
    let checked = 0
    for (let round = 0; round < 300; round++) {
      const scales = Array.from({ length: channels }, () => Math.fround(10 ** (-8 * random.uniform())))
      const emission = { kind: 'requantize', min: random.pick([-128, 0, 3]), max: 127 } as const
      const emitter = emitterOf('layer', emission, {
        input: perTensor('int8', [4], 1, 0),
        weights: perChannel('int8', [channels, 4], scales, 0),
        output: perTensor('int8', [channels], 1, random.integer(-128, 127)),
        channels,
      })
      const sums = Int32Array.from(scales, (scale) => Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.round((300 * (random.uniform() - 0.5)) / scale))))
      const [elements, low, high] = [new Int32Array(channels), new Int32Array(channels), new Int32Array(channels)]
      emitter.row(sums, 0, elements)
      emitter.ranges(sums, elements, low, high)
      for (let c = 0; c < channels; c++) {
        const [from, to] = [low[c] as number, high[c] as number]
        if (from > to) continue
        checked++
        for (const sum of [from, to, random.integer(from, to)]) expect(emitter.one(sum, c)).toBe(elements[c])
      }
    }
    expect(checked).toBeGreaterThan(1000)
  })
})

describe('objectives of stored scores', () => {
  it('are those of real scores on the grid of the loss', () => {
    const random = testRandom(2)
    const [scale, zeroPoint] = [0.25, 9]
    for (let round = 0; round < 200; round++) {
      const stored = Int32Array.from({ length: 10 }, () => random.integer(-20, 20))
      const scores = Float64Array.from(stored, (q) => scale * (q - zeroPoint))
      const label = random.integer(0, 9)
      const target = Float64Array.from({ length: 10 }, (_, c) => (c === label ? 1 : 0))
      const real = { 'cross-entropy': crossEntropy([label]), accuracy: errorRate([label]), margin: marginLoss([label]), mse: meanSquaredError(target) }
      for (const [name, objective] of Object.entries(real)) {
        const loss = SCORE_LOSSES[name as keyof typeof real]({ scale, zeroPoint, smoothing256: 0 })(stored, label)
        expect(Number.isInteger(loss)).toBe(true)
        expect(Math.abs(loss / LOSS_ONE - objective.loss(scores, 0))).toBeLessThan(2e-3)
      }
    }
  })
})

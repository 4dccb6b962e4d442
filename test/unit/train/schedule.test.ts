import { expect, test } from 'vitest'
import { initialState, optimizerStep } from '#src/train/optimizer.js'
import { learningRateAt } from '#src/train/schedule.js'

test('one-cycle rises to the peak, then falls to zero', () => {
  const rates = Array.from({ length: 100 }, (_, step) => learningRateAt({ kind: 'one-cycle', peak: 1, warmup: 0.2 }, step, 100))
  expect(rates[0]).toBeLessThan(0.06)
  expect(rates[20]).toBe(1)
  expect(rates.slice(1, 21).every((rate, i) => rate > (rates[i] ?? 1))).toBe(true)
  expect(rates.slice(21).every((rate, i) => rate < (rates[20 + i] ?? 0))).toBe(true)
  expect(rates[99]).toBeLessThan(0.001)
})

test('cosine begins at the peak, constant stays', () => {
  expect(learningRateAt({ kind: 'cosine', peak: 0.5 }, 0, 10)).toBe(0.5)
  expect(learningRateAt({ kind: 'cosine', peak: 0.5 }, 5, 10)).toBeCloseTo(0.25)
  expect(learningRateAt({ kind: 'constant', peak: 0.5 }, 9, 10)).toBe(0.5)
})

test('the first step of adam has the size of the learning rate, whatever the gradient', () => {
  const weights = [Float32Array.of(1, 1, 1)]
  const settings = { kind: 'adam' } as const
  optimizerStep(settings, initialState(settings, [3]), weights, [Float32Array.of(100, -0.01, 0)], [true], 0.5)
  for (const [i, value] of [0.5, 1.5, 1].entries()) expect(weights[0]?.[i]).toBeCloseTo(value, 4)
})

test('momentum looks ahead by one step, and only marked tensors decay', () => {
  const weights = [Float32Array.of(1), Float32Array.of(1)]
  const settings = { kind: 'momentum', momentum: 0.5, weightDecay: 0.1 } as const
  const state = initialState(settings, [1, 1])
  for (let i = 0; i < 2; i++) optimizerStep(settings, state, weights, [Float32Array.of(0), Float32Array.of(1)], [true, false], 1)
  expect(weights[0]?.[0]).toBeCloseTo(0.81)
  expect(weights[1]?.[0]).toBeCloseTo(1 - 1.5 - 1.75)
  expect(state.step).toBe(2)
})

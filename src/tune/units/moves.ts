// From weight costs to moves: particles are runs of consecutive taps of one unit, their vertices one weight up or down; softmax over the vertices of a
// particle, at a temperature that follows the size of the layer's cost differences (docs/polystep.md, "Unit-resolved costs").

import type { LayerCosts } from '../../contracts/evaluator.js'

export interface MoveOptions {
  /** weights of a particle */
  readonly particleDimension: number
  /** temperature in units of the RMS of (up - down) / 2 over the layer; large is the linear regime */
  readonly relativeEpsilon: number
  /** the largest move of a weight, in levels */
  readonly stepSize: number
}

/** RMS of the half differences that are not zero; 0 where all are. */
export const costScale = ({ up, down }: LayerCosts): number => {
  let sum = 0
  let count = 0
  up.forEach((cost, at) => {
    const half = (cost - (down[at] as number)) / 2
    if (half === 0) return
    sum += half * half
    count++
  })
  return count === 0 ? 0 : Math.sqrt(sum / count)
}

/** Moves [taps + 1, channels] in levels (the bias in levels at an input of 1); 0 for particles that no probe changed. */
export const movesOf = (costs: LayerCosts, channels: number, { particleDimension, relativeEpsilon, stepSize }: MoveOptions): Float64Array => {
  const { up, down } = costs
  const moves = new Float64Array(up.length)
  const epsilon = costScale(costs) * relativeEpsilon
  if (epsilon === 0) return moves
  const rows = up.length / channels
  const pull = new Float64Array(particleDimension)
  for (let first = 0; first < rows; first += particleDimension) {
    const last = Math.min(first + particleDimension, rows)
    for (let c = 0; c < channels; c++) {
      let least = Number.POSITIVE_INFINITY
      let isFlat = true
      for (let row = first; row < last; row++) {
        const a = up[row * channels + c] as number
        const b = down[row * channels + c] as number
        least = Math.min(least, a, b)
        if (a !== b) isFlat = false
      }
      if (isFlat) continue
      let sum = 0
      for (let row = first; row < last; row++) {
        const a = Math.exp((least - (up[row * channels + c] as number)) / epsilon)
        const b = Math.exp((least - (down[row * channels + c] as number)) / epsilon)
        sum += a + b
        pull[row - first] = a - b
      }
      for (let row = first; row < last; row++) moves[row * channels + c] = (stepSize * (pull[row - first] as number)) / sum
    }
  }
  return moves
}

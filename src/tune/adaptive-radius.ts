// A multiplier on PolyStep's radii that follows the loss: grows when the loss stands still, shrinks when it decreases (docs/polystep.md, "Adaptive radius").

export interface AdaptiveRadiusOptions {
  /** relative change below which a loss counts as standing still */
  readonly threshold: number
  /** so many times in a row, then the radius grows */
  readonly patience: number
  readonly increase: number
  readonly decrease: number
  readonly least: number
  readonly most: number
}

export interface AdaptiveRadius {
  readonly multiplier: number
  readonly stagnation: number
  /** null before the first loss */
  readonly previousLoss: number | null
}

export const ADAPTIVE_RADIUS: AdaptiveRadiusOptions = { threshold: 1e-4, patience: 10, increase: 1.5, decrease: 0.9, least: 0.5, most: 3 }

export const START_RADIUS: AdaptiveRadius = { multiplier: 1, stagnation: 0, previousLoss: null }

/** The radius after a loss; the first loss and losses next to a NaN change nothing. */
export const adaptRadius = (radius: AdaptiveRadius, loss: number, options: AdaptiveRadiusOptions = ADAPTIVE_RADIUS): AdaptiveRadius => {
  const { multiplier, stagnation, previousLoss } = radius
  const next = (m: number, s: number): AdaptiveRadius => ({ multiplier: m, stagnation: s, previousLoss: loss })
  if (previousLoss === null || Number.isNaN(loss) || Number.isNaN(previousLoss)) return next(multiplier, stagnation)
  if (Math.abs(loss - previousLoss) / Math.max(Math.abs(previousLoss), 1e-10) < options.threshold) {
    if (stagnation + 1 < options.patience) return next(multiplier, stagnation + 1)
    return next(Math.min(options.most, multiplier * options.increase), 0)
  }
  return next(loss < previousLoss ? Math.max(options.least, multiplier * options.decrease) : multiplier, 0)
}

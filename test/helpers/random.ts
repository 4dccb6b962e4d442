// A small seeded generator for tests (mulberry32): the same seed gives the same networks and inputs everywhere.

export interface TestRandom {
  /** 0 <= x < 1 */
  readonly uniform: () => number
  /** an integer, low <= x <= high */
  readonly integer: (low: number, high: number) => number
  readonly pick: <T>(list: readonly T[]) => T
  readonly chance: (probability: number) => boolean
}

/** A generator of its own state for an integer seed. */
export const testRandom = (seed: number): TestRandom => {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const integer = (low: number, high: number): number => low + Math.floor(uniform() * (high - low + 1))
  return { uniform, integer, pick: (list) => list[integer(0, list.length - 1)] as never, chance: (p) => uniform() < p }
}

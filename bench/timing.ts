// Side-by-side timing on a noisy machine: contenders take turns, and the best turn of each counts.

export interface Contender {
  readonly name: string
  readonly run: () => Promise<void>
}

const LEAST_TURN_MILLIS = 2
const LEAST_ROUNDS = 5

const timeOf = async (run: () => Promise<void>, repeats: number): Promise<number> => {
  const start = performance.now()
  for (let i = 0; i < repeats; i++) await run()
  return (performance.now() - start) / repeats
}

/** Calls in a turn, so that it lasts long enough to time; the calls that find out also warm up. */
const repeatsOf = async (run: () => Promise<void>): Promise<number> => {
  for (let i = 0; i < 3; i++) await run()
  return Math.max(1, Math.ceil(LEAST_TURN_MILLIS / (await timeOf(run, 3))))
}

/** Microseconds a call of each contender: the best of all its turns, taken in rounds until the time is over. */
export const bestMicros = async (contenders: readonly Contender[], seconds: number): Promise<ReadonlyMap<string, number>> => {
  const best = new Map<string, number>()
  const repeats = new Map<string, number>()
  for (const { name, run } of contenders) repeats.set(name, await repeatsOf(run))
  const end = performance.now() + seconds * 1000
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < end; round++) {
    for (const { name, run } of contenders) {
      const micros = 1000 * (await timeOf(run, repeats.get(name) ?? 1))
      best.set(name, Math.min(micros, best.get(name) ?? Infinity))
    }
  }
  return best
}

// Reads test/vectors/polystep-golden.json (float64 outputs of the published implementation, see its "meta") and compares with it.

import { readFileSync } from 'node:fs'
import { expect } from 'vitest'

export type Nested = number | string | readonly Nested[]

/** The vectors; typed at the places that read them. */
export const golden = JSON.parse(readFileSync(new URL('../../vectors/polystep-golden.json', import.meta.url), 'utf8'))

/** All numbers of nested lists; the strings "inf", "-inf" and "nan" stand for what they say. */
export const flat = (x: Nested): Float64Array => {
  const special: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, nan: Number.NaN }
  const walk = (v: Nested): number[] => (Array.isArray(v) ? v.flatMap(walk) : [typeof v === 'string' ? (special[v] ?? Number(v)) : (v as number)])
  return Float64Array.from(walk(x))
}

const worst = new Map<string, number>()

/** The largest relative errors that were accepted so far, by section. */
export const worstErrors = (): ReadonlyMap<string, number> => worst

/** Every number within 1e-9 of the golden one, relative to it (zero must be zero). */
export const expectGolden = (actual: ArrayLike<number>, expected: Nested, section: string): void => {
  const want = flat(expected)
  expect(actual.length, section).toBe(want.length)
  for (let i = 0; i < want.length; i++) {
    const error = actual[i] === want[i] ? 0 : Math.abs((actual[i] as number) - (want[i] as number)) / Math.abs(want[i] as number)
    expect(error, `${section}[${i}]: ${actual[i]}, golden ${want[i]}`).toBeLessThanOrEqual(1e-9)
    worst.set(section, Math.max(worst.get(section) ?? 0, error))
  }
}

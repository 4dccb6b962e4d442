// N-MNIST recordings of ../shared/data as networks over time read them.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { binnedCounts, decodeRecording } from '#src/events/index.js'

const folder = new URL('../../../shared/data/nmnist-small/', import.meta.url)
const SENSOR = { width: 34, height: 34 }

export interface BinnedRecording {
  readonly label: number
  readonly counts: Uint8Array // [steps, 34, 34, 2]
}

/** The first `count` test recordings (of 100) in bins of a millisecond that hold 0 or 1. */
export const binnedTestRecordings = (count: number, steps: number): BinnedRecording[] => {
  if (!existsSync(folder)) throw new Error(`${fileURLToPath(folder)} is missing: this needs the reference data beside the repository, in ../shared/data.`)
  const rows = readFileSync(new URL('test100.txt', folder), 'utf8')
    .trim()
    .split('\n')
    .slice(1, 1 + count)
  return rows.map((row) => {
    const [number, label] = row.trim().split(/\s+/)
    const bytes = new Uint8Array(readFileSync(new URL(`${number}.bs2`, folder)))
    const { events } = decodeRecording(bytes, { format: 'nmnist', geometry: SENSOR })
    return { label: Number(label), counts: binnedCounts(events, { geometry: SENSOR, steps, stepMicros: 1000, startMicros: 0, most: 1 }).counts }
  })
}

/** The class with the most spikes; the lowest of several. */
export const largestAt = (counts: ArrayLike<number>): number => {
  let best = 0
  for (let i = 1; i < counts.length; i++) if ((counts[i] as number) > (counts[best] as number)) best = i
  return best
}

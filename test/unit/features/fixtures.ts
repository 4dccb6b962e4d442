// Events for the feature tests: moving edges with noise, made from a seed, and real N-MNIST recordings of ../shared/data.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { batchOf, decodeRecording, type EventBatch } from '#src/events/index.js'
import { seededIntegers } from '../../helpers/fuzz.js'

export const SENSOR = { width: 34, height: 34 }

/** `count` events of an edge that sweeps over the sensor, one in five of them noise. */
export const sweepingEdge = (count: number, seed = 1, isVertical = true): EventBatch => {
  const random = seededIntegers(seed)
  let time = 1000
  return batchOf(
    Array.from({ length: count }, (_, i) => {
      time += random(120)
      const along = random(34)
      const across = (Math.floor(i / 40) + random(2)) % 34
      const [x, y] = random(5) === 0 ? [random(34), random(34)] : isVertical ? [across, along] : [along, across]
      return [time, x, y, random(2)] as const
    }),
  )
}

/** `count` lone events on random pixels, far apart in time. */
export const loneEvents = (count: number, seed = 1): EventBatch => {
  const random = seededIntegers(seed)
  return batchOf(Array.from({ length: count }, (_, i) => [20_000 * i, random(34), random(34), random(2)] as const))
}

export interface LabelledRecording {
  readonly label: number
  readonly events: EventBatch
}

const folder = new URL('../../../../shared/data/nmnist-small/', import.meta.url)

/** The first recordings of the training list. */
export const nmnist = (count: number): LabelledRecording[] => {
  if (!existsSync(folder)) throw new Error(`${fileURLToPath(folder)} is missing: these tests need the reference data beside the repository, in ../shared/data.`)
  const rows = readFileSync(new URL('train1K.txt', folder), 'utf8')
    .split('\n')
    .slice(1, 1 + count)
  return rows.map((row) => {
    const [number, label] = row.trim().split(/\s+/)
    const bytes = new Uint8Array(readFileSync(new URL(`${number}.bs2`, folder)))
    return { label: Number(label), events: decodeRecording(bytes, { format: 'nmnist', geometry: SENSOR }).events }
  })
}

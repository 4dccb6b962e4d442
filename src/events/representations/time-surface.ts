// Time surfaces: the last event's time a pixel, seen through a decay. Float form by the exact decay, integer form by a table of
// ticks. A pixel without events is 0. See docs/events.md, "Time surfaces".

import type { EventBatch, Geometry } from '../batch.js'
import { type DecayKind, type DecayTable, decayed } from './decay.js'

/** Last times, [planes, height, width]; -Infinity where there was no event. Two planes hold OFF and ON apart. */
export interface SurfaceMemory {
  readonly geometry: Geometry
  readonly planes: 1 | 2
  readonly lastMicros: Float64Array
}

export const createSurfaceMemory = (geometry: Geometry, planes: 1 | 2 = 1): SurfaceMemory => ({
  geometry,
  planes,
  lastMicros: new Float64Array(planes * geometry.width * geometry.height).fill(Number.NEGATIVE_INFINITY),
})

/** Stores the times of a batch; returns how many events lay outside the sensor. */
export const addToSurface = (memory: SurfaceMemory, batch: EventBatch): number => {
  const { width, height } = memory.geometry
  const plane = memory.planes === 2 ? width * height : 0
  let outside = 0
  for (let i = 0; i < batch.count; i++) {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    if (x >= width || y >= height) outside++
    else memory.lastMicros[(batch.polarity[i] as number) * plane + y * width + x] = batch.timeMicros[i] as number
  }
  return outside
}

/** The surface at a time, 0..1, [planes, height, width]; stamps after `nowMicros` count as age 0. */
export const timeSurface = (memory: SurfaceMemory, nowMicros: number, kind: DecayKind, tauMicros: number): Float32Array =>
  Float32Array.from(memory.lastMicros, (last) => (last === Number.NEGATIVE_INFINITY ? 0 : decayed(kind, Math.max(0, nowMicros - last), tauMicros)))

const tickOf = (micros: number, shift: number): number => Math.floor(micros / 2 ** shift)

/** The integer surface at a time, 0..127: age in ticks = floor(now / tick) - floor(last / tick), read from the table. */
export const integerTimeSurface = (memory: SurfaceMemory, nowMicros: number, decay: DecayTable): Uint8Array => {
  const now = tickOf(nowMicros, decay.shift)
  return Uint8Array.from(memory.lastMicros, (last) => {
    if (last === Number.NEGATIVE_INFINITY) return 0
    return decay.table[Math.max(0, now - tickOf(last, decay.shift))] ?? 0
  })
}

// Histograms of averaged time surfaces (HATS, Sironi et al. 2018): the sensor is cut into cells; every event sees the recent events
// of its polarity in its cell through a decay, and a cell holds the mean of what its events saw. Float and integer form.

import type { EventBatch, Geometry } from '../batch.js'
import { checkedInteger } from '../filters/filter.js'
import { type DecayTable, decayed } from './decay.js'

export interface AveragedSurfaceOptions {
  readonly geometry: Geometry
  /** side of a cell in pixels; cells that the sensor cuts off at the right and bottom are smaller */
  readonly cellPixels: number
  /** a surface is a square of 2 * radiusPixels + 1 around the event */
  readonly radiusPixels: number
  /** events older than this are not seen */
  readonly windowMicros: number
}

/** Sums of the surfaces and the events behind them. sums: [cells y, cells x, 2, side, side], OFF first; counts: [cells y, cells x, 2] */
export interface AveragedSurfaces<T extends Float64Array | Int32Array> {
  readonly cellsX: number
  readonly cellsY: number
  readonly side: number
  readonly sums: T
  readonly counts: Uint32Array
}

/** Recent events of one cell and polarity, oldest first. */
interface Recent {
  readonly timeMicros: number[]
  readonly x: number[]
  readonly y: number[]
  from: number
}

const forget = (recent: Recent, oldestMicros: number): void => {
  while (recent.from < recent.timeMicros.length && (recent.timeMicros[recent.from] as number) < oldestMicros) recent.from++
  if (recent.from < 1024 || recent.from * 2 < recent.timeMicros.length) return
  for (const column of [recent.timeMicros, recent.x, recent.y]) column.splice(0, recent.from)
  recent.from = 0
}

/** Adds the surface of one event, which ages earlier events through `value`. */
const addSurface = (
  recent: Recent,
  x: number,
  y: number,
  timeMicros: number,
  radius: number,
  sums: Float64Array | Int32Array,
  at: number,
  value: (thenMicros: number, nowMicros: number) => number,
): void => {
  const side = 2 * radius + 1
  for (let k = recent.from; k < recent.timeMicros.length; k++) {
    const dx = (recent.x[k] as number) - x + radius
    const dy = (recent.y[k] as number) - y + radius
    if (dx < 0 || dx >= side || dy < 0 || dy >= side) continue
    const place = at + dy * side + dx
    sums[place] = (sums[place] as number) + value(recent.timeMicros[k] as number, timeMicros)
  }
}

const gather = <T extends Float64Array | Int32Array>(
  batch: EventBatch,
  options: AveragedSurfaceOptions,
  allocate: (length: number) => T,
  value: (thenMicros: number, nowMicros: number) => number,
): AveragedSurfaces<T> => {
  const { geometry, windowMicros } = options
  const cell = checkedInteger('cellPixels', options.cellPixels, 1, 65536)
  const radius = checkedInteger('radiusPixels', options.radiusPixels, 0, 128)
  const cellsX = Math.ceil(geometry.width / cell)
  const cellsY = Math.ceil(geometry.height / cell)
  const side = 2 * radius + 1
  const memory = Array.from({ length: cellsX * cellsY * 2 }, (): Recent => ({ timeMicros: [], x: [], y: [], from: 0 }))
  const surfaces: AveragedSurfaces<T> = { cellsX, cellsY, side, sums: allocate(memory.length * side * side), counts: new Uint32Array(memory.length) }
  for (let i = 0; i < batch.count; i++) {
    const x = batch.x[i] as number
    const y = batch.y[i] as number
    if (x >= geometry.width || y >= geometry.height) continue
    const timeMicros = batch.timeMicros[i] as number
    const place = (Math.floor(y / cell) * cellsX + Math.floor(x / cell)) * 2 + (batch.polarity[i] as number)
    const recent = memory[place] as Recent
    forget(recent, timeMicros - windowMicros)
    addSurface(recent, x, y, timeMicros, radius, surfaces.sums, place * side * side, value)
    surfaces.counts[place] = (surfaces.counts[place] as number) + 1
    recent.timeMicros.push(timeMicros)
    recent.x.push(x)
    recent.y.push(y)
  }
  return surfaces
}

/** Float surfaces with an exponential decay. */
export const averagedSurfaces = (batch: EventBatch, options: AveragedSurfaceOptions & { readonly tauMicros: number }): AveragedSurfaces<Float64Array> =>
  gather(
    batch,
    options,
    (length) => new Float64Array(length),
    (then, now) => decayed('exponential', Math.max(0, now - then), options.tauMicros),
  )

/** Integer surfaces through a decay table (0..127 an event seen). */
export const integerAveragedSurfaces = (batch: EventBatch, options: AveragedSurfaceOptions & { readonly decay: DecayTable }): AveragedSurfaces<Int32Array> => {
  const { shift, table } = options.decay
  const tick = (micros: number): number => Math.floor(micros / 2 ** shift)
  return gather(
    batch,
    options,
    (length) => new Int32Array(length),
    (then, now) => table[Math.max(0, tick(now) - tick(then))] ?? 0,
  )
}

/** The means of the sums, 0 where a cell had no events; same shape as the sums. Integer sums are divided with truncation. */
export const surfaceMeans = <T extends Float64Array | Int32Array>(surfaces: AveragedSurfaces<T>): T => {
  const area = surfaces.side * surfaces.side
  return surfaces.sums.map((sum, i) => {
    const count = surfaces.counts[Math.floor(i / area)] as number
    return count === 0 ? 0 : sum / count
  }) as T
}

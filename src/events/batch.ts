// Event batches: structure-of-arrays columns of one stretch of a recording, and the growable columns that decoders fill.
// Coordinates count from the top left; times are integer microseconds, exact to 2^53. See docs/events.md, "Batches".

/** Size of a sensor in pixels, each 1..65536. */
export interface Geometry {
  readonly width: number
  readonly height: number
}

/** Events of one stretch of time. Every array holds exactly `count` entries. */
export interface EventBatch {
  readonly count: number
  /** integer microseconds, [count] */
  readonly timeMicros: Float64Array
  /** column from the left, [count] */
  readonly x: Uint16Array
  /** row from the top, [count] */
  readonly y: Uint16Array
  /** 1 = brighter (ON), 0 = darker (OFF), [count] */
  readonly polarity: Uint8Array
  /** red, green, blue of colour sensors, [count, 3]; absent where the format has no colour */
  readonly rgb?: Uint8Array
}

/** External trigger edges. */
export interface TriggerBatch {
  readonly count: number
  /** integer microseconds, [count] */
  readonly timeMicros: Float64Array
  /** trigger input, [count] */
  readonly channel: Uint8Array
  /** 1 = rising edge, 0 = falling edge, [count] */
  readonly value: Uint8Array
}

/** Columns that grow while a decoder fills them; `takeBatch` hands them over. */
export interface Columns {
  count: number
  capacity: number
  timeMicros: Float64Array
  x: Uint16Array
  y: Uint16Array
  polarity: Uint8Array
  rgb: Uint8Array | null
}

export const createColumns = (hasColour = false): Columns => ({
  count: 0,
  capacity: 0,
  timeMicros: new Float64Array(0),
  x: new Uint16Array(0),
  y: new Uint16Array(0),
  polarity: new Uint8Array(0),
  rgb: hasColour ? new Uint8Array(0) : null,
})

const grown = <T extends Float64Array | Uint16Array | Uint8Array>(target: T, source: T, count: number): T => {
  target.set(source.subarray(0, count) as never)
  return target
}

/** Makes room for `extra` more events; arrays read before this call may be stale after it. */
export const reserve = (columns: Columns, extra: number): void => {
  const needed = columns.count + extra
  if (needed <= columns.capacity) return
  const capacity = columns.capacity === 0 ? needed : Math.max(needed, columns.capacity * 2)
  const { count } = columns
  columns.timeMicros = grown(new Float64Array(capacity), columns.timeMicros, count)
  columns.x = grown(new Uint16Array(capacity), columns.x, count)
  columns.y = grown(new Uint16Array(capacity), columns.y, count)
  columns.polarity = grown(new Uint8Array(capacity), columns.polarity, count)
  if (columns.rgb !== null) columns.rgb = grown(new Uint8Array(3 * capacity), columns.rgb, 3 * count)
  columns.capacity = capacity
}

/** Appends one event; hot decoders write to the arrays themselves after `reserve`. */
export const appendEvent = (columns: Columns, timeMicros: number, x: number, y: number, polarity: number): void => {
  if (columns.count === columns.capacity) reserve(columns, 64)
  const n = columns.count++
  columns.timeMicros[n] = timeMicros
  columns.x[n] = x
  columns.y[n] = y
  columns.polarity[n] = polarity
}

/** The events gathered so far as a batch; the columns are empty afterwards. Arrays more than a third empty are copied to their size. */
export const takeBatch = (columns: Columns): EventBatch => {
  const { count, capacity, timeMicros, x, y, polarity, rgb } = columns
  const isTight = count === capacity || count * 3 > capacity * 2
  const cut = <T extends Float64Array | Uint16Array | Uint8Array>(array: T, length: number): T =>
    (isTight ? array.subarray(0, length) : array.slice(0, length)) as T
  Object.assign(columns, createColumns(rgb !== null))
  return {
    count,
    timeMicros: cut(timeMicros, count),
    x: cut(x, count),
    y: cut(y, count),
    polarity: cut(polarity, count),
    ...(rgb === null ? {} : { rgb: cut(rgb, 3 * count) }),
  }
}

export const emptyBatch = (): EventBatch => takeBatch(createColumns())

/** A batch from rows [time in microseconds, x, y, polarity]; for tests and small examples. */
export const batchOf = (rows: readonly (readonly [number, number, number, number])[]): EventBatch => {
  const columns = createColumns()
  for (const [timeMicros, x, y, polarity] of rows) appendEvent(columns, timeMicros, x, y, polarity)
  return takeBatch(columns)
}

/** Rows [time in microseconds, x, y, polarity] of a batch, the inverse of `batchOf`. */
export const rowsOf = (batch: EventBatch): [number, number, number, number][] =>
  Array.from({ length: batch.count }, (_, i) => [batch.timeMicros[i] as number, batch.x[i] as number, batch.y[i] as number, batch.polarity[i] as number])

/** Events from..to (exclusive) as views on the same memory. */
export const sliceBatch = (batch: EventBatch, from: number, to: number): EventBatch => ({
  count: to - from,
  timeMicros: batch.timeMicros.subarray(from, to),
  x: batch.x.subarray(from, to),
  y: batch.y.subarray(from, to),
  polarity: batch.polarity.subarray(from, to),
  ...(batch.rgb === undefined ? {} : { rgb: batch.rgb.subarray(3 * from, 3 * to) }),
})

/** One batch of several, in the order given; colour is kept where every batch has it. */
export const concatBatches = (batches: readonly EventBatch[]): EventBatch => {
  const [only] = batches
  if (batches.length === 1 && only !== undefined) return only
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  const columns = createColumns(batches.some((batch) => batch.count > 0) && batches.every((batch) => batch.rgb !== undefined || batch.count === 0))
  reserve(columns, count)
  for (const batch of batches) appendBatch(columns, batch)
  return takeBatch(columns)
}

/** Appends a whole batch to columns. */
export const appendBatch = (columns: Columns, batch: EventBatch): void => {
  reserve(columns, batch.count)
  const at = columns.count
  columns.timeMicros.set(batch.timeMicros, at)
  columns.x.set(batch.x, at)
  columns.y.set(batch.y, at)
  columns.polarity.set(batch.polarity, at)
  if (columns.rgb !== null && batch.rgb !== undefined) columns.rgb.set(batch.rgb, 3 * at)
  columns.count += batch.count
}

/** The events whose rising numbers are in indices[0..count); the batch itself where that is all of them. */
export const pickEvents = (batch: EventBatch, indices: Uint32Array, count: number): EventBatch =>
  count === batch.count ? batch : gatherEvents(batch, indices, count)

/** The events whose numbers are in indices[0..count), in that order, as a new batch. */
export const gatherEvents = (batch: EventBatch, indices: Uint32Array, count: number): EventBatch => {
  const columns = createColumns(batch.rgb !== undefined)
  reserve(columns, count)
  const { timeMicros, x, y, polarity, rgb } = columns
  for (let i = 0; i < count; i++) {
    const from = indices[i] as number
    timeMicros[i] = batch.timeMicros[from] as number
    x[i] = batch.x[from] as number
    y[i] = batch.y[from] as number
    polarity[i] = batch.polarity[from] as number
  }
  if (rgb !== null && batch.rgb !== undefined) {
    for (let i = 0; i < count; i++) rgb.set(batch.rgb.subarray(3 * (indices[i] as number), 3 * (indices[i] as number) + 3), 3 * i)
  }
  columns.count = count
  return takeBatch(columns)
}

/** A batch of triggers from rows [time in microseconds, channel, value]. */
export const triggersOf = (rows: readonly (readonly [number, number, number])[]): TriggerBatch => ({
  count: rows.length,
  timeMicros: Float64Array.from(rows, (row) => row[0]),
  channel: Uint8Array.from(rows, (row) => row[1]),
  value: Uint8Array.from(rows, (row) => row[2]),
})

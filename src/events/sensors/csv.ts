// A streaming reader of samples in text: one line an instant, one column a channel, with or without a line of names and a column of times.
// What is no number is refused with its line and column.

import { malformedFile, usage } from '../../errors.js'
import { createLedger, tally } from '../ledger.js'
import { checkedRate, SAMPLE_LIMIT, type SampleBlock, type SampleReader } from './samples.js'

export const CSV_TIME_UNITS = { s: 1e6, ms: 1e3, us: 1, ns: 1e-3 } as const

export interface CsvOptions {
  /** in messages; default "signal.csv" */
  readonly name?: string
  /** what one integer step is worth in units of the columns, above 0; a value times 1/resolution must stay below 2^23 */
  readonly resolution: number
  /** names, or numbers from 1, of the columns to read; default: all but the time's */
  readonly columns?: readonly string[]
  /** name or number of the column of times; without it times come from rateHz */
  readonly timeColumn?: string
  /** unit of the column of times; default "s" */
  readonly timeUnit?: keyof typeof CSV_TIME_UNITS
  /** samples a second; needed without a column of times */
  readonly rateHz?: number
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const MAX_LINE_BYTES = 1 << 20
const MAX_COLUMNS = 65536
const LINE_FEED = 10

interface Layout {
  readonly separator: RegExp
  readonly names: readonly string[]
  readonly hasNames: boolean
  readonly columns: readonly number[]
  readonly time: number | null
}

const separatorOf = (line: string): RegExp => (line.includes(';') ? /;/ : line.includes(',') ? /,/ : line.includes('\t') ? /\t/ : /\s+/)
const fieldsOf = (line: string, separator: RegExp): string[] => line.split(separator).map((field) => field.trim().replace(/^"(.*)"$/, '$1'))

/** A reader of one text file. @throws USAGE for options that do not go together, FILE_MALFORMED with line and column while it reads */
export const createCsvReader = (options: CsvOptions): SampleReader => {
  const { name = 'signal.csv', resolution, rateHz, timeColumn, timeUnit = 's' } = options
  if (!(Number.isFinite(resolution) && resolution > 0)) throw usage(`a resolution of ${resolution} makes no sense.`, 'It is what one step is worth, above 0.')
  if (timeColumn === undefined && rateHz === undefined)
    throw usage(`${name} has no times: neither a sample rate nor a column of times was named.`, 'Pass the rate (--rate 1000) or the column (--time-column t).')
  if (rateHz !== undefined) checkedRate(rateHz)
  const ledger = createLedger()
  const decoder = new TextDecoder('utf-8')
  let carry: Uint8Array = new Uint8Array(0)
  let layout: Layout | null = null
  let lineNumber = 0
  let samples = 0
  let lastMicros = Number.NEGATIVE_INFINITY

  const columnOf = (wanted: string, names: readonly string[], hasNames: boolean): number => {
    const byName = hasNames ? names.indexOf(wanted) : -1
    const found = byName >= 0 ? byName : /^\d+$/.test(wanted) ? Number(wanted) - 1 : -1
    if (found >= 0 && found < names.length) return found
    throw usage(
      `${name} has no column "${wanted}".`,
      hasNames ? `Its columns are ${names.slice(0, 20).join(', ')}.` : `It has ${names.length} columns without names: give numbers from 1.`,
    )
  }
  const findLayout = (line: string): Layout => {
    const separator = separatorOf(line)
    const names = fieldsOf(line, separator)
    if (names.length > MAX_COLUMNS) throw malformedFile(name, null, `line ${lineNumber} has ${names.length} columns, ${MAX_COLUMNS} are the most`)
    // A line of names has no number at all, so that one bad value in the first line of samples is not taken for names.
    const hasNames = !names.some((field) => NUMBER.test(field)) && names.some((field) => /^[a-z_]/i.test(field) && !/^([+-]?inf(inity)?|nan)$/i.test(field))
    const time = timeColumn === undefined ? null : columnOf(timeColumn, names, hasNames)
    const all = names.map((_, i) => i).filter((i) => i !== time)
    const columns = options.columns === undefined ? all : options.columns.map((wanted) => columnOf(wanted, names, hasNames))
    if (columns.length === 0) throw usage(`${name} has no column beside the times.`, 'Name the columns to read (--columns x,y,z).')
    return { separator, names, hasNames, columns, time }
  }
  const placeOf = (column: number): string => `line ${lineNumber}, column ${column + 1}${layout?.hasNames === true ? ` ("${layout.names[column]}")` : ''}`
  const numberAt = (fields: readonly string[], column: number): number => {
    const field = fields[column]
    if (field === undefined) throw malformedFile(name, null, `${placeOf(column)} is missing, the line has ${fields.length} columns`)
    const value = NUMBER.test(field) ? Number(field) : Number.NaN
    if (!Number.isFinite(value))
      throw malformedFile(
        name,
        null,
        `${placeOf(column)}: "${field.slice(0, 40)}" is no finite number`,
        'Remove or repair the line; a sample has no meaning without its value.',
      )
    return value
  }
  const integerAt = (fields: readonly string[], column: number): number => {
    const value = Math.round(numberAt(fields, column) / resolution)
    if (Math.abs(value) <= SAMPLE_LIMIT) return value
    throw malformedFile(
      name,
      null,
      `${placeOf(column)}: ${fields[column]} is beyond ${SAMPLE_LIMIT} steps of ${resolution}`,
      'Choose a coarser resolution (--resolution) or a larger threshold.',
    )
  }
  const timeOf = (fields: readonly string[], time: number | null): number => {
    if (time === null) return Math.floor((samples * 1e6) / (rateHz as number))
    const micros = Math.round(numberAt(fields, time) * CSV_TIME_UNITS[timeUnit])
    if (micros < lastMicros) throw malformedFile(name, null, `${placeOf(time)}: the time goes back`, 'Sort the lines by time.')
    if (!Number.isSafeInteger(micros)) throw malformedFile(name, null, `${placeOf(time)}: the time is beyond 2^53 us`)
    return micros
  }
  const readLine = (bytes: Uint8Array, values: number[], times: number[]): void => {
    lineNumber++
    const line = decoder.decode(bytes).trim()
    const isComment = line === '' || line.startsWith('#')
    const isFirst = layout === null && !isComment
    if (isFirst) layout = findLayout(line)
    if (layout === null || isComment || (isFirst && layout.hasNames)) {
      tally(ledger.otherBytes, isComment ? 'comment' : 'header', bytes.length)
      return
    }
    const fields = fieldsOf(line, layout.separator)
    lastMicros = timeOf(fields, layout.time)
    times.push(lastMicros)
    for (const column of layout.columns) values.push(integerAt(fields, column))
    samples++
    tally(ledger.otherBytes, 'samples', bytes.length)
    tally(ledger.records, 'sample')
  }
  const read = (isLast: boolean): SampleBlock => {
    const values: number[] = []
    const times: number[] = []
    let from = 0
    for (let to = carry.indexOf(LINE_FEED); to >= 0; to = carry.indexOf(LINE_FEED, from)) {
      readLine(carry.subarray(from, to + 1), values, times)
      from = to + 1
    }
    if (carry.length - from > MAX_LINE_BYTES) throw malformedFile(name, null, `line ${lineNumber + 1} is longer than ${MAX_LINE_BYTES} bytes`)
    if (isLast && from < carry.length) {
      readLine(carry.subarray(from), values, times)
      from = carry.length
    }
    carry = carry.subarray(from)
    ledger.pendingBytes = carry.length
    return { count: times.length, channels: layout?.columns.length ?? 1, timeMicros: Float64Array.from(times), values: Int32Array.from(values) }
  }
  return {
    get channels() {
      return layout?.columns.length ?? null
    },
    resolution,
    ledger,
    push: (chunk) => {
      ledger.bytesIn += chunk.length
      const joined = new Uint8Array(carry.length + chunk.length)
      joined.set(carry)
      joined.set(chunk, carry.length)
      carry = joined
      return read(false)
    },
    end: () => {
      const block = read(true)
      if (samples === 0) throw malformedFile(name, null, 'the file holds no samples')
      return block
    },
  }
}

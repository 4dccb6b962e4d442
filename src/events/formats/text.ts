// Events as text: lines of "t x y p" (rpg and ECD datasets, t in seconds) or comma-separated columns with or without a line of
// names. Times are read digit by digit, so seconds lose nothing. See docs/events.md, "Text".

import { usage } from '../../errors.js'
import { appendEvent } from '../batch.js'
import { type DecoderOptions, decoderOf, type EventDecoder, type Parser, type ParserState, type Sink } from '../decoder.js'
import { type EncoderOptions, type EncodingSteps, type EventEncoder, encoderOf } from '../encoder.js'
import { tally } from '../ledger.js'
import { textOf } from './words.js'

type TimeUnit = NonNullable<DecoderOptions['timeUnit']>

interface TextState extends ParserState {
  /** letters of "txyp" and "-", one a column */
  columns: string
  timeUnit: TimeUnit
  /** the columns were given or named: a line of names is not looked for any more */
  isNamed: boolean
  hasEvents: boolean
  /** inside a line longer than the limit */
  isSkipping: boolean
}

const LONGEST_LINE_BYTES = 4096
const LINE_FEED = 10

const NAMES: Readonly<Record<string, string>> = {
  t: 't',
  ts: 't',
  time: 't',
  timestamp: 't',
  x: 'x',
  y: 'y',
  p: 'p',
  pol: 'p',
  polarity: 'p',
  on: 'p',
}

const UNITS: readonly (readonly [RegExp, TimeUnit])[] = [
  [/[([_ ]?(us|micros|microseconds)[)\]]?$/, 'micros'],
  [/[([_ ](ms|millis|milliseconds)[)\]]?$/, 'millis'],
  [/[([_ ](ns|nanos|nanoseconds)[)\]]?$/, 'nanos'],
  [/[([_ ](s|sec|seconds)[)\]]?$/, 'seconds'],
]

/** Letters of a line of column names, or null where it does not name t, x and y. */
const columnsOf = (tokens: readonly string[]): string | null => {
  const letters = tokens.map((token) => NAMES[token.toLowerCase().replace(/[^a-z].*$/, '')] ?? '-').join('')
  return ['t', 'x', 'y'].every((letter) => letters.split(letter).length === 2) && letters.split('p').length <= 2 ? letters : null
}

const takeNames = (state: TextState, tokens: readonly string[]): boolean => {
  const letters = columnsOf(tokens)
  if (letters === null) return false
  const unit = UNITS.find(([pattern]) => pattern.test((tokens[letters.indexOf('t')] ?? '').toLowerCase()))?.[1]
  if (unit !== undefined && state.timeUnit === 'auto') state.timeUnit = unit
  state.columns = letters
  state.isNamed = true
  return true
}

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d*))?$/

/** Seconds as integer microseconds, rounded half up at the seventh digit; exact where the text is decimal. */
const secondsToMicros = (token: string): number => {
  const parts = DECIMAL.exec(token)
  if (parts === null) return Math.round(Number(token) * 1e6)
  const fraction = (parts[3] ?? '').padEnd(7, '0')
  const micros = Number(parts[2]) * 1e6 + Number(fraction.slice(0, 6)) + (fraction.charCodeAt(6) >= 53 ? 1 : 0)
  return parts[1] === '-' ? -micros : micros
}

/** A time token in microseconds; NaN where it is no number. "auto" becomes seconds at the first decimal point or exponent. */
const timeOf = (state: TextState, token: string): number => {
  if (state.timeUnit === 'auto' && /[.eE]/.test(token)) state.timeUnit = 'seconds'
  if (state.timeUnit === 'seconds') return secondsToMicros(token)
  const value = Number(token)
  if (state.timeUnit === 'millis') return Math.round(value * 1000)
  return Math.round(state.timeUnit === 'nanos' ? value / 1000 : value)
}

const POLARITIES: Readonly<Record<string, number>> = { '0': 0, '1': 1, '-1': 0, '+1': 1, true: 1, false: 0, True: 1, False: 0, on: 1, off: 0, ON: 1, OFF: 0 }

const polarityOf = (token: string): number => POLARITIES[token] ?? POLARITIES[String(Number(token))] ?? -1

const coordinateOf = (token: string): number => {
  const value = Number(token)
  return token !== '' && Number.isInteger(value) && value >= 0 && value <= 65535 ? value : -1
}

/** Reads one event of the tokens; false where they are none. */
const takeEvent = (state: TextState, tokens: readonly string[], sink: Sink): boolean => {
  const { columns } = state
  const token = (letter: string): string => tokens[columns.indexOf(letter)] ?? ''
  const x = coordinateOf(token('x'))
  const y = coordinateOf(token('y'))
  const polarity = columns.includes('p') ? polarityOf(token('p')) : 1
  const timeToken = token('t')
  if (x < 0 || y < 0 || polarity < 0 || timeToken === '') return false
  const timeMicros = timeOf(state, timeToken)
  if (!Number.isSafeInteger(timeMicros)) return false
  state.hasEvents = true
  appendEvent(sink.columns, timeMicros, x, y, polarity)
  return true
}

const takeLine = (state: TextState, line: string, size: number, sink: Sink): void => {
  const { ledger } = sink
  const trimmed = line.trim()
  if (trimmed === '') {
    tally(ledger.otherBytes, 'blank', size)
    return
  }
  const isComment = trimmed.startsWith('#') || trimmed.startsWith('%') || trimmed.startsWith('//')
  const tokens = trimmed.replace(/^[#%/ ]+/, '').split(/[\s,;]+/)
  if (!state.hasEvents && !state.isNamed && takeNames(state, tokens)) {
    tally(ledger.otherBytes, 'names', size)
    return
  }
  if (isComment) {
    tally(ledger.otherBytes, 'comment', size)
    return
  }
  if (takeEvent(state, tokens, sink)) ledger.eventBytes += size
  else if (!state.hasEvents && columnsOf(tokens) !== null) tally(ledger.otherBytes, 'names', size)
  else tally(ledger.droppedBytes, 'malformedLine', size)
}

/** Values of one line read by `readNumbers`: integer part, first six decimals, and whether there was a point. */
const wholes = new Float64Array(8)
const decimals = new Float64Array(8)
const hasPoint = new Uint8Array(8)

/**
 * Reads a line of plain unsigned decimal numbers (at most 15 digits before and 6 after the point) separated by one comma, space,
 * tab or semicolon each; returns how many, or 0 where the line holds anything else and must be read by `takeLine`.
 */
const readNumbers = (bytes: Uint8Array, start: number, end: number): number => {
  let count = 0
  let at = start
  while (count < 8) {
    let digits = 0
    let whole = 0
    let byte = 0
    for (; at < end; at++, digits++) {
      byte = (bytes[at] as number) - 48
      if (byte < 0 || byte > 9) break
      whole = whole * 10 + byte
    }
    if (digits === 0 || digits > 15) return 0
    let scale = 1e6
    let part = 0
    const isDecimal = at < end && byte === -2
    if (isDecimal) {
      for (at++; at < end; at++) {
        byte = (bytes[at] as number) - 48
        if (byte < 0 || byte > 9) break
        scale /= 10
        part += byte * scale
      }
      if (scale < 1) return 0
    }
    wholes[count] = whole
    decimals[count] = Math.round(part)
    hasPoint[count] = isDecimal ? 1 : 0
    count++
    if (at === end) return count
    const separator = bytes[at] as number
    if (separator === 13 && at === end - 1) return count
    if (separator !== 44 && separator !== 32 && separator !== 9 && separator !== 59) return 0
    at++
  }
  return 0
}

/** Takes a line of plain numbers as `takeLine` would; false where it must be left to `takeLine`. */
const takePlainLine = (state: TextState, bytes: Uint8Array, start: number, end: number, sink: Sink): boolean => {
  const { columns, timeUnit } = state
  const count = readNumbers(bytes, start, end)
  const t = columns.indexOf('t')
  const p = columns.indexOf('p')
  const xAt = columns.indexOf('x')
  const yAt = columns.indexOf('y')
  if (count < columns.length || (timeUnit !== 'auto' && timeUnit !== 'micros' && timeUnit !== 'seconds')) return false
  const x = wholes[xAt] as number
  const y = wholes[yAt] as number
  const polarity = p < 0 ? 1 : (wholes[p] as number)
  const isPlain = hasPoint[xAt] === 0 && hasPoint[yAt] === 0 && (p < 0 || hasPoint[p] === 0) && x <= 65535 && y <= 65535 && polarity <= 1
  if (!isPlain || (timeUnit === 'micros' && hasPoint[t] === 1)) return false
  if (timeUnit === 'auto' && hasPoint[t] === 1) state.timeUnit = 'seconds'
  const whole = wholes[t] as number
  const timeMicros = state.timeUnit === 'seconds' ? whole * 1e6 + (decimals[t] as number) : whole
  if (!Number.isSafeInteger(timeMicros)) return false
  state.hasEvents = true
  appendEvent(sink.columns, timeMicros, x, y, polarity)
  return true
}

const checkedColumns = (columns: string): string => {
  const isValid = /^[txyp-]+$/.test(columns) && ['t', 'x', 'y'].every((letter) => columns.split(letter).length === 2) && columns.split('p').length <= 2
  if (!isValid)
    throw usage(`the columns "${columns}" make no sense.`, 'Name each of t, x, y once, p at most once, and "-" for a column to skip: "txyp", "xytp", "t-xyp".')
  return columns
}

const parser: Parser<TextState> = {
  create: (options) => ({
    geometry: options.geometry ?? null,
    columns: checkedColumns(options.columns ?? 'txyp'),
    timeUnit: options.timeUnit ?? 'auto',
    isNamed: options.columns !== undefined,
    hasEvents: false,
    isSkipping: false,
  }),
  parse: (state, bytes, start, end, sink, isLast) => {
    let at = start
    while (at < end) {
      const found = bytes.indexOf(LINE_FEED, at)
      const isWhole = found >= 0 && found < end
      const next = isWhole ? found + 1 : end
      const isTooLong = state.isSkipping || next - at > LONGEST_LINE_BYTES
      if (!isWhole && !isLast && !isTooLong) return at
      if (isTooLong) tally(sink.ledger.droppedBytes, 'lineTooLong', next - at)
      else if (takePlainLine(state, bytes, at, isWhole ? found : end, sink)) sink.ledger.eventBytes += next - at
      else takeLine(state, textOf(bytes, at, isWhole ? found : end), next - at, sink)
      state.isSkipping = isTooLong && !isWhole
      at = next
    }
    return at
  },
}

export const createTextDecoder = (options: DecoderOptions = {}): EventDecoder => decoderOf(parser, options)

/** Integer microseconds as seconds with six digits. */
const secondsText = (micros: number): string => `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`

const TITLES: Readonly<Record<string, string>> = { t: 't', x: 'x', y: 'y', p: 'p', '-': '' }

const steps = (options: EncoderOptions): EncodingSteps => {
  const columns = [...checkedColumns(options.columns ?? 'txyp')]
  const isSeconds = options.timeUnit === 'seconds'
  const separator = options.separator ?? (isSeconds ? ' ' : ',')
  return {
    maxX: 65535,
    maxY: 65535,
    begin: (out) => {
      if (!isSeconds) out.text(`${columns.map((letter) => TITLES[letter]).join(separator)}\n`)
    },
    events: ({ timeMicros, x, y, polarity }, from, to, out) => {
      const lines: string[] = []
      for (let i = from; i < to; i++) {
        const time = timeMicros[i] as number
        const fields: Record<string, string | number> = {
          t: isSeconds ? secondsText(time) : time,
          x: x[i] as number,
          y: y[i] as number,
          p: polarity[i] as number,
          '-': 0,
        }
        lines.push(`${columns.map((letter) => fields[letter]).join(separator)}\n`)
      }
      out.text(lines.join(''))
    },
  }
}

export const createTextEncoder = (options: EncoderOptions): EventEncoder => encoderOf(steps(options), options)

/** True where the first lines are text whose columns can be events. */
export const looksLikeText = (head: Uint8Array): boolean => {
  const length = Math.min(head.length, LONGEST_LINE_BYTES)
  for (let i = 0; i < length; i++) {
    const byte = head[i] as number
    if (byte >= 0x7f || (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13)) return false
  }
  const lines = textOf(head, 0, length).split('\n').slice(0, 64)
  return lines.some((line) => {
    const tokens = line.trim().split(/[\s,;]+/)
    return columnsOf(tokens) !== null || (tokens.length >= 4 && tokens.every((token) => token !== '' && Number.isFinite(Number(token))))
  })
}

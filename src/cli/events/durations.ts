// Durations and places in a recording as users type them: "10ms", "1.5s", or a plain number of events.

import { InvalidArgumentError } from 'commander'

const UNIT_MICROS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, min: 6e7, h: 3.6e9 }

/** Integer microseconds of "10ms", null where the text is no duration. */
export const parseDuration = (text: string): number | null => {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|min|h)$/.exec(text.trim())
  if (match === null) return null
  const micros = Math.round(Number(match[1]) * (UNIT_MICROS[match[2] as string] as number))
  return Number.isSafeInteger(micros) ? micros : null
}

/** A duration, for option parsers. */
export const duration = (text: string): number => {
  const micros = parseDuration(text)
  if (micros === null) throw new InvalidArgumentError('a duration with a unit is needed: us, ms, s, min or h, for example 10ms.')
  return micros
}

/** A place in a recording: a time since the first event, or the number of an event. */
export type Place = { readonly micros: number } | { readonly event: number }

/** A duration or a number of events, for option parsers. */
export const place = (text: string): Place => {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { event: Number(text) }
  const micros = parseDuration(text)
  if (micros === null) throw new InvalidArgumentError('a duration with a unit (10ms) or a whole number of events is needed.')
  return { micros }
}

/** 1234567 -> "1.234567 s" */
export const formatMicros = (micros: number): string =>
  Math.abs(micros) >= 1e6 ? `${micros / 1e6} s` : Math.abs(micros) >= 1e3 ? `${micros / 1e3} ms` : `${micros} us`

// Text headers in front of binary data: lines that start with a mark ("% " of Prophesee, "#" of AEDAT) and hold only printable
// characters, read one at a time so that no byte of the data is taken for text. See docs/events.md, "Headers".

import type { Sink } from '../decoder.js'
import { tally } from '../ledger.js'
import { textOf } from './words.js'

const LONGEST_LINE_BYTES = 8192
const LINE_FEED = 0x0a

/** A header line with its end, or why there is none: "more" bytes are needed, or the "data" begins here. */
export type HeaderLine = { readonly text: string; readonly next: number } | 'more' | 'data'

const isPrintable = (byte: number): boolean => byte >= 0x20 || byte === 0x09 || byte === 0x0d

/**
 * Reads one header line that starts with `mark` (one or two characters).
 * A line with a control character, or longer than 8 kB, is data: binary words may happen to begin with the mark.
 */
export const readHeaderLine = (bytes: Uint8Array, start: number, end: number, mark: string): HeaderLine => {
  for (let i = 0; i < mark.length; i++) {
    if (start + i >= end) return 'more'
    if (bytes[start + i] !== mark.charCodeAt(i)) return 'data'
  }
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number
    if (byte === LINE_FEED) return { text: textOf(bytes, start + mark.length, at).replace(/\r$/, ''), next: at + 1 }
    if (!isPrintable(byte) || at - start >= LONGEST_LINE_BYTES) return 'data'
  }
  return 'more'
}

/** The state every format with a text header shares. */
export interface HeaderState {
  isHeaderDone: boolean
  headerLines: number
}

/**
 * Reads header lines (an unfinished last line is left, so that a truncated header never becomes data) until data begins, passing each text to `onLine`, which returns true where it was the last one.
 * Returns the new position; `state.isHeaderDone` tells whether data begins there.
 */
export const readHeader = (
  state: HeaderState,
  bytes: Uint8Array,
  start: number,
  end: number,
  sink: Sink,
  mark: string,
  onLine: (text: string) => boolean,
): number => {
  let at = start
  while (!state.isHeaderDone) {
    const line = readHeaderLine(bytes, at, end, mark)
    if (line === 'more') break
    if (line === 'data') state.isHeaderDone = true
    else {
      at = line.next
      state.headerLines++
      state.isHeaderDone = onLine(line.text)
    }
  }
  tally(sink.ledger.otherBytes, 'header', at - start)
  return at
}

// Decay of a time surface: the exact float forms, and the table of 256 bytes that a microcontroller uses instead. A tick is 2^shift
// microseconds; the value of an age is a table entry, so host and chip agree bit for bit. See docs/events.md, "Time surfaces".

import { usage } from '../../errors.js'

export type DecayKind = 'exponential' | 'linear' | 'binary'

/** Value of an age in 0..1: exp(-age / tau); 1 - age / tau down to 0; 1 while age < tau. */
export const decayed = (kind: DecayKind, ageMicros: number, tauMicros: number): number => {
  if (kind === 'exponential') return Math.exp(-ageMicros / tauMicros)
  if (kind === 'linear') return Math.max(0, 1 - ageMicros / tauMicros)
  return ageMicros < tauMicros ? 1 : 0
}

/** An integer decay: value of an age of d ticks is table[d], 0 from 256 ticks on. */
export interface DecayTable {
  readonly kind: DecayKind
  readonly tauMicros: number
  /** a tick is 2^shift microseconds */
  readonly shift: number
  /** 0..127, [256] */
  readonly table: Uint8Array
}

/** Times of tau after which nothing is left: the table must reach as far. */
const REACH: Readonly<Record<DecayKind, number>> = { exponential: 5, linear: 1, binary: 1 }

/** The finest table that reaches 5 tau (exponential) or tau (linear, binary); tauMicros is an integer from 1 to 2^28. */
export const createDecayTable = (kind: DecayKind, tauMicros: number): DecayTable => {
  if (!(Number.isInteger(tauMicros) && tauMicros >= 1 && tauMicros <= 2 ** 28)) {
    throw usage(`tauMicros is ${tauMicros}, it must be an integer from 1 to ${2 ** 28} us.`, 'Time constants are given in microseconds.')
  }
  let shift = 0
  while (REACH[kind] * tauMicros > 256 * 2 ** shift) shift++
  const table = Uint8Array.from({ length: 256 }, (_, ticks) => Math.round(127 * decayed(kind, ticks * 2 ** shift, tauMicros)))
  return { kind, tauMicros, shift, table }
}

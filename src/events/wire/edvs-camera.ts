// The camera's side of the eDVS protocol without any line: takes commands, answers them, and packs events in the format that was asked
// for. The emulator puts it behind a pseudo terminal. Commands as the eDVS user guide lists them; see docs/events.md, "eDVS".

import type { EventBatch } from '../batch.js'
import { createByteWriter } from '../encoder.js'
import { E1_MAX_MICROS, EDVS_FORMATS, type EdvsFormat, putEdvsEvent } from './edvs.js'

export interface EdvsCamera {
  /** between E+ and E- */
  readonly isRunning: boolean
  readonly format: EdvsFormat
  readonly biases: readonly number[]
  /** Takes bytes from the host; returns the answer, empty where there is none. */
  command(bytes: Uint8Array): Uint8Array
  /** The bytes of events; coordinates of 128 and more are wrapped into the sensor. */
  pack(batch: EventBatch): Uint8Array
}

const BANNER = '\nEDVS128_LPC43xx, V1.0: eDVS4337 emulated by spikeport\nSystem Clock: 204 MHz / 64 -> 1000 ns event time resolution\nModules: edvs\n\n'
const LONGEST_COMMAND = 64
const PRESET = [54, 1108364, 16777215, 8159221, 132, 309590, 969, 16777215, 16750069, 49, 110, 0]

interface State {
  isRunning: boolean
  format: EdvsFormat
  biases: number[]
  /** 0: no answers, 1: answers, 2: echo and answers */
  echo: number
  line: string
  lastMicros: number
}

const initial = (): State => ({ isRunning: false, format: 'E0', biases: [...PRESET], echo: 1, line: '', lastMicros: 0 })

const setBias = (state: State, index: number, value: number): string => {
  if (index >= state.biases.length || value >= 2 ** 24) return 'ERR\n'
  state.biases[index] = value
  return `-B${index}=${value}\n`
}

/** What one command does; null: there is no such command. */
const obey = (state: State, text: string): string | null => {
  if (text === '') return ''
  if (text === 'E+' || text === 'E-') {
    state.isRunning = text === 'E+'
    return ''
  }
  if (text === 'R') {
    Object.assign(state, initial())
    return BANNER
  }
  if (text === '??') return `${BANNER}commands: E+ E- !E0..4 !ETx !B[0-11]=x ?Bx !BF !BDx !L0..2 !U0..2 !U=x R ??\n`
  const format = EDVS_FORMATS.find((name) => text === `!${name}`)
  if (format !== undefined) {
    state.format = format
    return `-${text.slice(1)}\n`
  }
  if (/^!ET(\d+|M[+0]|[SI])$/.test(text)) return `-${text.slice(1)}\n`
  const bias = /^!B(\d{1,2})=(\d{1,8})$/.exec(text)
  if (bias !== null) return setBias(state, Number(bias[1]), Number(bias[2]))
  const asked = /^\?B(\d{1,2})$/.exec(text)
  if (asked !== null) return Number(asked[1]) < state.biases.length ? `-B${asked[1]}=${state.biases[Number(asked[1])]}\n` : 'ERR\n'
  if (/^!(BF|BD\d|L[012]|S[+-].*)$/.test(text) || /^!U=\d{3,8}$/.test(text)) return `-${text.slice(1)}\n`
  if (/^!U[012]$/.test(text)) {
    state.echo = Number(text[2])
    return ''
  }
  return null
}

/** A camera that has just been switched on. */
export const createEdvsCamera = (): EdvsCamera => {
  const state = initial()
  const answer = (text: string): string => {
    const reply = obey(state, text) ?? `ERR: unknown command: ${text}\n`
    if (text === 'R' || text === '??' || text.startsWith('?')) return reply
    return state.echo === 0 ? '' : `${state.echo === 2 ? `${text}\n` : ''}${reply}`
  }
  return {
    get isRunning() {
      return state.isRunning
    },
    get format() {
      return state.format
    },
    get biases() {
      return state.biases
    },
    command: (bytes) => {
      let reply = ''
      for (const byte of bytes) {
        if (byte === 0x0a || byte === 0x0d) {
          const text = state.line.trim()
          state.line = ''
          reply += answer(text)
        } else if (state.line.length < LONGEST_COMMAND) state.line += String.fromCharCode(byte & 0x7f)
      }
      return new TextEncoder().encode(reply)
    },
    pack: ({ count, timeMicros, x, y, polarity }) => {
      const out = createByteWriter(6 * count + 1)
      for (let i = 0; i < count; i++) {
        const time = timeMicros[i] as number
        const since = Math.min(E1_MAX_MICROS, Math.max(0, time - state.lastMicros))
        state.lastMicros = time
        putEdvsEvent(state.format, (x[i] as number) & 127, (y[i] as number) & 127, polarity[i] as number, time, since, out)
      }
      return out.take()
    },
  }
}

// spikeport events emulate: plays a recording as a camera: an eDVS on a pseudo terminal, SPIF or cAER over UDP, DV's stream over TCP,
// at the recording's pace or as fast as the line takes it, with damage on demand. Everything that is not sent is counted.

import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { openPty, parseCameraAddress } from '#targets/index.js'
import { usage } from '../../errors.js'
import { createEdvsCamera, type EventBatch, sliceBatch, type Tally, tally, WIRE_FORMATS } from '../../events/index.js'
import { randomWords, STREAMS } from '../../random.js'
import { type Io, processIo, thousands } from '../io.js'
import { openSized, type SourceOptions } from './source.js'

export interface EmulateOptions extends SourceOptions {
  readonly as: 'edvs' | 'udp' | 'tcp'
  /** udp: where to send; tcp: where to listen; default 127.0.0.1:3333 and 127.0.0.1:7777 */
  readonly address?: string
  /** times the recording's pace; infinite: as fast as the line takes it */
  readonly speed: number
  /** events a second, whatever the recording's times say; event times follow it */
  readonly rate?: number
  /** microseconds of events after which playing ends, over the repeated recording; default: once */
  readonly duration?: number
  /** probability that a bit is flipped, 0..1 */
  readonly bitErrors: number
  /** probability that a datagram or a packet of events is dropped, 0..1 */
  readonly drop: number
  /** leaves out 100 ms of every second */
  readonly gaps?: boolean
  /** sends what gathered in 50 ms at once */
  readonly burst?: boolean
  readonly seed: number
  readonly json?: boolean
}

/** Where the emulated camera puts bytes. */
interface Line {
  readonly name: string
  /** false: the line is full, or nobody listens */
  readonly send: (batch: EventBatch) => boolean
  /** numbers a packet that never arrives, where the format has numbers */
  readonly lose?: (batch: EventBatch) => void
  readonly ready: () => Promise<void>
  /** resolves when a host asks for events */
  readonly started: Promise<void>
  readonly isOver: () => boolean
  readonly close: () => Promise<void>
}

const TICK_MILLIS = 2
const PACKET_EVENTS = 256
const BURST_MICROS = 50_000

/** Flips bits with a probability, from a seed. */
const createSpoiler = (probability: number, seed: number, counts: Tally): ((bytes: Uint8Array) => Uint8Array) => {
  let sent = 0
  const gap = (draw: number): number => Math.floor(Math.log1p(-randomWords(seed, 0, STREAMS.lineNoise, draw)[0] / 4294967296) / Math.log1p(-probability))
  let draws = 0
  let next = probability > 0 ? gap(draws++) : Number.POSITIVE_INFINITY
  return (bytes) => {
    const end = sent + 8 * bytes.length
    for (; next < end; next += 1 + gap(draws++)) {
      const bit = next - sent
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
      tally(counts, 'bitsFlipped')
    }
    sent = end
    return bytes
  }
}

const openEdvsLine = async (spoil: (bytes: Uint8Array) => Uint8Array): Promise<Line> => {
  const camera = createEdvsCamera()
  let begin = (): void => {}
  let hasStarted = false
  const started = new Promise<void>((resolve) => {
    begin = resolve
  })
  const pty = await openPty((bytes) => {
    const reply = camera.command(bytes)
    if (reply.length > 0) pty.write(reply)
    if (!camera.isRunning) return
    hasStarted = true
    begin()
  })
  return {
    name: `edvs:${pty.path}`,
    send: (batch) => pty.write(spoil(camera.pack(batch))),
    ready: pty.drained,
    started,
    isOver: () => hasStarted && !camera.isRunning,
    close: pty.close,
  }
}

const networkAddress = (text: string, kind: 'udp' | 'tcp'): { host: string; port: number; format: string | null } => {
  const address = parseCameraAddress(text)
  if (address.kind !== kind) throw usage(`"${text}" is no ${kind} address.`, `Write ${kind}://127.0.0.1:3333.`)
  return address
}

const openUdpLine = async (text: string, options: SourceOptions, spoil: (bytes: Uint8Array) => Uint8Array): Promise<Line> => {
  const { host, port, format } = networkAddress(text, 'udp')
  const encoder = WIRE_FORMATS[format === 'caer' ? 'caer' : 'spif'].createEncoder({ geometry: options.geometry ?? { width: 32768, height: 32768 } })
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  let waiting = 0
  let wake = (): void => {}
  const done = (): void => {
    waiting--
    wake()
  }
  return {
    name: text,
    send: (batch) => {
      if (waiting > 64) return false
      waiting++
      socket.send(spoil(encoder.push(batch)), port, host, done)
      return true
    },
    lose: (batch) => void encoder.push(batch),
    ready: async () => {
      while (waiting > 32)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    },
    started: Promise.resolve(),
    isOver: () => false,
    close: () => new Promise((resolve) => socket.close(resolve)),
  }
}

const openTcpLine = async (text: string, options: SourceOptions, spoil: (bytes: Uint8Array) => Uint8Array): Promise<Line> => {
  const { host, port } = networkAddress(text, 'tcp')
  const encoder = WIRE_FORMATS.dv.createEncoder({ geometry: options.geometry ?? { width: 32768, height: 32768 } })
  let client: Socket | null = null
  let begin = (): void => {}
  const started = new Promise<void>((resolve) => {
    begin = resolve
  })
  const server = createServer((socket) => {
    if (client !== null) return void socket.destroy()
    client = socket
    socket.on('error', () => {})
    socket.resume()
    begin()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(usage(`nothing can listen at ${text}: ${error.message}.`, 'Choose another port.')))
    server.listen(port, host, resolve)
  })
  return {
    name: text,
    send: (batch) => {
      if (client === null || client.destroyed || client.writableNeedDrain) return false
      client.write(spoil(encoder.push(batch)))
      return true
    },
    ready: () =>
      client === null || client.destroyed || !client.writableNeedDrain
        ? Promise.resolve()
        : new Promise((resolve) => {
            client?.once('drain', resolve)
            client?.once('close', () => resolve())
          }),
    started,
    isOver: () => client?.destroyed === true,
    close: async () => {
      await new Promise<void>((resolve) => (client === null || client.destroyed ? resolve() : client.end(encoder.end(), resolve)))
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Repeats a recording with times that go on; every batch is stamped by --rate where that is given. */
async function* play(path: string, options: EmulateOptions): AsyncGenerator<EventBatch> {
  const endMicros = options.duration ?? null
  let offset = 0
  let number = 0
  for (;;) {
    const { parts } = await openSized(path, { ...(options.format && { format: options.format }), ...(options.geometry && { geometry: options.geometry }) })
    let first: number | null = null
    let last = 0
    const before = number
    for await (const { events } of parts) {
      first ??= events.timeMicros[0] ?? null
      const start = first ?? 0
      const timeMicros = events.timeMicros.map((time, i) =>
        options.rate === undefined ? offset + Math.max(0, time - start) : Math.floor(((number + i) * 1e6) / (options.rate as number)),
      )
      number += events.count
      if (events.count === 0) continue
      last = timeMicros[events.count - 1] as number
      const beyond = endMicros === null ? -1 : timeMicros.findIndex((time) => time >= endMicros)
      yield beyond < 0 ? { ...events, timeMicros } : sliceBatch({ ...events, timeMicros }, 0, beyond)
      if (beyond >= 0) return
    }
    if (endMicros === null || path === '-' || number === before) return
    offset = last + 1
  }
}

const isInGap = (timeMicros: number): boolean => timeMicros % 1e6 >= 9e5

/** Sends a packet, or counts why it was not sent. */
const sendPacket = (line: Line, batch: EventBatch, options: EmulateOptions, counts: Tally): void => {
  const packet = (counts['packets'] ?? 0) + 1
  counts['packets'] = packet
  const isDropped = options.drop > 0 && randomWords(options.seed, 1, STREAMS.lineNoise, packet)[0] < options.drop * 4294967296
  const reason = options.gaps === true && isInGap(batch.timeMicros[0] as number) ? 'inGap' : isDropped ? 'dropped' : line.send(batch) ? 'sent' : 'lineFull'
  tally(counts, reason, batch.count)
  if (reason !== 'dropped') return
  line.lose?.(batch)
  tally(counts, 'packetsDropped')
}

const run = async (io: Io, line: Line, path: string, options: EmulateOptions, counts: Tally): Promise<void> => {
  const isStopped = (): boolean => io.signal.aborted || line.isOver()
  const start = performance.now()
  const pace = options.speed
  for await (const batch of play(path, options)) {
    for (let from = 0; from < batch.count; ) {
      if (isStopped()) return
      const elapsed = pace === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : (performance.now() - start) * 1000 * pace
      const due = options.burst === true ? Math.floor(elapsed / BURST_MICROS) * BURST_MICROS : elapsed
      let to = from
      while (to < batch.count && to - from < PACKET_EVENTS && (batch.timeMicros[to] as number) <= due) to++
      if (to === from) await pause(TICK_MILLIS)
      else {
        sendPacket(line, sliceBatch(batch, from, to), options, counts)
        if (pace === Number.POSITIVE_INFINITY || (counts['packets'] as number) % 16 === 0) await line.ready()
        if ((counts['packets'] as number) % 16 === 0) await new Promise(setImmediate)
      }
      from = to
    }
  }
}

/** Runs the command. */
export const runEmulate = async (path: string, options: EmulateOptions): Promise<void> => {
  const io = processIo(options.json === true)
  const counts: Tally = {}
  const spoil = createSpoiler(options.bitErrors, options.seed, counts)
  const open = {
    edvs: () => openEdvsLine(spoil),
    udp: () => openUdpLine(options.address ?? 'udp://127.0.0.1:3333', options, spoil),
    tcp: () => openTcpLine(options.address ?? 'tcp://127.0.0.1:7777', options, spoil),
  }
  const line = await open[options.as]()
  try {
    io.json({ camera: line.name })
    io.print(`${path} plays as ${line.name}; Ctrl-C ends`)
    const aborted = new Promise<void>((resolve) => io.signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([line.started, aborted])
    await run(io, line, path, options, counts)
    await Promise.race([line.ready(), pause(1000)])
  } finally {
    await line.close()
  }
  io.json({ counts })
  for (const [name, n] of Object.entries(counts)) io.print(`${name}: ${thousands(n)}`)
}

// spikeport stream: events of a camera or recording as they come: rate, counts and ledger, through filters, recorded to a file.

import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import { usage } from '../../errors.js'
import {
  type EventBatch,
  type EventFilter,
  FORMAT_NAMES,
  FORMATS,
  type FormatName,
  type Geometry,
  ledgerLines,
  WIRE_FORMAT_NAMES,
  type WireFormatName,
} from '../../events/index.js'
import { duration } from '../events/durations.js'
import { filterLines, parseFilter } from '../events/filters.js'
import { openOutput } from '../events/output.js'
import { geometryOption, formatOption as recordingFormat } from '../events/source.js'
import { targetFormat } from '../events/transcode.js'
import { processIo, thousands } from '../io.js'
import { type LiveSource, openLive } from '../live.js'
import { count, finish } from '../options.js'

interface Options {
  readonly format?: FormatName | WireFormatName
  readonly geometry?: Geometry
  readonly filter?: readonly string[]
  readonly output?: string
  readonly as?: FormatName
  readonly duration?: number
  readonly buffer?: number
  readonly json?: boolean
}

/** Takes the batches of a stream; the place where a network or a board comes in. */
interface Consumer {
  readonly take: (batch: EventBatch) => Promise<void>
  /** the stream is over: complete or, on an error, throw away */
  readonly finish: () => Promise<void>
  readonly discard: () => Promise<void>
}

const LOSS_TEXTS = {
  none: 'the line is reliable: what was lost on it was counted above',
  counted: 'lost datagrams are counted by their numbers (datagramLost)',
  unknown: 'lost datagrams cannot be counted: the format has no numbers',
} as const

const REPORT_MILLIS = 1000

const formatOption = (text: string): FormatName | WireFormatName => {
  if (![...FORMAT_NAMES, ...WIRE_FORMAT_NAMES].includes(text as never))
    throw new InvalidArgumentError(`the formats are ${[...FORMAT_NAMES, ...WIRE_FORMAT_NAMES].join(', ')}.`)
  return text as FormatName
}

/** Filters are made when the sensor is known: with the first batch. */
const createFilters = (texts: readonly string[]) => {
  const chosen = texts.map(parseFilter)
  const twice = chosen.find(({ row }) => row.needsCounts === true)
  if (twice !== undefined)
    throw usage(`the filter ${twice.name} reads the recording twice, a stream can be read once.`, 'Use events filter on a recorded file.')
  let filters: readonly EventFilter[] | null = null
  const make = (first: Geometry | null): void => {
    let geometry = first
    filters = chosen.map(({ name, row, values }) => {
      if (geometry === null) throw usage(`the filter ${name} must know the sensor.`, 'Pass its size, for example --geometry 640x480.')
      const filter = row.make(values, { geometry, counts: null })
      geometry = row.geometryAfter?.(values, geometry) ?? geometry
      return filter
    })
    after = geometry
  }
  let after: Geometry | null = null
  return {
    apply: (batch: EventBatch, geometry: Geometry | null): EventBatch => {
      if (filters === null) make(geometry)
      return (filters as readonly EventFilter[]).reduce((events, filter) => filter.apply(events), batch)
    },
    geometry: (): Geometry | null => after,
    ledgers: () => (filters ?? []).map((filter, i) => [chosen[i]?.name as string, filter.ledger] as const),
  }
}

/** Writes the stream to a file that is complete whenever the stream ends in order. */
const createRecorder = async (
  path: string,
  as: FormatName | undefined,
  geometryNow: () => Geometry | null,
): Promise<Consumer & { readonly ledger: () => object | null }> => {
  const to = targetFormat(path, as, null)
  const output = await openOutput(path, false)
  let encoder: ReturnType<(typeof FORMATS)[FormatName]['createEncoder']> | null = null
  const open = () => {
    encoder ??= FORMATS[to].createEncoder({ geometry: geometryNow() ?? { width: 32767, height: 32767 }, originMicros: 'first' })
    return encoder
  }
  return {
    take: async (batch) => output.write(open().push(batch)),
    finish: async () => {
      await output.write(open().end())
      await output.commit()
    },
    discard: () => output.discard(),
    ledger: () => encoder?.ledger ?? null,
  }
}

const run = async (address: string, options: Options): Promise<void> => {
  const io = processIo(options.json === true)
  const { signal } = io
  const filters = createFilters(options.filter ?? [])
  if (options.output === '-') throw usage('a stream is not recorded to stdout.', 'Name a file; "spikeport events convert - -o -" works on pipes.')
  let source: LiveSource | null = null
  const recorder = options.output === undefined ? null : await createRecorder(options.output, options.as, () => filters.geometry())
  let events = 0
  let kept = 0
  let heapBytes = 0
  let peakEventsPerSecond = 0
  const started = performance.now()
  let timer: NodeJS.Timeout | undefined
  let lastAt = started
  let lastEvents = 0
  const tick = (): void => {
    const now = performance.now()
    const rate = Math.round((1000 * (events - lastEvents)) / (now - lastAt))
    lastAt = now
    lastEvents = events
    peakEventsPerSecond = Math.max(peakEventsPerSecond, rate)
    heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers)
    const dropped = source?.ledgers.flatMap(([, ledger]) => Object.entries(ledger.droppedEvents)).reduce((sum, [, n]) => sum + n, 0) ?? 0
    io.json({ seconds: (now - started) / 1000, events, kept, eventsPerSecond: rate, dropped })
    io.print(
      `${((now - started) / 1000).toFixed(1).padStart(7)} s  ${thousands(rate).padStart(11)} events/s  ${thousands(events)} events, ${thousands(kept)} kept, ${thousands(dropped)} dropped`,
    )
  }
  try {
    source = await openLive(address, {
      ...(options.format && { format: options.format }),
      ...(options.geometry && { geometry: options.geometry }),
      ...(options.buffer !== undefined && { capacityEvents: options.buffer }),
    })
    const opened = source
    const stop = (): void => void opened.close()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    if (options.duration !== undefined) setTimeout(stop, options.duration / 1000).unref()
    io.note(`streaming from ${opened.name}; Ctrl-C ends`)
    timer = setInterval(tick, REPORT_MILLIS)
    for await (const batch of opened.batches) {
      if (batch.count === 0) continue
      events += batch.count
      const passed = filters.apply(batch, opened.geometry ?? options.geometry ?? null)
      kept += passed.count
      await recorder?.take(passed)
    }
    await opened.close()
    await recorder?.finish()
  } catch (error) {
    // what came before a pulled cable is a whole recording too
    if (events > 0) await recorder?.finish()
    else await recorder?.discard()
    throw error
  } finally {
    clearInterval(timer)
    await source?.close()
  }
  tick()
  const ledgers = [...source.ledgers, ...filters.ledgers()].map(([name, ledger]) => ({ name, ledger }))
  const written = recorder?.ledger() ?? null
  io.json({
    source: source.name,
    format: source.format,
    loss: source.loss,
    events,
    kept,
    peakEventsPerSecond,
    heapBytes,
    ledgers,
    ...(options.output && { output: options.output, written }),
  })
  for (const { name, ledger } of ledgers) {
    io.print(`\n${name}`)
    for (const line of ledgerLines(ledger)) io.print(`  ${line}`)
  }
  io.print(`\n${LOSS_TEXTS[source.loss]}`)
  if (options.output !== undefined) io.print(`recorded to ${options.output}`)
}

export const registerStream = (program: Command): void => {
  finish(
    program
      .command('stream')
      .description('show, filter and record the events of a camera as they come')
      .argument('<source>', 'edvs:PORT[?baud=12000000&format=E4], udp://host:port[?format=spif|caer], tcp://host:port, a recording, or - for stdin')
      .option('--format <name>', 'format of the bytes where the source does not tell', formatOption)
      .option('--geometry <WxH>', 'size of the sensor where the source does not tell', geometryOption)
      .option('--filter <filters...>', 'name:option=value,... in the order in which they act')
      .option('-o, --output <file>', 'record what passes the filters')
      .option('--as <format>', 'format to record (default: by the ending of the file)', recordingFormat)
      .option('--duration <time>', 'end after this time', duration)
      .option('--buffer <events>', 'events held for a slow consumer at most (default 1048576)', count(1))
      .addHelpText('after', `\nFilters:\n${filterLines().join('\n')}`)
      .action(run),
    'spikeport stream edvs:/dev/ttyUSB0 --duration 10s -o hand.aedat4\nspikeport stream udp://0.0.0.0:3333 --geometry 640x480 --filter background:duration=2ms',
  )
}

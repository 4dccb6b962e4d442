/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// The page of "spikeport events view": plays what the server sends, or a dropped file that never leaves the browser, with the decoders and the
// learner of Node. Canvases are 2D: a frame is one putImageData of the sensor's size, which needs no GPU and reads back exactly in tests.

import { createSurfaceMemory, type EventBatch, type Ledger, ledgerLines, type SurfaceMemory } from '#src/events/index.js'
import { createFeast, createFeastMonitor, type Feast, type FeastMonitor, featurePicture, saveFeast } from '#src/features/index.js'
import { framesOf, type StreamReport } from '../frames.js'
import { addEvents, drawPolarity, drawSurface, pixelsOf } from '../picture.js'
import { createPlayer, type Player } from '../player.js'
import type { SourceSummary } from '../server.js'
import { type Pass, recordingSource, type ViewSource } from '../source.js'

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T
const button = element<HTMLButtonElement>('play')
const speedChoice = element<HTMLSelectElement>('speed')
const seek = element<HTMLInputElement>('seek')
const fade = element<HTMLInputElement>('fade')
const chooser = element<HTMLInputElement>('file')

/** Milliseconds of a frame that may go into learning and stamping. */
const BUSY_MILLIS = 12
const RATE_BINS = 400
const RATE_BIN_MICROS = 10_000

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    void reader.cancel()
  }
}

/** A pass over the server's source. */
const servedPass = async (fromMicros: number): Promise<Pass> => {
  const response = await fetch(`/events?from=${fromMicros}`)
  if (!response.ok || response.body === null) throw new Error(`the server answers ${response.status}`)
  const { body } = response
  let report: StreamReport | null = null
  async function* batches(): AsyncGenerator<EventBatch> {
    for await (const frame of framesOf(chunksOf(body))) {
      if (frame.kind === 'events') yield frame.events
      else {
        report = frame.report
        if (report.failure !== null) throw new Error(report.failure)
      }
    }
  }
  return {
    batches: batches(),
    get ledger() {
      return report?.ledger as Ledger
    },
  }
}

const servedSource = (summary: SourceSummary): ViewSource => ({ ...summary, open: (fromMicros = 0) => servedPass(fromMicros) })

const sourceOfFile = (file: File): Promise<ViewSource> =>
  recordingSource({ byteLength: file.size, read: async (at, count) => new Uint8Array(await file.slice(at, at + count).arrayBuffer()) }, { name: file.name })

/** All that a running view consists of; a new pass makes a new one. */
interface View {
  readonly source: ViewSource
  readonly pass: Pass
  readonly player: Player
  readonly memory: SurfaceMemory
  readonly feast: Feast
  readonly monitor: FeastMonitor
  readonly rates: Float64Array
  rateBin: number
  drawn: number
  isPainted: boolean
}

let view: View | null = null
let isPaused = false
let opened = 0

const say = (text: string): void => {
  element('status').textContent = text
}
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const start = async (source: ViewSource, fromMicros: number): Promise<void> => {
  const mine = ++opened
  view?.player.stop()
  view = null
  const { geometry } = source
  for (const id of ['events', 'surface']) Object.assign(element<HTMLCanvasElement>(id), geometry)
  element('name').textContent = `${source.name} (${source.format}, ${geometry.width} x ${geometry.height})`
  say('opening')
  seek.disabled = source.isLive
  const pass = await source.open(fromMicros)
  if (mine !== opened) return
  const feast = createFeast({ geometry, arithmetic: 'fixed' })
  const monitor = createFeastMonitor(feast)
  const memory = createSurfaceMemory(geometry, 2)
  view = {
    source,
    pass,
    player: createPlayer(pass.batches),
    memory,
    feast,
    monitor,
    rates: new Float64Array(RATE_BINS),
    rateBin: -1,
    drawn: 0,
    isPainted: false,
  }
}

const addRates = (running: View, { count, timeMicros }: EventBatch): void => {
  const { rates } = running
  for (let i = 0; i < count; i++) {
    const bin = Math.floor((timeMicros[i] as number) / RATE_BIN_MICROS)
    if (running.rateBin < 0) running.rateBin = bin
    const clear = Math.min(RATE_BINS, bin - running.rateBin)
    for (let k = 1; k <= clear; k++) rates[(bin - clear + k) % RATE_BINS] = 0
    running.rateBin = Math.max(running.rateBin, bin)
    if (running.rateBin - bin < RATE_BINS && bin >= 0) rates[bin % RATE_BINS] = (rates[bin % RATE_BINS] as number) + 1
  }
}

const contextOf = (id: string): CanvasRenderingContext2D => element<HTMLCanvasElement>(id).getContext('2d') as CanvasRenderingContext2D

const paintRates = ({ rates, rateBin }: View): void => {
  const context = contextOf('rate')
  const { width, height } = context.canvas
  const most = rates.reduce((a, b) => Math.max(a, b), 1)
  context.clearRect(0, 0, width, height)
  context.fillStyle = '#4bf'
  for (let k = 0; k < RATE_BINS; k++) {
    const bin = rateBin - RATE_BINS + 1 + k
    const tall = bin < 0 ? 0 : ((rates[bin % RATE_BINS] as number) / most) * height
    context.fillRect(k, height - tall, 1, tall)
  }
  const now = rateBin < 1 ? 0 : ((rates[(rateBin - 1) % RATE_BINS] as number) * 1e6) / RATE_BIN_MICROS
  element('rate-now').textContent = `${now.toLocaleString('en-US')} events/s`
}

const paintFeatures = ({ feast, monitor }: View): void => {
  const { settings, banks } = feast
  const { width, height, grey } = featurePicture(settings, banks, { zoom: 3 })
  const rgba = pixelsOf({ width, height })
  for (let i = 0; i < grey.length; i++) rgba.set([grey[i] as number, grey[i] as number, grey[i] as number, 255], 4 * i)
  Object.assign(element<HTMLCanvasElement>('features'), { width, height })
  contextOf('features').putImageData(new ImageData(rgba, width, height), 0, 0)
  element('feature-state').textContent = monitor
    .update()
    .map(({ phase, missRate }) => `${phase}${missRate === null ? '' : `, ${(100 * missRate).toFixed(1)} % missed`}`)
    .join(' | ')
}

const paint = (running: View): void => {
  const { memory, player, pass } = running
  const { width, height } = memory.geometry
  const now = player.nowMicros ?? 0
  const tauMicros = 1000 * Math.max(1, Number(fade.value) || 50)
  const rgba = pixelsOf(memory.geometry)
  drawPolarity(memory, now, tauMicros, rgba)
  contextOf('events').putImageData(new ImageData(rgba, width, height), 0, 0)
  drawSurface(memory, now, tauMicros, rgba)
  contextOf('surface').putImageData(new ImageData(rgba, width, height), 0, 0)
  paintRates(running)
  paintFeatures(running)
  const { ledger } = pass
  element('ledger').textContent = [`events drawn: ${running.drawn}`, ...(ledger === undefined ? [] : ledgerLines(ledger))].join('\n')
}

const statusOf = ({ player, source }: View): string => {
  if (player.failure !== null) return `broken off: ${textOf(player.failure)}`
  if (player.isDone) return 'end'
  return `${isPaused ? 'paused' : source.isLive ? 'live' : 'playing'} at ${((player.nowMicros ?? 0) / 1e6).toFixed(3)} s`
}

const step = (running: View, elapsedMillis: number): void => {
  const began = performance.now()
  const speed = running.source.isLive || speedChoice.value === 'max' ? Number.POSITIVE_INFINITY : Number(speedChoice.value)
  running.player.advance(1000 * elapsedMillis, speed, (events) => {
    addEvents(running.memory, events)
    running.feast.learn(events)
    addRates(running, events)
    running.drawn += events.count
    return performance.now() - began < BUSY_MILLIS
  })
}

let last = performance.now()
const tick = (now: number): void => {
  const elapsed = Math.min(100, now - last)
  last = now
  if (view !== null) {
    if (!isPaused) step(view, elapsed)
    if (!view.isPainted || !isPaused) paint(view)
    view.isPainted = view.player.isDone
    say(statusOf(view))
  }
  requestAnimationFrame(tick)
}

const guarded = (work: Promise<void>): void => void work.catch((error: unknown) => say(textOf(error)))
const openFile = async (file: File): Promise<void> => {
  say(`reading ${file.name}`)
  await start(await sourceOfFile(file), 0)
}

const setPaused = (paused: boolean): void => {
  isPaused = paused
  button.textContent = paused ? 'play' : 'pause'
}

button.addEventListener('click', () => setPaused(!isPaused))
element('controls').addEventListener('submit', (event) => event.preventDefault())
seek.addEventListener('change', () => {
  if (view !== null) guarded(start(view.source, 1e6 * Math.max(0, Number(seek.value) || 0)))
})
chooser.addEventListener('change', () => {
  const [file] = chooser.files ?? []
  if (file !== undefined) guarded(openFile(file))
})
document.addEventListener('keydown', (event) => {
  if (event.key !== ' ' || event.target !== document.body) return
  event.preventDefault()
  setPaused(!isPaused)
})
document.addEventListener('dragover', (event) => {
  event.preventDefault()
  document.body.classList.add('dropping')
})
document.addEventListener('dragleave', () => document.body.classList.remove('dropping'))
document.addEventListener('drop', (event) => {
  event.preventDefault()
  document.body.classList.remove('dropping')
  const file = event.dataTransfer?.files[0]
  if (file !== undefined) guarded(openFile(file))
})

/** For tests and the console: where the view stands. */
export const viewState = (): { readonly ledger: Readonly<Ledger>; readonly isDone: boolean; readonly drawn: number; readonly learner: Uint8Array } | null =>
  view === null ? null : { ledger: view.pass.ledger, isDone: view.player.isDone, drawn: view.drawn, learner: saveFeast(view.feast, { hasSurface: false }) }

const open = async (): Promise<void> => {
  const response = await fetch('/source')
  const summary = (await response.json()) as SourceSummary | null
  if (summary !== null) await start(servedSource(summary), 0)
}

guarded(open())
requestAnimationFrame(tick)

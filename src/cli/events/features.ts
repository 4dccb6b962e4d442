// spikeport events features: learns FEAST features from recordings, goes on learning, and shows what was learned.

import { PNG } from 'pngjs'
import { interrupted, usage } from '../../errors.js'
import type { FormatName, Geometry } from '../../events/index.js'
import {
  type BankReport,
  createFeast,
  createFeastMonitor,
  type Feast,
  type FeastMonitor,
  type FeastOptions,
  type FeastSettings,
  featurePicture,
  type Picture,
  restoreFeast,
  saveFeast,
} from '../../features/index.js'
import { readBytes } from '../../files.js'
import { type Io, percent, processIo, table, thousands } from '../io.js'
import { writeResult } from '../options.js'
import { openSized } from './source.js'

interface LearnOptions extends Omit<Partial<FeastOptions>, 'featureCount' | 'tauMicros' | 'learningRate'> {
  readonly output: string
  readonly from?: string
  readonly format?: FormatName
  readonly count?: number
  readonly tau?: number
  readonly eta?: number
  readonly window?: number
  readonly json?: boolean
}

const SETTINGS = ['count', 'radius', 'tau', 'eta', 'closeStep', 'openStep', 'arithmetic', 'decay', 'polarity', 'seed', 'geometry'] as const

const restoreFrom = async (from: string, options: LearnOptions): Promise<Feast> => {
  const given = SETTINGS.filter((name) => options[name] !== undefined)
  if (given.length > 0)
    throw usage(`${given.join(', ')} cannot be changed in ${from}.`, 'A learner keeps its settings: leave these options out, or leave out --from.')
  return restoreFeast(await readBytes(from), from)
}

/** The size of the sensor of the first recording. @throws USAGE for stdin, which can be read only once */
const geometryOf = async (path: string, format: FormatName | undefined): Promise<Geometry> => {
  if (path === '-') throw usage('the size of the sensor must be known before stdin is read.', 'Pass it, for example --geometry 640x480.')
  const sized = await openSized(path, format === undefined ? {} : { format })
  await sized.source.parts.return(undefined)
  return sized.geometry
}

/** The learner to go on with, or a new one. */
const openFeast = async (path: string, options: LearnOptions): Promise<Feast> => {
  if (options.from !== undefined) return restoreFrom(options.from, options)
  const { format, geometry, count, tau, eta, radius, closeStep, openStep, arithmetic, decay, polarity, seed } = options
  return createFeast({
    geometry: geometry ?? (await geometryOf(path, format)),
    ...(count !== undefined && { featureCount: count }),
    ...(tau !== undefined && { tauMicros: tau }),
    ...(eta !== undefined && { learningRate: eta }),
    ...(radius !== undefined && { radius }),
    ...(closeStep !== undefined && { closeStep }),
    ...(openStep !== undefined && { openStep }),
    ...(arithmetic && { arithmetic }),
    ...(decay && { decay }),
    ...(polarity && { polarity }),
    ...(seed !== undefined && { seed }),
  })
}

const learnFrom = async (io: Io, path: string, feast: Feast, monitor: FeastMonitor, format: FormatName | undefined, geometry: Geometry): Promise<void> => {
  const { parts } = await openSized(path, { ...(format && { format }), geometry })
  feast.clearSurface()
  for await (const { events } of parts) {
    if (io.signal.aborted) throw interrupted('learning was stopped.', 'Nothing was written; run the command again.')
    feast.learn(events)
    monitor.update()
  }
}

const share = (value: number | null): string => (value === null ? '-' : percent(value))
const ratio = (value: number | null): string => (value === null ? '-' : value.toFixed(2))

const bankNames = ({ polarity }: FeastSettings): readonly string[] => (polarity === 'split' ? ['off', 'on'] : [polarity])

/** What is known of a bank without having watched it learn. */
const stateCells = (settings: FeastSettings, report: BankReport, bank: number): (string | number)[] => [
  bankNames(settings)[bank] as string,
  thousands(report.learnedEvents),
  share(report.overallMissRate),
  percent(report.expectedMissRate),
  report.noiseFeatures.length,
  `${report.lowestThreshold.toFixed(3)} to ${report.highestThreshold.toFixed(3)}`,
]
const STATE_HEAD = ['bank', 'events', 'missed', 'in balance', 'noise features', 'thresholds']

const stateTable = (settings: FeastSettings, reports: readonly BankReport[]): string =>
  table(
    STATE_HEAD,
    reports.map((report, bank) => stateCells(settings, report, bank)),
  )

const learningTable = (settings: FeastSettings, reports: readonly BankReport[]): string =>
  table(
    [...STATE_HEAD, 'missed lately', 'least use', 'most use', 'phase'],
    reports.map((report, bank) => [...stateCells(settings, report, bank), share(report.missRate), ratio(report.leastUse), ratio(report.mostUse), report.phase]),
  )

/** Runs the command: every recording once, in the order given, each with a fresh surface. */
export const runLearn = async (paths: readonly string[], options: LearnOptions): Promise<void> => {
  const io = processIo(options.json === true)
  const feast = await openFeast(paths[0] as string, options)
  const monitor = createFeastMonitor(feast, options.window === undefined ? {} : { windowEvents: options.window })
  const progress = io.progress('learning', paths.length)
  try {
    for (const [i, path] of paths.entries()) {
      await learnFrom(io, path, feast, monitor, options.format, feast.settings.geometry)
      progress.update(i + 1)
    }
  } finally {
    progress.stop()
  }
  const reports = monitor.update()
  await writeResult(options.output, saveFeast(feast, { hasSurface: false }), io)
  if (options.output === '-') return
  const { settings, ledger } = feast
  io.json({ output: options.output, recordings: paths.length, settings, ledger, banks: reports })
  io.print(
    `${options.output}: ${thousands(ledger.eventsIn)} events of ${thousands(paths.length)} recordings, ${settings.arithmetic}, ${settings.featureCount} features a bank`,
  )
  io.print(learningTable(settings, reports))
}

const SHADES = ' .:-=+*#%@'

/** A picture as text, two characters a pixel so that features look square. */
const asText = ({ width, height, grey }: Picture): string => {
  const shade = (value: number): string => SHADES[Math.min(SHADES.length - 1, Math.floor((value * SHADES.length) / 256))] as string
  const rows = Array.from({ length: height }, (_, y) =>
    [...grey.subarray(y * width, (y + 1) * width)]
      .map((value) => shade(value).repeat(2))
      .join('')
      .trimEnd(),
  )
  return rows.slice(1, -1).join('\n')
}

const asPng = ({ width, height, grey }: Picture): Uint8Array => {
  const png = new PNG({ width, height })
  for (let i = 0; i < grey.length; i++) png.data.set([grey[i] as number, grey[i] as number, grey[i] as number, 255], 4 * i)
  return PNG.sync.write(png)
}

interface ShowOptions {
  readonly output?: string
  readonly zoom: number
  readonly json?: boolean
}

/** Columns of a terminal that a row of features may take. */
const TEXT_COLUMNS = 128

const readInput = async (path: string): Promise<Uint8Array> => (path === '-' ? readBytes('/dev/stdin') : readBytes(path))

/** Runs "features show". */
export const runShow = async (path: string, { output, zoom, json }: ShowOptions): Promise<void> => {
  const io = processIo(json === true)
  const feast = restoreFeast(await readInput(path), path)
  const { settings, banks } = feast
  const reports = createFeastMonitor(feast).update()
  if (output !== undefined) await writeResult(output, asPng(featurePicture(settings, banks, { zoom })), io)
  if (output === '-') return
  io.json({
    settings,
    banks: reports.map(({ windowEvents: _, missRate: _m, leastUse: _l, mostUse: _u, phase: _p, ...state }) => state),
    ...(output !== undefined && { output }),
  })
  io.print(stateTable(settings, reports))
  if (output === undefined) {
    const columns = Math.max(1, Math.min(settings.featureCount, Math.floor(TEXT_COLUMNS / (2 * (2 * settings.radius + 2)))))
    io.print(`\n${asText(featurePicture(settings, banks, { columns }))}`)
  } else io.print(`${output}: a picture, one row of features a bank`)
}

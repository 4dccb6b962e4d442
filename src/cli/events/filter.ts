// spikeport events filter: a chain of named filters over a recording.

import { usage } from '../../errors.js'
import { addPixelCounts, createPixelCounts, type EventFilter, type FormatName, type Geometry } from '../../events/index.js'
import { processIo } from '../io.js'
import { type ChosenFilter, parseFilter } from './filters.js'
import { openSource, type SourceOptions } from './source.js'
import { type Stage, type TranscodeOptions, transcode } from './transcode.js'

interface Options extends Omit<TranscodeOptions, 'to'> {
  readonly as?: FormatName
  readonly json?: boolean
}

/** Events a pixel of the whole recording. @throws USAGE for stdin, which can be read only once */
const countPixels = async (path: string, geometry: Geometry, options: SourceOptions): Promise<Uint32Array> => {
  if (path === '-') throw usage('the filter hot-pixel reads the recording twice, stdin can be read once.', 'Pass a file.')
  const counts = createPixelCounts(geometry)
  for await (const { events } of openSource(path, options).parts) addPixelCounts(counts, geometry, events)
  return counts
}

/** Makes the filters one after the other, each for the sensor that the one before leaves. */
const createChain = (chosen: readonly ChosenFilter[], sensor: Geometry, counts: Uint32Array | null): { filters: EventFilter[]; geometry: Geometry } => {
  let geometry = sensor
  const filters = chosen.map(({ row, values }) => {
    const filter = row.make(values, { geometry, counts })
    geometry = row.geometryAfter?.(values, geometry) ?? geometry
    return filter
  })
  return { filters, geometry }
}

const checkOrder = (chosen: readonly ChosenFilter[]): void => {
  const late = chosen.findIndex(({ row }) => row.needsCounts === true)
  const resized = chosen.findIndex(({ row }) => row.geometryAfter !== undefined)
  if (resized >= 0 && late > resized)
    throw usage(`${chosen[late]?.name} cannot come after ${chosen[resized]?.name}.`, 'It counts the events of the whole sensor: put it first.')
}

/** Runs the command. */
export const runFilter = async (path: string, specifications: readonly string[], { json, as, ...options }: Options): Promise<void> => {
  const chosen = specifications.map(parseFilter)
  checkOrder(chosen)
  const stageOf = async ({ geometry: sensor }: { readonly geometry: Geometry }): Promise<Stage> => {
    const needsCounts = chosen.some(({ row }) => row.needsCounts === true)
    const { filters, geometry } = createChain(chosen, sensor, needsCounts ? await countPixels(path, sensor, options) : null)
    return {
      geometry,
      change: ({ events, extras }) => ({ events: filters.reduce((batch, filter) => filter.apply(batch), events), extras }),
      ledgers: filters.map((filter) => [filter.name, filter.ledger] as const),
    }
  }
  await transcode(processIo(json === true), path, { ...options, ...(as && { to: as }) }, stageOf)
}

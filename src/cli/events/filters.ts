// The filters of "spikeport events filter" by name: their options, and how to make each for a sensor. Filters live in src/events/filters;
// a new one is one row here.

import { usage } from '../../errors.js'
import {
  createBackgroundActivityFilter,
  createCropFilter,
  createDownSampleFilter,
  createMaskFilter,
  createPolarityFilter,
  createRateLimitFilter,
  createRefractoryFilter,
  createSpatioTemporalFilter,
  createTrailFilter,
  type EventFilter,
  type Geometry,
  hotPixelMask,
} from '../../events/index.js'
import { parseDuration } from './durations.js'

/** "duration" takes a unit; a list of words is a choice. */
type OptionKind = 'duration' | 'integer' | readonly string[]

interface OptionRow {
  readonly kind: OptionKind
  /** text of the value where the user gives none; absent: the option is needed */
  readonly preset?: string
}

/** Values of a filter's options; durations are microseconds. */
type Values = Readonly<Record<string, number | string>>

/** What a filter is made for. */
interface Setting {
  readonly geometry: Geometry
  /** events a pixel of the whole recording, only where needsCounts */
  readonly counts: Uint32Array | null
}

interface FilterRow {
  readonly title: string
  readonly options: Readonly<Record<string, OptionRow>>
  /** the recording is read once more beforehand, as it was before any filter */
  readonly needsCounts?: true
  readonly make: (values: Values, setting: Setting) => EventFilter
  /** the sensor after the filter, where it differs */
  readonly geometryAfter?: (values: Values, geometry: Geometry) => Geometry
}

const duration = (preset?: string): OptionRow => ({ kind: 'duration', ...(preset !== undefined && { preset }) })
const integer = (preset?: string): OptionRow => ({ kind: 'integer', ...(preset !== undefined && { preset }) })

export const FILTERS: Readonly<Record<string, FilterRow>> = {
  background: {
    title: 'drops events without a recent neighbour',
    options: { duration: duration('2ms'), supporters: integer('1'), neighbourhood: { kind: ['block', 'cross'], preset: 'block' } },
    make: ({ duration, supporters, neighbourhood }, { geometry }) =>
      createBackgroundActivityFilter({
        geometry,
        durationMicros: duration as number,
        supporters: supporters as number,
        neighbourhood: neighbourhood as 'block' | 'cross',
      }),
  },
  correlation: {
    title: 'keeps events that their 3 x 3 block preceded (STCF)',
    options: { duration: duration('2ms'), supporters: integer('2'), polarity: { kind: ['same', 'any'], preset: 'same' } },
    make: ({ duration, supporters, polarity }, { geometry }) =>
      createSpatioTemporalFilter({ geometry, durationMicros: duration as number, supporters: supporters as number, isSamePolarity: polarity === 'same' }),
  },
  refractory: {
    title: "drops events too soon after the pixel's last one",
    options: { duration: duration('1ms'), restart: { kind: ['kept', 'every'], preset: 'kept' } },
    make: ({ duration, restart }, { geometry }) =>
      createRefractoryFilter({ geometry, durationMicros: duration as number, restart: restart as 'kept' | 'every' }),
  },
  trail: {
    title: 'keeps chosen events of each train of one polarity',
    options: { duration: duration('10ms'), keep: { kind: ['first', 'second', 'afterFirst'], preset: 'first' } },
    make: ({ duration, keep }, { geometry }) =>
      createTrailFilter({ geometry, durationMicros: duration as number, keep: keep as 'first' | 'second' | 'afterFirst' }),
  },
  'hot-pixel': {
    title: 'drops pixels with far more events than the others (reads the file twice)',
    options: { deviations: integer('5') },
    needsCounts: true,
    make: ({ deviations }, { geometry, counts }) => createMaskFilter(geometry, hotPixelMask(counts as Uint32Array, deviations as number)),
  },
  rate: {
    title: 'passes the first events of every period',
    options: { period: duration(), events: integer() },
    make: ({ period, events }) => createRateLimitFilter({ periodMicros: period as number, eventsPerPeriod: events as number }),
  },
  crop: {
    title: 'keeps a rectangle, whose corner becomes 0, 0',
    options: { x: integer('0'), y: integer('0'), width: integer(), height: integer() },
    make: (values) => createCropFilter(values as unknown as { x: number; y: number; width: number; height: number }),
    geometryAfter: ({ width, height }) => ({ width: width as number, height: height as number }),
  },
  downsample: {
    title: 'divides coordinates by a factor',
    options: { factor: integer() },
    make: ({ factor }) => createDownSampleFilter({ factorX: factor as number, factorY: factor as number }),
    geometryAfter: ({ factor }, { width, height }) => ({ width: Math.ceil(width / (factor as number)), height: Math.ceil(height / (factor as number)) }),
  },
  polarity: {
    title: 'keeps one polarity, flips or merges them',
    options: { mode: { kind: ['on', 'off', 'flip', 'merge'] } },
    make: ({ mode }) => createPolarityFilter(mode as 'on' | 'off' | 'flip' | 'merge'),
  },
}

const kindText = (kind: OptionKind): string => (typeof kind === 'string' ? kind : kind.join(' or '))

/** One line a filter, for help texts. */
export const filterLines = (): string[] =>
  Object.entries(FILTERS).map(([name, { title, options }]) => {
    const list = Object.entries(options).map(([option, { kind, preset }]) => `${option}=${preset ?? `<${kindText(kind)}>`}`)
    return `  ${name.padEnd(12)} ${title}: ${name}:${list.join(',')}`
  })

const parseValue = (where: string, text: string, kind: OptionKind): number | string => {
  const value = kind === 'duration' ? parseDuration(text) : kind === 'integer' ? (/^\d+$/.test(text) ? Number(text) : null) : kind.includes(text) ? text : null
  if (value === null)
    throw usage(
      `${where}=${text} is not ${kind === 'duration' ? 'a duration with a unit' : kind === 'integer' ? 'a whole number' : kindText(kind)}.`,
      `For example ${kind === 'duration' ? '2ms' : kind === 'integer' ? '3' : kind[0]}.`,
    )
  return value
}

/** A filter as the user named it. */
export interface ChosenFilter {
  readonly name: string
  readonly row: FilterRow
  readonly values: Values
}

/** Parses "background:duration=2ms,supporters=2". @throws USAGE */
export const parseFilter = (text: string): ChosenFilter => {
  const [name = '', list = ''] = text.split(/:(.*)/s)
  const row = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined
  if (row === undefined) throw usage(`there is no filter "${name}".`, `The filters are ${Object.keys(FILTERS).join(', ')}.`)
  const given = new Map(list === '' ? [] : list.split(',').map((pair) => pair.split(/=(.*)/s) as [string, string]))
  for (const option of given.keys()) {
    if (!Object.hasOwn(row.options, option))
      throw usage(`the filter ${name} has no option "${option}".`, `Its options are ${Object.keys(row.options).join(', ')}.`)
  }
  const values = Object.entries(row.options).map(([option, { kind, preset }]) => {
    const value = given.get(option) ?? preset
    if (value === undefined)
      throw usage(`the filter ${name} needs ${option}.`, `For example ${name}:${option}=${kind === 'duration' ? '10ms' : kind === 'integer' ? '2' : kind[0]}.`)
    return [option, parseValue(`${name}:${option}`, value, kind)] as const
  })
  return { name, row, values: Object.fromEntries(values) }
}

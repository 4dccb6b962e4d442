// spikeport events encode: a .wav file or text with a column a channel becomes events, by send-on-delta or adaptive thresholds.

import { malformedFile, usage } from '../../errors.js'
import {
  type CSV_TIME_UNITS,
  createCsvReader,
  createSensorEncoder,
  createWavReader,
  type EventBatch,
  SAMPLE_LIMIT,
  type SampleBlock,
  type SampleReader,
  type SensorEncoder,
  type SensorMethod,
} from '../../events/index.js'
import { processIo } from '../io.js'
import { type MadeOptions, writeMade } from './made.js'
import { chunksOf } from './source.js'

export interface EncodeCommandOptions extends MadeOptions {
  readonly method: SensorMethod
  readonly threshold: number
  readonly gain: number
  readonly memory: number
  readonly kind?: 'wav' | 'csv'
  readonly rate?: number
  readonly columns?: string
  readonly timeColumn?: string
  readonly timeUnit: keyof typeof CSV_TIME_UNITS
  readonly resolution?: number
}

const openReader = (name: string, first: Uint8Array, options: EncodeCommandOptions): SampleReader => {
  const isWav = String.fromCharCode(...first.subarray(0, 4)) === 'RIFF' || /\.wav$/i.test(name)
  if ((options.kind ?? (isWav ? 'wav' : 'csv')) === 'wav') return createWavReader({ name })
  const { rate, columns, timeColumn, timeUnit } = options
  return createCsvReader({
    name,
    timeUnit,
    resolution: options.resolution ?? options.threshold / 256,
    ...(rate !== undefined && { rateHz: rate }),
    ...(columns !== undefined && { columns: columns.split(',').map((column) => column.trim()) }),
    ...(timeColumn !== undefined && { timeColumn }),
  })
}

const openEncoder = (reader: SampleReader, channels: number, { method, threshold, gain, memory }: EncodeCommandOptions): SensorEncoder => {
  const steps = Math.round(threshold / reader.resolution)
  if (!(steps >= 1 && steps <= SAMPLE_LIMIT)) {
    throw usage(
      `a threshold of ${threshold} is ${steps} steps of ${reader.resolution}, it must be 1 to ${SAMPLE_LIMIT}.`,
      'Thresholds of .wav files are shares of full scale, below 1; of text, choose --resolution below the threshold.',
    )
  }
  if (!Number.isInteger(Math.log2(memory)) || memory > 4096) throw usage(`--memory ${memory} is no power of two up to 4096.`, 'Pass 64, 128, 256, ...')
  if (!(Math.round(16 * gain) >= 1 && Math.round(16 * gain) <= 127)) throw usage(`--gain ${gain} is out of range.`, 'Pass 1/16 to 127/16 = 7.9375 mean steps.')
  return createSensorEncoder({ channels, method, threshold: steps, gain16: Math.round(16 * gain), memoryLog2: Math.log2(memory) })
}

/** Runs the command. */
export const runEncode = async (path: string, options: EncodeCommandOptions): Promise<void> => {
  if (!(options.threshold > 0)) throw usage(`--threshold ${options.threshold} makes no sense.`, 'Pass a change above 0 in units of the signal.')
  const name = path === '-' ? 'stdin' : path
  let reader: SampleReader | null = null
  let encoder: SensorEncoder | null = null
  const encode = (block: SampleBlock): EventBatch | null => {
    if (reader === null || block.count === 0) return null
    encoder ??= openEncoder(reader, block.channels, options)
    return encoder.apply(block)
  }
  async function* batches(): AsyncGenerator<EventBatch> {
    for await (const chunk of chunksOf(path)) {
      reader ??= openReader(name, chunk, options)
      const batch = encode(reader.push(chunk))
      if (batch !== null) yield batch
    }
    if (reader === null) throw malformedFile(name, 0, 'the file is empty')
    const batch = encode(reader.end())
    if (batch !== null) yield batch
  }
  const made = {
    name,
    batches: batches(),
    geometry: () => ({ width: reader?.channels ?? 1, height: 1 }),
    ledgers: () => [...(reader === null ? [] : [['read', reader.ledger] as const]), ...(encoder === null ? [] : [['encoded', encoder.ledger] as const])],
  }
  await writeMade(processIo(options.json === true), made, options)
}

// Samples become events by level crossing: send-on-delta with a fixed threshold a channel, or with one that follows the channel's
// activity. Integers only, so that a microcontroller makes the same events. See docs/events.md, "Other sensors".

import { usage } from '../../errors.js'
import { appendEvent, createColumns, type EventBatch, takeBatch } from '../batch.js'
import { createLedger, type Ledger, tally } from '../ledger.js'
import { SAMPLE_LIMIT, type SampleBlock } from './samples.js'

export const SENSOR_METHODS = ['delta', 'adaptive'] as const
export type SensorMethod = (typeof SENSOR_METHODS)[number]

export interface SensorEncoderOptions {
  readonly channels: number
  readonly method: SensorMethod
  /** steps of the samples, 1..2^23 - 1: the threshold, or for "adaptive" the lowest one */
  readonly threshold: number
  /** adaptive: threshold in sixteenths of the mean step, 1..127; default 64 (four mean steps) */
  readonly gain16?: number
  /** adaptive: the mean reaches back over about 2^memoryLog2 samples, 1..12; default 8 */
  readonly memoryLog2?: number
  /** events of one channel at one sample; more are dropped as `tooManyCrossings`; default 256 */
  readonly maxEventsPerSample?: number
}

/** State that takes blocks in time order and gives events: x = channel, y = 0, polarity 1 = the signal rose. */
export interface SensorEncoder {
  readonly ledger: Readonly<Ledger>
  apply(block: SampleBlock): EventBatch
}

/** Fraction bits of the mean step: a step has at most 24 bits, so the mean stays below 2^30. */
const MEAN_FRACTION_BITS = 6

const checkOptions = (options: Required<SensorEncoderOptions>): void => {
  const limits: readonly (readonly [keyof SensorEncoderOptions, number])[] = [
    ['channels', 65536],
    ['threshold', SAMPLE_LIMIT],
    ['gain16', 127],
    ['memoryLog2', 12],
    ['maxEventsPerSample', 65536],
  ]
  for (const [name, most] of limits) {
    const value = options[name] as number
    if (!(Number.isInteger(value) && value >= 1 && value <= most))
      throw usage(`${name} is ${value}, it must be an integer from 1 to ${most}.`, 'See "Other sensors" in docs/events.md.')
  }
}

/**
 * An encoder of `channels` channels. Each keeps a reference, first its first sample. At every sample x, n = floor(|x - reference| / threshold)
 * events are sent and the reference moves by n thresholds towards x, so |x - reference| < threshold afterwards (send-on-delta: Miskowicz,
 * "Send-On-Delta Concept", Sensors 6(1), 2006).
 *
 * adaptive: the threshold is max(threshold, (gain16 * (mean >> 6)) >> 4), taken before the sample changes the mean by
 * mean += (64 * |x - previous x| - mean) >> memoryLog2. That the resolution follows the slope is the idea of adaptive-resolution level crossing
 * (Trakimas and Sonkusale, IEEE TCAS-I 58(5), 2011); the moving mean is this library's, chosen to need shifts and int32 only.
 * @throws USAGE for options out of range, and for blocks of another number of channels
 */
export const createSensorEncoder = (options: SensorEncoderOptions): SensorEncoder => {
  const complete = { gain16: 64, memoryLog2: 8, maxEventsPerSample: 256, ...options }
  checkOptions(complete)
  const { channels, threshold: lowest, gain16, memoryLog2, maxEventsPerSample } = complete
  const isAdaptive = options.method === 'adaptive'
  const ledger = createLedger()
  const reference = new Int32Array(channels)
  const previous = new Int32Array(channels)
  const mean = new Int32Array(channels)
  let hasBegun = false

  const thresholdOf = (channel: number): number =>
    isAdaptive ? Math.max(lowest, Math.imul(gain16, (mean[channel] as number) >> MEAN_FRACTION_BITS) >> 4) : lowest
  const follow = (channel: number, x: number): void => {
    const step = Math.abs(x - (previous[channel] as number))
    mean[channel] = (mean[channel] as number) + (((step << MEAN_FRACTION_BITS) - (mean[channel] as number)) >> memoryLog2)
    previous[channel] = x
  }
  const begin = (values: Int32Array): void => {
    reference.set(values.subarray(0, channels))
    previous.set(reference)
    hasBegun = true
  }

  const apply = ({ count, channels: given, values, timeMicros }: SampleBlock): EventBatch => {
    if (given !== channels) throw usage(`samples of ${given} channels came to an encoder of ${channels}.`, 'Make the encoder for the channels of the reader.')
    const columns = createColumns()
    if (count > 0 && !hasBegun) begin(values)
    for (let i = 0; i < count; i++) {
      for (let channel = 0; channel < channels; channel++) {
        const x = values[i * channels + channel] as number
        const threshold = thresholdOf(channel)
        const away = x - (reference[channel] as number)
        const crossings = Math.floor(Math.abs(away) / threshold)
        reference[channel] = (reference[channel] as number) + Math.sign(away) * crossings * threshold
        if (isAdaptive) follow(channel, x)
        const sent = Math.min(crossings, maxEventsPerSample)
        for (let k = 0; k < sent; k++) appendEvent(columns, timeMicros[i] as number, channel, 0, away > 0 ? 1 : 0)
        ledger.eventsIn += crossings
        ledger.eventsOut += sent
        tally(ledger.droppedEvents, 'tooManyCrossings', crossings - sent)
      }
    }
    tally(ledger.records, 'sample', count)
    return takeBatch(columns)
  }
  return { ledger, apply }
}

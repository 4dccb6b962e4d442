// The pixels of a simulated event camera: log intensity, thresholds that differ from pixel to pixel, events interpolated between frames,
// leak and shot noise, a refractory period. All random draws come from Philox, so a seed gives the same events each time.

import { inputMismatch, usage } from '../../errors.js'
import { boundedInteger, randomWords, STREAMS } from '../../random.js'
import { appendEvent, type Columns, createColumns, type EventBatch, type Geometry, gatherEvents, takeBatch } from '../batch.js'
import { createLedger, type Ledger, tally } from '../ledger.js'

export interface CameraOptions {
  readonly geometry: Geometry
  /** change of log intensity that makes an event, 0.001..10; default 0.2 */
  readonly threshold?: number
  /** standard deviation of the pixels' thresholds as a share of the threshold, 0..1; default 0 */
  readonly mismatch?: number
  /** a pixel is silent for so long after an event, integer microseconds; default 0 */
  readonly refractoryMicros?: number
  /** mean rate of shot noise a pixel, both polarities together; default 0 */
  readonly shotHz?: number
  /** rate of leak events (ON) of a pixel in constant light; default 0 */
  readonly leakHz?: number
  /** 0..2^53 - 1; default 0 */
  readonly seed?: number
}

/** State that takes frames in time order and gives the events up to each. */
export interface SimulatedCamera {
  readonly ledger: Readonly<Ledger>
  /** linear intensity, at least 0, 1 = white, [height, width]; integer microseconds, later than the frame before */
  push(frame: ArrayLike<number>, timeMicros: number): EventBatch
}

/** Added to intensities before the logarithm, as in ESIM. */
const DARK = 0.001
/** No pixel's threshold lies below this share of the nominal one. */
const LOWEST_SHARE = 0.1
const TWO_32 = 4294967296

/** A draw of the standard normal distribution by the sum of twelve uniform ones: additions only, the same on every machine. */
const normalDraw = (seed: number, step: number, index: number): number => {
  let sum = -6
  for (let block = 0; block < 3; block++) for (const word of randomWords(seed, step, STREAMS.pixelThreshold, 3 * index + block)) sum += word / TWO_32
  return sum
}

const thresholdsOf = (pixels: number, threshold: number, mismatch: number, seed: number, step: number): Float64Array =>
  Float64Array.from({ length: pixels }, (_, i) => threshold * (mismatch === 0 ? 1 : Math.max(LOWEST_SHARE, 1 + mismatch * normalDraw(seed, step, i))))

const checkOption = (name: string, value: number, low: number, high: number): void => {
  if (!(value >= low && value <= high)) throw usage(`${name} is ${value}, it must lie between ${low} and ${high}.`, 'See "Simulator" in docs/events.md.')
}

const checkOptions = ({ geometry, threshold, mismatch, refractoryMicros, shotHz, leakHz, seed }: Required<CameraOptions>): void => {
  for (const [name, value] of Object.entries({ width: geometry.width, height: geometry.height })) {
    checkOption(name, value, 1, 65536)
    if (!Number.isInteger(value)) throw usage(`${name} is ${value}, pixels come whole.`, 'Give an integer.')
  }
  checkOption('width x height', geometry.width * geometry.height, 1, 2 ** 24)
  checkOption('threshold', threshold, 0.001, 10)
  checkOption('mismatch', mismatch, 0, 1)
  checkOption('refractoryMicros', refractoryMicros, 0, 1e9)
  checkOption('shotHz', shotHz, 0, 1e5)
  checkOption('leakHz', leakHz, 0, 1e5)
  checkOption('seed', seed, 0, Number.MAX_SAFE_INTEGER)
}

/**
 * A camera whose first frame sets the pixels' references and makes no events. Between two frames the log intensity log(0.001 + I) is a straight
 * line, and a pixel sends an event wherever the line is one threshold away from its reference, which then moves there (ESIM: Rebecq, Gehrig,
 * Scaramuzza, "ESIM: an Open Event Camera Simulator", CoRL 2018, section 3.1). Leak noise is a reference that falls steadily by leakHz ON
 * thresholds a second, from a random phase; shot noise is a Poisson process over the whole sensor (both as in v2e: Hu, Liu, Delbruck, CVPRW 2021).
 * Events of one push are sorted by time, those at the same time by pixel.
 * @throws USAGE for options out of range, INPUT_MISMATCH for frames of another size, times that do not rise and intensities that are none
 */
export const createSimulatedCamera = (options: CameraOptions): SimulatedCamera => {
  const complete = { threshold: 0.2, mismatch: 0, refractoryMicros: 0, shotHz: 0, leakHz: 0, seed: 0, ...options }
  checkOptions(complete)
  const { geometry, threshold, mismatch, refractoryMicros, shotHz, leakHz, seed } = complete
  const { width } = geometry
  const pixels = width * geometry.height
  const on = thresholdsOf(pixels, threshold, mismatch, seed, 0)
  const off = thresholdsOf(pixels, threshold, mismatch, seed, 1)
  const level = new Float64Array(pixels) // log intensity at the last frame
  const reference = new Float64Array(pixels)
  const lastEvent = new Float64Array(refractoryMicros > 0 ? pixels : 0).fill(Number.NEGATIVE_INFINITY)
  const ledger = createLedger()
  let lastMicros: number | null = null
  let shots = 0
  let nextShot = Number.POSITIVE_INFINITY

  const shotGap = (): number => (-Math.log((randomWords(seed, 1, STREAMS.shotNoise, shots)[0] + 1) / TWO_32) * 1e6) / (shotHz * pixels)
  const logOf = (frame: ArrayLike<number>, pixel: number): number => {
    const intensity = frame[pixel] as number
    if (intensity >= 0 && intensity < Number.POSITIVE_INFINITY) return Math.log(DARK + intensity)
    throw inputMismatch(
      `the intensity of column ${pixel % width}, row ${Math.floor(pixel / width)} is ${String(intensity).replace('NaN', 'no number')}.`,
      'Give linear intensities from 0 (black) to 1 (white).',
    )
  }
  const begin = (frame: ArrayLike<number>, timeMicros: number): void => {
    for (let i = 0; i < pixels; i++) {
      level[i] = logOf(frame, i)
      const phase = leakHz > 0 ? randomWords(seed, 1, STREAMS.leakNoise, i)[0] / TWO_32 : 0
      reference[i] = (level[i] as number) - phase * (on[i] as number)
    }
    nextShot = shotHz > 0 ? timeMicros + shotGap() : nextShot
  }
  /** Events of one pixel on the straight line from its level to `target`, both relative to a reference that leaks. */
  const crossPixel = (columns: Columns, i: number, target: number, from: number, span: number): void => {
    const start = level[i] as number
    const leak = (leakHz * (on[i] as number) * span) / 1e6
    const rise = target - start + leak
    const direction = rise > 0 ? 1 : -1
    const step = direction > 0 ? (on[i] as number) : (off[i] as number)
    // An edge reached to within rounding is reached: a line of exactly n thresholds gives n events.
    const reach = start + rise + direction * 1e-12
    let edge = (reference[i] as number) + direction * step
    while (rise !== 0 && direction * (reach - edge) >= 0) {
      const share = Math.min(1, Math.max(0, (edge - start) / rise))
      appendEvent(columns, from + Math.floor(share * span), i % width, Math.floor(i / width), direction > 0 ? 1 : 0)
      reference[i] = edge
      edge += direction * step
    }
    reference[i] = (reference[i] as number) - leak
    level[i] = target
  }
  const addShots = (columns: Columns, until: number): void => {
    while (nextShot <= until) {
      const [, where, which] = randomWords(seed, 1, STREAMS.shotNoise, shots++)
      const pixel = boundedInteger(where, pixels)
      appendEvent(columns, Math.floor(nextShot), pixel % width, Math.floor(pixel / width), which & 1)
      tally(ledger.records, 'shotNoise')
      nextShot += shotGap()
    }
  }
  const isRested = (pixel: number, timeMicros: number): boolean => {
    if (timeMicros - (lastEvent[pixel] as number) < refractoryMicros) return false
    lastEvent[pixel] = timeMicros
    return true
  }
  const sorted = (all: EventBatch): EventBatch => {
    const pixelOf = (i: number): number => (all.y[i] as number) * width + (all.x[i] as number)
    const order = Uint32Array.from({ length: all.count }, (_, i) => i).sort(
      (a, b) => (all.timeMicros[a] as number) - (all.timeMicros[b] as number) || pixelOf(a) - pixelOf(b) || a - b,
    )
    const kept = refractoryMicros > 0 ? order.filter((i) => isRested(pixelOf(i), all.timeMicros[i] as number)) : order
    ledger.eventsIn += all.count
    ledger.eventsOut += kept.length
    tally(ledger.droppedEvents, 'refractory', all.count - kept.length)
    return gatherEvents(all, kept, kept.length)
  }

  const push = (frame: ArrayLike<number>, timeMicros: number): EventBatch => {
    if (frame.length !== pixels) throw inputMismatch(`a frame has ${frame.length} values, the sensor ${pixels} pixels.`, 'Give frames of [height, width].')
    if (!Number.isSafeInteger(timeMicros) || (lastMicros !== null && timeMicros <= lastMicros))
      throw inputMismatch(`a frame at ${timeMicros} us follows one at ${lastMicros} us.`, 'Times are integer microseconds and rise from frame to frame.')
    const columns = createColumns()
    tally(ledger.records, 'frame')
    if (lastMicros === null) begin(frame, timeMicros)
    else for (let i = 0; i < pixels; i++) crossPixel(columns, i, logOf(frame, i), lastMicros, timeMicros - lastMicros)
    if (lastMicros !== null) addShots(columns, timeMicros)
    lastMicros = timeMicros
    return sorted(takeBatch(columns))
  }
  return { ledger, push }
}

// What a simulated camera looks at: frames from a file, or a bar, disc or edge that moves from left to right over and over.

import { inputMismatch, usage } from '../../errors.js'
import type { EventBatch } from '../batch.js'
import type { SimulatedCamera } from './camera.js'

export const SHAPES = ['bar', 'disc', 'edge'] as const
export type ShapeKind = (typeof SHAPES)[number]

export interface ShapeScene {
  readonly shape: ShapeKind
  readonly width: number
  readonly height: number
  /** pixels a second, above 0 */
  readonly speed: number
  readonly durationMicros: number
  /** width of the bar, diameter of the disc in pixels, above 0; default a quarter of the height, at least 1; an edge has none */
  readonly size?: number
  /** linear intensity 0..1 of the shape; default 0.9 */
  readonly foreground?: number
  /** linear intensity 0..1 behind it; default 0.1 */
  readonly background?: number
}

/** Frames one after the other, bytes 0..255 or linear intensities, [frames, height, width]. */
export interface FrameStack {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/** Share of column x (from x to x + 1) covered by left..left + size. */
const columnCover = (x: number, left: number, size: number): number => Math.max(0, Math.min(x + 1, left + size) - Math.max(x, left))

const discCover = (x: number, y: number, centreX: number, centreY: number, radius: number): number =>
  Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x + 0.5 - centreX, y + 0.5 - centreY)))

const checkScene = (scene: Required<ShapeScene>): void => {
  for (const [name, value, high] of [
    ['speed', scene.speed, 1e6],
    ['durationMicros', scene.durationMicros, 1e12],
    ['size', scene.size, 65536],
    ['foreground', scene.foreground, 1],
    ['background', scene.background, 1],
  ] as const) {
    const isLight = name === 'foreground' || name === 'background'
    if (!(value >= 0 && value <= high && (isLight || value > 0)))
      throw usage(`${name} is ${value}, it must lie ${isLight ? 'between 0' : 'above 0'} and ${high}.`, 'See "Simulator" in docs/events.md.')
  }
}

/** Intensities of the scene at a time, written to `frame` [height, width]. The shape comes in from the left again when it has left the sensor. */
const drawShape = (scene: Required<ShapeScene>, timeMicros: number, frame: Float64Array): void => {
  const { shape, width, height, speed, size, foreground, background } = scene
  const left = (((speed * timeMicros) / 1e6) % (width + size)) - size
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const cover = shape === 'disc' ? discCover(x, y, left + size / 2, height / 2, size / 2) : columnCover(x, left, size)
      frame[y * width + x] = background + (foreground - background) * Math.min(1, cover)
    }
  }
}

/**
 * Events of a moving shape, in batches. Frames are drawn so often that the shape moves at most a quarter of a pixel between two, and at
 * least every 10 ms. An edge is a bar as wide as the sensor: light comes, then darkness.
 */
export function* shapeEvents(camera: SimulatedCamera, options: ShapeScene): Generator<EventBatch> {
  const size = options.shape === 'edge' ? options.width : (options.size ?? Math.max(1, Math.round(options.height / 4)))
  const scene = { foreground: 0.9, background: 0.1, ...options, size }
  checkScene(scene)
  const stepMicros = Math.max(1, Math.min(10_000, Math.floor(250_000 / scene.speed)))
  const frame = new Float64Array(scene.width * scene.height)
  for (let at = 0, last = -1; last < scene.durationMicros; last = at, at = Math.min(at + stepMicros, scene.durationMicros)) {
    drawShape(scene, at, frame)
    yield camera.push(frame, at)
  }
}

/** Events of frames at a fixed rate, frame i at floor(i * 1e6 / framesPerSecond); bytes are divided by 255. @throws INPUT_MISMATCH, USAGE */
export function* frameEvents(camera: SimulatedCamera, { shape, data }: FrameStack, framesPerSecond: number): Generator<EventBatch> {
  const [count = 0, height = 0, width = 0] = shape
  if (shape.length !== 3 || count < 2 || count * height * width !== data.length)
    throw inputMismatch(`frames of shape [${shape.join(', ')}] make no film.`, 'Give [frames, height, width] with at least 2 frames.')
  if (!(framesPerSecond > 0 && framesPerSecond <= 1e6))
    throw usage(`${framesPerSecond} frames a second make no sense.`, 'Give a rate above 0 and at most 1000000.')
  const scale = data instanceof Uint8Array ? 1 / 255 : 1
  const pixels = height * width
  const frame = new Float64Array(pixels)
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < pixels; i++) frame[i] = (data[n * pixels + i] as number) * scale
    yield camera.push(frame, Math.floor((n * 1e6) / framesPerSecond))
  }
}

// spikeport events simulate: a recording of a simulated camera that sees a moving shape, or the frames of a .npy file.

import { usage } from '../../errors.js'
import { type CameraOptions, createSimulatedCamera, type FrameStack, frameEvents, type Geometry, type ShapeKind, shapeEvents } from '../../events/index.js'
import { readBytes } from '../../files.js'
import { readNpy } from '../../formats/npy.js'
import { processIo } from '../io.js'
import { type MadeOptions, writeMade } from './made.js'

export interface SimulateCommandOptions extends MadeOptions {
  readonly shape?: ShapeKind
  readonly speed: number
  /** microseconds */
  readonly duration: number
  readonly width: number
  readonly height: number
  readonly size?: number
  readonly frames?: string
  readonly fps?: number
  readonly contrast: number
  readonly mismatch: number
  /** microseconds */
  readonly refractory: number
  readonly noise: number
  readonly leak: number
  readonly seed: number
}

const cameraOptions = (geometry: Geometry, { contrast, mismatch, refractory, noise, leak, seed }: SimulateCommandOptions): CameraOptions => ({
  geometry,
  threshold: contrast,
  mismatch,
  refractoryMicros: refractory,
  shotHz: noise,
  leakHz: leak,
  seed,
})

const readFrames = async (path: string): Promise<FrameStack> => {
  const { shape, data } = readNpy(await readBytes(path), path)
  if (shape.length === 3 && shape.every((size) => size > 0)) return { shape, data }
  throw usage(`${path} holds an array of shape [${shape.join(', ')}].`, 'Save the frames as [frames, height, width]: one channel, linear intensity.')
}

/** Runs the command. */
export const runSimulate = async (options: SimulateCommandOptions): Promise<void> => {
  const { shape, frames: path, fps } = options
  if ((shape === undefined) === (path === undefined)) throw usage('one of --shape and --frames is needed.', 'Pass --shape bar, or --frames video.npy --fps 30.')
  if (path !== undefined && fps === undefined) throw usage('--frames needs the rate of the frames.', 'Pass it, for example --fps 30.')
  const stack = path === undefined ? null : await readFrames(path)
  const geometry: Geometry =
    stack === null ? { width: options.width, height: options.height } : { width: stack.shape[2] as number, height: stack.shape[1] as number }
  const camera = createSimulatedCamera(cameraOptions(geometry, options))
  const { speed, duration: durationMicros, size } = options
  const batches =
    stack === null
      ? shapeEvents(camera, { ...geometry, shape: shape as ShapeKind, speed, durationMicros, ...(size !== undefined && { size }) })
      : frameEvents(camera, stack, fps as number)
  const made = { name: path ?? `a moving ${shape}`, batches, geometry: () => geometry, ledgers: () => [['simulated', camera.ledger] as const] }
  await writeMade(processIo(options.json === true), made, options)
}

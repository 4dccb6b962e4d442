// What events look like: the last event of each pixel as a colour that fades, shared by the page, render and the terminal. No Node here.

import { addToSurface, type DecayKind, decayed, type EventBatch, type Geometry, type SurfaceMemory } from '../events/index.js'

/** Red, green, blue 0..255 of ON and OFF events. */
export const ON_COLOUR = [0x20, 0xe0, 0xa0] as const
export const OFF_COLOUR = [0xf0, 0x50, 0x50] as const

/** Last events of both polarities; planes of `memory`: OFF, ON. */
export const addEvents = (memory: SurfaceMemory, batch: EventBatch): number => addToSurface(memory, batch)

/** The size of a picture of a sensor: RGBA of [height, width, 4]. */
export const pixelsOf = ({ width, height }: Geometry): Uint8ClampedArray<ArrayBuffer> => new Uint8ClampedArray(4 * width * height)

/** Draws the later polarity of each pixel in its colour, by its age. [height, width, 4] */
export const drawPolarity = (memory: SurfaceMemory, nowMicros: number, tauMicros: number, rgba: Uint8ClampedArray, kind: DecayKind = 'exponential'): void => {
  const pixels = memory.geometry.width * memory.geometry.height
  for (let i = 0; i < pixels; i++) {
    const off = memory.lastMicros[i] as number
    const on = memory.lastMicros[pixels + i] as number
    const last = Math.max(off, on)
    const light = last === Number.NEGATIVE_INFINITY ? 0 : decayed(kind, Math.max(0, nowMicros - last), tauMicros)
    const colour = on >= off ? ON_COLOUR : OFF_COLOUR
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = light * (colour[c] as number)
    rgba[4 * i + 3] = 255
  }
}

/** Draws the age of each pixel's last event in grey, white = now. [height, width, 4] */
export const drawSurface = (memory: SurfaceMemory, nowMicros: number, tauMicros: number, rgba: Uint8ClampedArray): void => {
  const pixels = memory.geometry.width * memory.geometry.height
  for (let i = 0; i < pixels; i++) {
    const last = Math.max(memory.lastMicros[i] as number, memory.lastMicros[pixels + i] as number)
    const grey = last === Number.NEGATIVE_INFINITY ? 0 : 255 * decayed('exponential', Math.max(0, nowMicros - last), tauMicros)
    rgba[4 * i] = rgba[4 * i + 1] = rgba[4 * i + 2] = grey
    rgba[4 * i + 3] = 255
  }
}

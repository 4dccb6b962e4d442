// An event camera as its bytes: what every camera of targets/cameras implements. src/events decodes the bytes by the camera's format.

import type { SpikeportError } from '../errors.js'

/** What the camera reports. */
export interface CameraListener {
  /** bytes in the order of their arrival; one whole datagram a call where the line has datagrams */
  readonly onBytes: (bytes: Uint8Array) => void
  /** The camera is gone: closed or at its end (null), or lost. Called once. */
  readonly onClose: (error: SpikeportError | null) => void
}

export interface Camera {
  /** for messages: "edvs:/dev/ttyUSB0", "udp://127.0.0.1:3333", "stdin" */
  readonly name: string
  /** wire or recording format of the bytes; null: their content tells */
  readonly format: string | null
  /** the sensor, null where the camera does not tell */
  readonly geometry: { readonly width: number; readonly height: number } | null
  /** what pause() does to the sender: it waits, or goes on and its data are lost */
  readonly waits: boolean
  readonly pause: () => void
  readonly resume: () => void
  /** Stops the camera and closes its line; never throws. */
  readonly close: () => Promise<void>
}

/** Opens a camera and starts it. @throws a SpikeportError that says why it cannot */
export type OpenCamera = (listener: CameraListener) => Promise<Camera>

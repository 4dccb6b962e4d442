// The eDVS on a serial port with RTS/CTS: resets it, reads its banner, sets the time format and the biases, starts its events, and
// stops them again. Commands as libcaer's edvs.c gives them. See docs/events.md, "eDVS".

import { setTimeout as pause } from 'node:timers/promises'
import type { OpenCamera } from '#src/contracts/camera.js'
import { garbledCamera, type SpikeportError, silentCamera } from '#src/errors.js'
import { openSerial } from '../transports/serial.js'
import type { CameraAddress } from './address.js'

type EdvsAddress = Extract<CameraAddress, { kind: 'edvs' }>

/** After R the camera starts within 400 ms (libcaer); a loaded machine may take longer to show it. */
const BANNER_MILLIS = 2000
const RESET_MILLIS = 400
const BANNER = /eDVS/i
const QUIET_MILLIS = 50

const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Opens and starts an eDVS. @throws CAMERA_SILENT, CAMERA_GARBLED (wrong baud rate, another device), and as ports do */
export const openEdvs =
  ({ path, baudRate, format, biases }: EdvsAddress): OpenCamera =>
  async (listener) => {
    let greeting = ''
    let received = 0
    let isStarted = false
    let isGone = false
    let heard = (): void => {}
    const line = await openSerial(path, 'edvs', baudRate, { hasFlowControl: true })({
      onBytes: (bytes) => {
        if (isStarted) return listener.onBytes(bytes)
        received += bytes.length
        greeting = (greeting + String.fromCharCode(...bytes.subarray(0, 4096))).slice(-4096)
        heard()
      },
      onClose: (error: SpikeportError | null) => {
        isGone = true
        if (isStarted) listener.onClose(error)
      },
    })
    const send = (command: string): Promise<void> => line.write(encode(`${command}\n`))
    const waitForBanner = async (): Promise<boolean> => {
      const deadline = performance.now() + BANNER_MILLIS
      while (performance.now() < deadline && !BANNER.test(greeting)) {
        const ending = new AbortController()
        heard = () => ending.abort()
        await pause(deadline - performance.now(), undefined, { signal: ending.signal }).catch(() => {})
      }
      return BANNER.test(greeting)
    }
    try {
      for (const command of ['', 'E-']) await send(command)
      await pause(QUIET_MILLIS)
      greeting = ''
      received = 0
      await send('R')
      if (!(await waitForBanner())) throw received === 0 ? silentCamera(path, BANNER_MILLIS) : garbledCamera(path, received, baudRate)
      await pause(QUIET_MILLIS)
      for (const command of ['!U0', `!${format}`, '!ET0', ...biases.map(([index, value]) => `!B${index}=${value}`), ...(biases.length > 0 ? ['!BF'] : [])])
        await send(command)
      isStarted = true
      await send('E+')
    } catch (error) {
      await line.close()
      throw error
    }
    return {
      name: `edvs:${path}`,
      format: `edvs-${format.toLowerCase()}`,
      geometry: { width: 128, height: 128 },
      waits: false,
      // RTS would only move the loss into the camera, where nobody counts it
      pause: () => {},
      resume: () => {},
      close: async () => {
        if (!isGone) await Promise.race([send('E-'), pause(RESET_MILLIS)])
        await line.close()
      },
    }
  }

// A line over a serial port, by the serialport package, which is loaded here and nowhere else, when the first port is opened.

import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { SerialPort } from 'serialport'
import type { OpenTransport } from '#src/contracts/transport.js'
import { busyPort, type DevicePlace, failedPort, forbiddenPort, missingPort, missingTool, type SpikeportError, vanishedPort } from '#src/errors.js'

const loadPackage = async (): Promise<typeof import('serialport')> => {
  try {
    return await import('serialport')
  } catch (error) {
    throw missingTool(
      'the npm package serialport',
      'open serial ports',
      'Run "npm install" in the project again; it brings a prebuilt library for this system.',
      error,
    )
  }
}

/** The group that owns a port ("dialout" on Debian, "uucp" on Arch), by its number. */
const groupOf = async (path: string): Promise<string> => {
  const gid = (await stat(path).catch(() => null))?.gid
  const groups = await readFile('/etc/group', 'utf8').catch(() => '')
  const name = groups
    .split('\n')
    .find((line) => line.split(':')[2] === String(gid))
    ?.split(':')[0]
  return name === undefined || name === 'root' ? 'dialout' : name
}

/** What a failed open means. The package gives texts only: "Error Permission denied Cannot open /dev/ttyACM0", "Error: Access denied" on Windows. */
const openError = async (place: DevicePlace, error: Error): Promise<SpikeportError> => {
  const { message } = error
  if (/cannot lock port|resource busy|temporarily unavailable|access denied/i.test(message)) return busyPort(place, error)
  if (/permission denied|operation not permitted/i.test(message)) return forbiddenPort(place, await groupOf(place.port), error)
  if (/no such (file|device)|file not found|cannot find/i.test(message)) return missingPort(place, error)
  return failedPort(place, error)
}

const tryOpen = (place: DevicePlace, Port: typeof SerialPort, baudRate: number, rtscts: boolean): Promise<SerialPort> =>
  new Promise((resolve, reject) => {
    const port = new Port({ path: place.port, baudRate, autoOpen: false, hupcl: false, rtscts })
    port.open((error) => {
      if (error === null) resolve(port)
      else openError(place, error).then(reject, reject)
    })
  })

/** Times that a locked port is tried again, and the pause between: a program that has just ended may hold the lock a moment longer. */
const LOCK_TRIES = 10
const LOCK_PAUSE_MILLIS = 50

const openPort = async (place: DevicePlace, Port: typeof SerialPort, baudRate: number, rtscts: boolean, tries = LOCK_TRIES): Promise<SerialPort> => {
  try {
    return await tryOpen(place, Port, baudRate, rtscts)
  } catch (error) {
    if (tries <= 1 || (error as SpikeportError).code !== 'DEVICE_BUSY') throw error
    await setTimeout(LOCK_PAUSE_MILLIS)
    return openPort(place, Port, baudRate, rtscts, tries - 1)
  }
}

/** Opens a serial port, 8 data bits, no parity, one stop bit, without flow control but where RTS/CTS is asked for. @throws DeviceError with the remedy */
export const openSerial =
  (path: string, board: string, baudRate: number, { hasFlowControl = false }: { readonly hasFlowControl?: boolean } = {}): OpenTransport =>
  async (listener) => {
    const place = { board, port: path }
    const { SerialPort } = await loadPackage()
    const port = await openPort(place, SerialPort, baudRate, hasFlowControl)
    let isClosing = false
    let isGone = false
    const end = (cause?: unknown): void => {
      if (isGone) return
      isGone = true
      listener.onClose(isClosing ? null : vanishedPort(place, cause))
    }
    port.on('data', (bytes: Uint8Array) => listener.onBytes(bytes))
    port.on('close', (cause: unknown) => end(cause))
    let shut: Promise<void> | null = null
    const close = (): Promise<void> => {
      shut ??= new Promise((resolve) => (port.isOpen ? port.close(() => resolve()) : resolve()))
      return shut
    }
    port.on('error', (error: Error) => {
      end(error)
      void close()
    })
    return {
      port: path,
      baudRate,
      isEmulated: false,
      write: (bytes) =>
        new Promise((resolve) => {
          if (isGone || !port.isOpen) return resolve()
          port.write(bytes, () => {})
          if (!port.writableNeedDrain) return resolve()
          port.once('drain', resolve)
          port.once('close', () => resolve())
        }),
      close: () => {
        isClosing = true
        return close()
      },
    }
  }

export interface SerialPortInfo {
  readonly path: string
  /** "2e8a:000a", or null */
  readonly usbId: string | null
  readonly manufacturer: string | null
  readonly serialNumber: string | null
}

const usbIdOf = (vendor: string | undefined, product: string | undefined): string | null =>
  vendor === undefined || product === undefined ? null : `${vendor}:${product}`.toLowerCase()

const readTrimmed = async (path: string): Promise<string | null> => (await readFile(path, 'utf8').catch(() => null))?.trim() ?? null

/** The folder of the USB device behind a Linux tty: the nearest parent that has an idVendor. */
const usbFolderOf = async (name: string): Promise<string | null> => {
  let folder = await realpath(`/sys/class/tty/${name}/device`).catch(() => '/')
  for (; folder !== '/'; folder = dirname(folder)) if ((await readTrimmed(join(folder, 'idVendor'))) !== null) return folder
  return null
}

/** Ports of a Linux system without udev (containers): what /dev has, with the facts of /sys. */
const listLinuxPorts = async (): Promise<SerialPortInfo[]> => {
  const names = (await readdir('/dev')).filter((name) => /^tty(ACM|USB|AMA)\d+$/.test(name)).sort()
  return Promise.all(
    names.map(async (name): Promise<SerialPortInfo> => {
      const folder = await usbFolderOf(name)
      const fact = (file: string): Promise<string | null> => (folder === null ? Promise.resolve(null) : readTrimmed(join(folder, file)))
      const usbId = usbIdOf((await fact('idVendor')) ?? undefined, (await fact('idProduct')) ?? undefined)
      return { path: `/dev/${name}`, usbId, manufacturer: await fact('manufacturer'), serialNumber: await fact('serial') }
    }),
  )
}

/** The serial ports of this machine. */
export const listSerialPorts = async (): Promise<readonly SerialPortInfo[]> => {
  const { SerialPort } = await loadPackage()
  try {
    const ports = await SerialPort.list()
    return ports.map(({ path, vendorId, productId, manufacturer, serialNumber }) => ({
      path,
      usbId: usbIdOf(vendorId, productId),
      manufacturer: manufacturer ?? null,
      serialNumber: serialNumber ?? null,
    }))
  } catch (error) {
    if (process.platform === 'linux' && (error as NodeJS.ErrnoException).code === 'ENOENT') return listLinuxPorts()
    throw error
  }
}

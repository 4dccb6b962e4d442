// The addresses of cameras and recordings: "edvs:/dev/ttyUSB0?baud=4000000&format=E2", "udp://127.0.0.1:3333?format=caer",
// "tcp://host:port", "-" and paths.

import { usage } from '#src/errors.js'

export type CameraAddress =
  | {
      readonly kind: 'edvs'
      readonly path: string
      readonly baudRate: number
      readonly format: 'E0' | 'E1' | 'E2' | 'E3' | 'E4'
      readonly biases: readonly (readonly [number, number])[]
    }
  | { readonly kind: 'udp'; readonly host: string; readonly port: number; readonly format: 'spif' | 'caer' }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly format: string | null }
  | { readonly kind: 'file'; readonly path: string }

const EDVS_KEYS = ['baud', 'format', 'biases']

const wrong = (text: string, what: string): Error =>
  usage(
    `"${text}" is no address of a camera: ${what}.`,
    'For example edvs:/dev/ttyUSB0?baud=12000000&format=E4, udp://127.0.0.1:3333, tcp://127.0.0.1:7777, - or a file.',
  )

/** "0=1992,1=3" */
const parseBiases = (text: string, list: string | null): [number, number][] =>
  (list ?? '')
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const match = /^(\d{1,2})=(\d{1,8})$/.exec(pair)
      const [index, value] = [Number(match?.[1] ?? 99), Number(match?.[2] ?? 0)]
      if (index > 11 || value >= 2 ** 24) throw wrong(text, `the bias "${pair}" is not 0..11=0..16777215`)
      return [index, value]
    })

const parseEdvs = (text: string): CameraAddress => {
  const [path = '', query = ''] = text.slice('edvs:'.length).split(/\?(.*)/s)
  const values = new URLSearchParams(query)
  const unknown = [...values.keys()].find((key) => !EDVS_KEYS.includes(key))
  const baudRate = Number(values.get('baud') ?? 12_000_000)
  const format = values.get('format') ?? 'E4'
  if (path === '') throw wrong(text, 'the port is missing')
  if (unknown !== undefined) throw wrong(text, `there is no option "${unknown}"`)
  if (!Number.isInteger(baudRate) || baudRate < 1200 || baudRate > 12_000_000) throw wrong(text, `the baud rate ${values.get('baud')} is not 1200..12000000`)
  if (!/^E[0-4]$/.test(format)) throw wrong(text, `the format ${format} is not E0 to E4`)
  return { kind: 'edvs', path, baudRate, format: format as 'E0', biases: parseBiases(text, values.get('biases')) }
}

const parseNetwork = (text: string, kind: 'udp' | 'tcp'): CameraAddress => {
  const match = /^(?:udp|tcp):\/\/(\[[0-9a-fA-F:]+\]|[^/:?]+):(\d{1,5})(?:\?format=([a-z0-9-]+))?$/.exec(text)
  const port = Number(match?.[2] ?? 0)
  if (match === null || port < 1 || port > 65535) throw wrong(text, `${kind}://host:port is needed`)
  const host = (match[1] as string).replace(/^\[|\]$/g, '')
  const format = match[3] ?? null
  if (kind === 'tcp') return { kind, host, port, format }
  if (format !== null && format !== 'spif' && format !== 'caer') throw wrong(text, 'the formats over UDP are spif and caer')
  return { kind, host, port, format: format ?? 'spif' }
}

/** Parses an address; what has no scheme is a file, "-" is stdin. @throws USAGE */
export const parseCameraAddress = (text: string): CameraAddress => {
  if (text.startsWith('edvs:')) return parseEdvs(text)
  if (text.startsWith('udp:')) return parseNetwork(text, 'udp')
  if (text.startsWith('tcp:')) return parseNetwork(text, 'tcp')
  return { kind: 'file', path: text }
}

// Putting the firmware on a board: a UF2 file onto its drive, a raw image onto its debug chip's drive, or an external program.

import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Board, FlashMethod } from '#src/contracts/board.js'
import { failedTool, missingTool, missingTransport, usage } from '#src/errors.js'
import { readBytes, writeBytes } from '#src/files.js'
import { shippedImage } from '../transports/index.js'
import { encodeUf2 } from './uf2.js'

export interface FlashOptions {
  /** 'uf2', 'drive' or the name of a program; default: the first that can work here */
  readonly method?: string
  /** default: the shipped image */
  readonly image?: string
  /** folder of the board's drive; default: looked for where systems mount drives */
  readonly drive?: string
  /** for programs that need it */
  readonly port?: string
  /** write the file that would go onto the drive here instead, and stop */
  readonly output?: string
}

export interface FlashReport {
  readonly method: string
  /** the file written, or the command run */
  readonly what: string
  readonly bytes: number
}

/** Where a drive of that label is mounted, or null. */
const findDrive = (label: string): string | null => {
  const parents = [`/media/${userInfo().username}`, `/run/media/${userInfo().username}`, '/media', '/Volumes', join(homedir(), 'mnt'), '/mnt']
  for (const parent of parents) {
    if (existsSync(parent) && readdirSync(parent).includes(label)) return join(parent, label)
  }
  return null
}

const nameOf = (method: FlashMethod): string => (method.kind === 'command' ? method.tool : method.kind)

const chooseMethod = (board: Board, wanted: string | undefined): FlashMethod => {
  const method = wanted === undefined ? board.flashMethods[0] : board.flashMethods.find((candidate) => nameOf(candidate) === wanted)
  if (method !== undefined) return method
  const known = board.flashMethods.map(nameOf)
  if (known.length === 0)
    throw missingTransport(
      board.id,
      'cannot be flashed',
      board.emulator === null ? 'It is a process.' : 'It exists in an emulator, which is given the image: --emulate.',
    )
  throw usage(`${board.id} has no flash method "${wanted}".`, `Its methods: ${known.join(', ')}.`)
}

const driveFile = (
  method: Exclude<FlashMethod, { kind: 'command' }>,
  board: Board,
  image: Uint8Array,
): { readonly name: string; readonly bytes: Uint8Array } =>
  method.kind === 'uf2'
    ? { name: `${board.id}.uf2`, bytes: encodeUf2(image, board.memory.firmware.address, method.familyId) }
    : { name: `${board.id}.bin`, bytes: image }

const copyToDrive = async (method: Exclude<FlashMethod, { kind: 'command' }>, board: Board, image: Uint8Array, options: FlashOptions): Promise<FlashReport> => {
  const file = driveFile(method, board, image)
  const drive = options.drive ?? findDrive(method.driveLabel)
  if (options.output === undefined && drive === null) {
    const how = method.kind === 'uf2' ? `Put the board into boot mode (${method.bootMode})` : 'Plug the board in'
    throw missingTransport(
      board.id,
      `shows no drive ${method.driveLabel}`,
      `${how}, name the drive with --drive, or write the file with -o and copy it yourself.`,
    )
  }
  const path = options.output ?? join(drive as string, file.name)
  await writeBytes(path, file.bytes)
  return { method: method.kind, what: path, bytes: file.bytes.length }
}

const fill = (argument: string, values: Readonly<Record<string, string>>): string => argument.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '')

const runProgram = async (
  method: Extract<FlashMethod, { kind: 'command' }>,
  board: Board,
  imagePath: string,
  imageBytes: number,
  options: FlashOptions,
): Promise<FlashReport> => {
  const values = { image: imagePath, address: `0x${board.memory.firmware.address.toString(16)}`, port: options.port ?? '' }
  if (method.arguments.some((argument) => argument.includes('{port}')) && options.port === undefined)
    throw usage(`${method.tool} needs the port of the board.`, 'Name it with --port.')
  const programArguments = method.arguments.map((argument) => fill(argument, values))
  await new Promise<void>((resolve, reject) => {
    execFile(method.tool, programArguments, (error, _, stderr) => {
      if (error === null) resolve()
      else if ((error as NodeJS.ErrnoException).code === 'ENOENT') reject(missingTool(method.tool, `flash ${board.id}`, method.install, error))
      else reject(failedTool(method.tool, stderr.trim().split('\n').at(-1) ?? error.message, error))
    })
  })
  return { method: method.tool, what: [method.tool, ...programArguments].join(' '), bytes: imageBytes }
}

/**
 * Puts the firmware on a board.
 * @throws USAGE, DEVICE_NO_TRANSPORT, TOOL_MISSING, TOOL_FAILED, FILE_UNWRITABLE
 */
export const flashBoard = async (board: Board, options: FlashOptions = {}): Promise<FlashReport> => {
  const method = chooseMethod(board, options.method)
  const imagePath = options.image ?? shippedImage(board)
  const image = await readBytes(imagePath)
  return method.kind === 'command' ? runProgram(method, board, imagePath, image.length, options) : copyToDrive(method, board, image, options)
}

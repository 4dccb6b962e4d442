// The checkpoint of a tuning run: a file beside the output that holds the method's state, the history and what the run depends on; it is gone when the run ends.

import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { malformedFile, usage } from '../../errors.js'
import { readBytes, writeBytes } from '../../files.js'
import { decodeCheckpoint, encodeCheckpoint } from '../../tune/index.js'
import type { HistoryArrays } from './history.js'

/** What the bytes of a result depend on, by the name that the command line has for it. */
export type Fingerprint = Readonly<Record<string, string | number>>

export interface SavedRun {
  readonly fingerprint: Fingerprint
  readonly history: HistoryArrays
  /** of the method */
  readonly checkpoint: unknown
}

export const checkpointPath = (output: string): string => `${output}.checkpoint`

export const writeCheckpoint = (output: string, saved: SavedRun): Promise<void> => writeBytes(checkpointPath(output), encodeCheckpoint(saved))

/** Refuses to begin where another run has left its checkpoint. */
export const checkNoCheckpoint = (output: string): void => {
  const path = checkpointPath(output)
  if (existsSync(path)) throw usage(`${path} holds an unfinished run.`, 'Go on with --resume, or delete the file to start anew.')
}

const isSaved = (x: unknown): x is SavedRun =>
  x !== null && typeof x === 'object' && ['fingerprint', 'history', 'checkpoint'].every((key) => typeof (x as Record<string, unknown>)[key] === 'object')

/** The run that was left. @throws USAGE where there is none or its settings differ, FILE_MALFORMED */
export const readCheckpoint = async (output: string, fingerprint: Fingerprint): Promise<SavedRun> => {
  const path = checkpointPath(output)
  if (!existsSync(path)) throw usage(`there is no unfinished run: ${path} is missing.`, 'Leave --resume out to start one.')
  const saved = decodeCheckpoint(await readBytes(path), path)
  if (!isSaved(saved)) throw malformedFile(path, null, 'it holds no tuning run')
  const names = new Set([...Object.keys(fingerprint), ...Object.keys(saved.fingerprint)])
  const differing = [...names].find((name) => saved.fingerprint[name] !== fingerprint[name])
  if (differing !== undefined)
    throw usage(
      `${path} is of a run with other settings: ${differing} was ${saved.fingerprint[differing] ?? 'not set'}, now it is ${fingerprint[differing] ?? 'not set'}.`,
      'Repeat the command line of that run with --resume, or delete the file to start anew.',
    )
  return saved
}

export const removeCheckpoint = (output: string): Promise<void> => rm(checkpointPath(output), { force: true })

// spikeport events convert: a recording in another format, streamed.

import { processIo } from '../io.js'
import { type TranscodeOptions, transcode } from './transcode.js'

/** Runs the command. */
export const runConvert = async (path: string, { json, ...options }: TranscodeOptions & { readonly json?: boolean }): Promise<void> =>
  transcode(processIo(json === true), path, options, ({ geometry }) => ({ geometry, change: (part) => part, ledgers: [] }))

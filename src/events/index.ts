// Event cameras: batches, recording formats, ledgers, windows, filters and representations. Runs in Node and in browsers.

export { isHdf5 } from '../formats/hdf5.js'
export {
  appendBatch,
  appendEvent,
  batchOf,
  concatBatches,
  createColumns,
  type EventBatch,
  emptyBatch,
  type Geometry,
  gatherEvents,
  pickEvents,
  rowsOf,
  sliceBatch,
  type TriggerBatch,
  takeBatch,
  triggersOf,
} from './batch.js'
export type { DecoderOptions, DecoderSnapshot, EventDecoder, FaultPolicy, OtherRecord } from './decoder.js'
export { type ByteWriter, createByteWriter, type EncodeExtras, type EncoderOptions, type EventEncoder } from './encoder.js'
export * from './filters/index.js'
export { type Hdf5Recording, readHdf5Events } from './formats/hdf5.js'
export { DETECTION_BYTES, detectFormat, type EventFormat, FORMAT_NAMES, FORMATS, type FormatName } from './formats/index.js'
export { createLedger, type Ledger, ledgerImbalance, ledgerLines, type Tally, tallied, tally } from './ledger.js'
export { type AnyDecoder, decodeRecording, decodeStream, openDecoder, type ReadOptions, type Recording } from './read.js'
export {
  type ByteSource,
  type IndexEntry,
  type IndexOptions,
  indexRecording,
  type RecordingIndex,
  readEventSpan,
  readTimeSpan,
  sourceOfBytes,
} from './recording-index.js'
export * from './representations/index.js'
export { createEventRing, type EventRing, type EventRingOptions } from './ring.js'
export * from './sensors/index.js'
export * from './simulate/index.js'
export { createCountWindows, createTimeWindows, type EventWindow, type TimeWindowOptions, type Windower, windowsOf } from './windows.js'
export { EDVS_FORMATS, EDVS_GEOMETRY, type EdvsFormat, edvsWrapMicros, messageText, putEdvsEvent } from './wire/edvs.js'
export { createEdvsCamera, type EdvsCamera } from './wire/edvs-camera.js'
export { WIRE_FORMAT_NAMES, WIRE_FORMATS, type WireFormat, type WireFormatName } from './wire/index.js'

// Reads a .tflite file: an int8 model as an integer network of rounding 'tflite', bit-exact with TensorFlow Lite Micro; a float32 model as a float network.

import { basename } from 'node:path'
import { readBytes } from '../../files.js'
import { readTflite } from '../../formats/tflite.js'
import type { Network } from '../../network/types.js'
import { importTfliteDocument } from './model.js'

export { isTflite } from '../../formats/tflite.js'
export { SUPPORTED_OPERATORS } from './model.js'

/**
 * The network in the bytes of a .tflite file; `path` is for its name and for messages.
 * @throws FILE_MALFORMED, UNSUPPORTED naming operator or tensor, NETWORK_INVALID, ACCUMULATOR_OVERFLOW
 */
export const importTfliteBytes = (bytes: Uint8Array, path: string): Network =>
  importTfliteDocument(readTflite(bytes, path), basename(path).replace(/\.tflite$/i, '') || 'model', path)

/**
 * Reads a .tflite file.
 * @throws FILE_UNREADABLE, and as importTfliteBytes
 * @example const network = await importTflite('kws_ref_model.tflite')
 */
export const importTflite = async (path: string): Promise<Network> => importTfliteBytes(await readBytes(path), path)

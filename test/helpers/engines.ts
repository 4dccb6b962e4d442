// Comparing engines byte for byte with the reference.

import { referenceSession } from '#runtimes/reference/index.js'
import type { Batch, Outputs } from '#src/contracts/runtime.js'
import type { ElementArray, Network } from '#src/network/types.js'

/** The bytes of an array's elements. */
export const bytesOf = (data: ElementArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Number of bytes that differ between two results; all of them where lengths or numbers of outputs differ. */
export const differingBytes = (a: Outputs, b: Outputs): number => {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  return a.reduce((sum, output, i) => {
    const [x, y] = [bytesOf(output), bytesOf(b[i] as ElementArray)]
    return x.length === y.length ? sum + x.reduce((count, byte, k) => count + (byte === y[k] ? 0 : 1), 0) : Number.POSITIVE_INFINITY
  }, 0)
}

/** What the definition gives for a batch. */
export const expectedOutputs = (network: Network<'integer'>, batch: Batch): Promise<Outputs> => referenceSession(network).run(batch)

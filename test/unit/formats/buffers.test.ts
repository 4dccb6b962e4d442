// Node's Buffers are Uint8Arrays whose slice() does not copy and whose memory begins in the middle of a pool: readers must not care.

import { expect, test } from 'vitest'
import { eventnetBytes } from '#src/eventnet/index.js'
import { readEventnet } from '#src/formats/eventnet/index.js'
import { readNpy, writeNpy } from '#src/formats/npy.js'
import { loadNetwork, saveNetwork } from '#src/network/net-file.js'
import { planArena } from '#src/plan/arena.js'
import { operatorNetwork } from '../../helpers/networks.js'

/** The bytes as a Buffer that begins at an odd place of a larger block. */
const pooled = (bytes: Uint8Array): Buffer => {
  const block = Buffer.alloc(bytes.length + 16, 0xa5)
  block.set(bytes, 3)
  return block.subarray(3, 3 + bytes.length)
}

const network = operatorNetwork('dense', 1)
const READERS = [
  ['.npy', (bytes: Uint8Array) => readNpy(bytes, 'a.npy'), writeNpy([3], Float32Array.of(1, 2, 3))],
  ['.net', (bytes: Uint8Array) => loadNetwork(bytes, 'a.net'), saveNetwork(network)],
  ['.evn', (bytes: Uint8Array) => readEventnet(bytes, 'a.evn'), eventnetBytes(network, planArena(network))],
] as const

test.each(READERS)('%s reads a Buffer like a Uint8Array', (_, read, bytes) => {
  expect(read(pooled(bytes))).toEqual(read(new Uint8Array(bytes)))
})

// Writes the small committed corpora of test/c: one flash file an operator for the loader, whole conversations for the protocol.
// usage: node --conditions=spikeport-source --import tsx scripts/make-fuzz-corpus.ts

import { mkdir, writeFile } from 'node:fs/promises'
import { deviceFile } from '#runtimes/device/index.js'
import { crc32 } from '#src/crc32.js'
import { MESSAGES, type MessageName } from '#src/protocol/codes.js'
import {
  helloRequest,
  loadBeginRequest,
  loadChunkRequest,
  profileRequest,
  readNetworkRequest,
  readValueRequest,
  resetRequest,
  runNodeRequest,
  runRequest,
  writeInputRequest,
} from '#src/protocol/messages.js'
import { INTEGER_OPERATORS, type IntegerOperatorKind, operatorNetwork } from '../test/helpers/networks.js'

const folder = (name: string): URL => new URL(`../test/c/corpus-${name}/`, import.meta.url)
const MOST_BYTES = 1_000
const CHUNK_BYTES = 240

/** The first small network of an operator, as a file. */
const smallFile = (kind: IntegerOperatorKind): { file: Uint8Array; inputBytes: number[] } => {
  for (let seed = 1; ; seed++) {
    const network = operatorNetwork(kind, seed)
    const file = deviceFile(network)
    const inputBytes = network.inputs.map((value) => network.values[value]?.type.shape.reduce((a, b) => a * b, 1) ?? 0)
    if (file.length <= MOST_BYTES && inputBytes.every((bytes) => bytes <= CHUNK_BYTES)) return { file, inputBytes }
  }
}

/** A frame as test/c/fuzz-protocol.c reads it: 0xfe, code, payload length, payload. */
const frame = (message: MessageName, payload: Uint8Array = new Uint8Array(0)): number[] => [0xfe, MESSAGES[message], payload.length, ...payload]

const load = (file: Uint8Array): number[] => {
  const chunks = Array.from({ length: Math.ceil(file.length / CHUNK_BYTES) }, (_, i) =>
    frame('loadChunk', loadChunkRequest(i * CHUNK_BYTES, file.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))),
  )
  return [...frame('loadBegin', loadBeginRequest(file.length, crc32(file))), ...chunks.flat(), ...frame('loadCommit')]
}

const inputs = (inputBytes: readonly number[]): number[] =>
  inputBytes.flatMap((bytes, i) => frame('writeInput', writeInputRequest(i, 0, new Uint8Array(bytes).fill(i + 3))))

const conversation = (kind: IntegerOperatorKind): number[] => {
  const { file, inputBytes } = smallFile(kind)
  return [
    ...frame('hello', helloRequest()),
    ...load(file),
    ...frame('info'),
    ...inputs(inputBytes),
    ...frame('run', runRequest(64)),
    ...inputs(inputBytes),
    ...frame('runNode', runNodeRequest(0)),
    ...frame('readValue', readValueRequest(1, 0, 8)),
    ...inputs(inputBytes),
    ...frame('profile', profileRequest(0, 1)),
    ...frame('readNetwork', readNetworkRequest(0, 64)),
    ...frame('selfTest'),
    ...frame('rollback'),
    ...frame('reset', resetRequest('restart')),
    ...frame('hello', helloRequest()),
    ...frame('info'),
  ]
}

await mkdir(folder('loader'), { recursive: true })
await mkdir(folder('protocol'), { recursive: true })
for (const kind of INTEGER_OPERATORS) await writeFile(new URL(`${kind}.evn`, folder('loader')), smallFile(kind).file)
for (const kind of ['dense', 'add', 'softmax'] as const) await writeFile(new URL(kind, folder('protocol')), Uint8Array.from(conversation(kind)))

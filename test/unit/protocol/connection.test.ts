// The host half of a conversation against a scripted board, on a memory line, with a clock that jumps instead of waiting.

import { describe, expect, test } from 'vitest'
import { connectDevice, type Device, deviceFile, openConnection } from '#runtimes/device/index.js'
import type { Clock } from '#src/contracts/transport.js'
import type { DeviceError } from '#src/errors.js'
import { MESSAGES, STATUSES } from '#src/protocol/codes.js'
import { encodeFrame, type Frame, frameReader, RESPONSE_BIT } from '#src/protocol/frame.js'
import { boardOf } from '#targets/index.js'
import { memoryLine } from '#targets/transports/memory.js'
import { cnnNetwork, operatorNetwork } from '../../helpers/networks.js'

/** Time passes only when nothing else is left to do: a wait then ends at once. */
const jumpingClock = (): Clock => {
  let now = 0
  return {
    nowMillis: () => now,
    after: (millis, callback) => {
      const timer = setImmediate(() => {
        now += millis
        callback()
      })
      return () => clearImmediate(timer)
    },
  }
}

type Answer = { readonly status?: number; readonly payload?: readonly number[] | Uint8Array } | null
type Script = (request: Frame, count: number) => Answer

const u32 = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]

const helloAnswer = (
  change: { version?: number; format?: number; operators?: number; slotBytes?: number; arenaBytes?: number; id?: string } = {},
): number[] => {
  const id = [...new TextEncoder().encode(change.id ?? 'host')]
  return [
    ...[change.version ?? 1, 0, change.format ?? 1, 0, 0, 4, 255, 0],
    ...[0, 1, 1, change.slotBytes ?? 1_000_000, change.arenaBytes ?? 1_000_000, 0, change.operators ?? 0x7fe, 0].flatMap(u32),
    ...[id.length, ...id],
  ]
}

/** A line to a board that follows a script; null gives no answer. */
const scripted = (script: Script) => {
  const reader = frameReader()
  const requests: Frame[] = []
  const line = memoryLine({
    onBytes: (bytes) => {
      for (const request of reader.take(bytes)) {
        if (request === null) continue
        requests.push(request)
        const answer = script(request, requests.filter(({ message }) => message === request.message).length)
        if (answer !== null) {
          line.send(
            encodeFrame({
              message: request.message | RESPONSE_BIT,
              status: answer.status ?? 0,
              sequence: request.sequence,
              payload: Uint8Array.from(answer.payload ?? []),
            }),
          )
        }
      }
    },
  })
  return { ...line, requests }
}

const board = boardOf('host')
const connectTo = (script: Script): Promise<Device> => connectDevice(board, scripted(script).open, { clock: jumpingClock() })
const failureOf = (work: Promise<unknown>): Promise<DeviceError> =>
  work.then(
    () => Promise.reject(new Error('it worked')),
    (error) => error as DeviceError,
  )

describe('requests', () => {
  test('are repeated with the same sequence number until they are answered', async () => {
    const line = scripted((_, count) => (count < 4 ? null : { payload: [5] }))
    const connection = await openConnection(board, line.open, { clock: jumpingClock() })
    expect([...(await connection.request('info', new Uint8Array(0)))]).toEqual([5])
    expect(line.requests.length).toBe(4)
    expect(new Set(line.requests.map(({ sequence }) => sequence)).size).toBe(1)
    await connection.request('info', new Uint8Array(0))
    expect(new Set(line.requests.map(({ sequence }) => sequence)).size).toBe(2)
  })

  test('are given up after their patience', async () => {
    const line = scripted(() => null)
    const connection = await openConnection(board, line.open, { clock: jumpingClock() })
    const error = await failureOf(connection.request('info', new Uint8Array(0), 5000))
    expect(error).toMatchObject({ code: 'DEVICE_SILENT', message: 'host (memory) did not answer "info" for 5000 ms.' })
    expect(line.requests.length).toBeGreaterThan(3)
    expect(line.requests.length).toBeLessThan(10)
  })

  test('answers to other requests and old answers are ignored', async () => {
    const line = scripted((request) => {
      line.send(encodeFrame({ message: request.message | RESPONSE_BIT, status: 0, sequence: (request.sequence + 9) & 0xffff, payload: Uint8Array.of(1) }))
      line.send(encodeFrame({ message: MESSAGES.run | RESPONSE_BIT, status: 0, sequence: request.sequence, payload: Uint8Array.of(2) }))
      return { payload: [3] }
    })
    const connection = await openConnection(board, line.open, { clock: jumpingClock() })
    expect([...(await connection.request('info', new Uint8Array(0)))]).toEqual([3])
    expect(line.requests.length).toBe(1)
  })

  test('a cut line ends them', async () => {
    const line = scripted(() => null)
    const connection = await openConnection(board, line.open, { clock: jumpingClock() })
    line.cut()
    expect(await failureOf(connection.request('info', new Uint8Array(0)))).toMatchObject({ code: 'DEVICE_GONE' })
  })
})

describe('the greeting', () => {
  test('firmware of another protocol version is named, with the command that replaces it', async () => {
    const error = await failureOf(connectTo(() => ({ payload: helloAnswer({ version: 9 }) })))
    expect(error).toMatchObject({
      code: 'DEVICE_FIRMWARE',
      message: 'the firmware on host (memory) has protocol version 9, this spikeport needs 1.',
      note: 'Put the shipped firmware on the board: spikeport flash --board host --port memory',
    })
  })

  test('firmware that reads another flash format is named', async () => {
    expect(await failureOf(connectTo(() => ({ payload: helloAnswer({ format: 2 }) })))).toMatchObject({
      code: 'DEVICE_FIRMWARE',
      message: 'the firmware on host (memory) has flash format version 2, this spikeport needs 1.',
    })
  })

  test('another board than the one named is refused', async () => {
    expect(await failureOf(connectTo(() => ({ payload: helloAnswer({ id: 'microbit' }) })))).toMatchObject({
      code: 'DEVICE_WRONG_BOARD',
      message: 'the board on memory says it is microbit, not host.',
    })
  })

  test('a board that was restarted says so at the next request', async () => {
    const device = await connectTo((request) => (request.message === MESSAGES.hello ? { payload: helloAnswer() } : { status: STATUSES.noSession }))
    expect(await failureOf(device.selfTest())).toMatchObject({ code: 'DEVICE_RESET', message: 'host (memory) was reset while it was working.' })
  })
})

describe('a load', () => {
  test('of a network with an operator that the firmware lacks is refused before a byte is sent', async () => {
    const line = scripted(() => ({ payload: helloAnswer({ operators: 0x7fe & ~(1 << 2) }) }))
    const device = await connectDevice(board, line.open, { clock: jumpingClock() })
    const error = await failureOf(device.load(deviceFile(cnnNetwork(1))))
    expect(error).toMatchObject({ code: 'DEVICE_OPERATOR_MISSING', message: 'the firmware on host (memory) lacks the operator conv2d.' })
    expect(line.requests.length).toBe(1)
  })

  test('of a network that is too large for flash or RAM is refused with the numbers', async () => {
    const small = await connectTo(() => ({ payload: helloAnswer({ slotBytes: 5000 }) }))
    const file = deviceFile(cnnNetwork(1))
    expect(await failureOf(small.load(file))).toMatchObject({
      code: 'DOES_NOT_FIT',
      needed: file.length,
      available: 5000,
      message: `cnn needs ${file.length} bytes of flash, host has 5000, missing ${file.length - 5000}.`,
    })
    const narrow = await connectTo(() => ({ payload: helloAnswer({ arenaBytes: 100 }) }))
    expect(await failureOf(narrow.load(file))).toMatchObject({
      code: 'DOES_NOT_FIT',
      message: expect.stringMatching(/^cnn needs \d+ bytes of RAM, host has 100, missing \d+\.$/),
    })
  })

  test('that the board refuses says why', async () => {
    const device = await connectTo((request) => (request.message === MESSAGES.hello ? { payload: helloAnswer() } : { status: STATUSES.flashErase }))
    expect(await failureOf(device.load(deviceFile(operatorNetwork('relu', 1))))).toMatchObject({
      code: 'DEVICE_REFUSED',
      status: STATUSES.flashErase,
      message: 'host (memory) refused "loadBegin": the flash could not be erased (status 137).',
    })
  })

  test('that stalls is given up', async () => {
    const device = await connectTo((request) => {
      if (request.message === MESSAGES.hello) return { payload: helloAnswer() }
      return request.message === MESSAGES.loadBegin ? { payload: [0, 0, 0, 0, 0] } : null
    })
    expect(await failureOf(device.load(deviceFile(operatorNetwork('relu', 1))))).toMatchObject({ code: 'DEVICE_SILENT' })
  })
})

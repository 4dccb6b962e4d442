// What lies between a source and the page: frames cut anywhere, viewers of a live source that are too slow, a player, and modules free of Node.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { batchOf, type EventBatch, ledgerImbalance, rowsOf } from '#src/events/index.js'
import { answerOf, broadcast } from '#src/view/answer.js'
import { eventFrames, type Frame, framesOf, reportFrame } from '#src/view/frames.js'
import { createPlayer } from '#src/view/player.js'
import { liveSource } from '#src/view/source.js'

const geometry = { width: 64, height: 64 }
const rows = (from: number, count: number): [number, number, number, number][] =>
  Array.from({ length: count }, (_, i) => [from + i, i % 64, (3 * i) % 64, i & 1])
const batch = batchOf(rows(1e12, 70_000))

async function* each<T>(values: Iterable<T>): AsyncGenerator<T> {
  yield* values
}
const gather = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}
const eventsOf = (frames: readonly Frame[]): number[][] => frames.flatMap((frame) => (frame.kind === 'events' ? rowsOf(frame.events) : []))
const cut = (bytes: Uint8Array, size: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

describe('frames', () => {
  test('give the same events however the bytes are cut', async () => {
    const small = Buffer.concat([...eventFrames(batchOf(rows(5, 9)))])
    for (let size = 1; size < small.length; size++) expect(eventsOf(await gather(framesOf(each(cut(small, size)))))).toEqual(rows(5, 9))
    const large = Buffer.concat([...eventFrames(batch)])
    expect(eventsOf(await gather(framesOf(each(cut(large, 65_521)))))).toEqual(rowsOf(batch))
  })

  test('of other kinds, of impossible sizes and cut off are told', async () => {
    const frame = [...eventFrames(batchOf(rows(5, 2)))][0] as Uint8Array
    const changed = (at: number, value: number): Uint8Array => frame.map((byte, i) => (i === at ? value : byte))
    await expect(gather(framesOf(each([changed(0, 9)])))).rejects.toThrow('a frame of kind 9')
    await expect(gather(framesOf(each([changed(7, 255)])))).rejects.toThrow('a frame of kind 1 and')
    await expect(gather(framesOf(each([changed(8, 3)])))).rejects.toThrow('claims 3 events')
    await expect(gather(framesOf(each([frame.subarray(0, 20)])))).rejects.toThrow('it ends inside a frame, 20 bytes are left')
  })

  test('a failure of the source arrives as the last report', async () => {
    async function* failing(): AsyncGenerator<EventBatch> {
      yield batchOf(rows(0, 3))
      throw new Error('cable pulled')
    }
    const { batches, ledger } = await liveSource(failing(), { name: 'camera', format: 'edvs', geometry }).open()
    const frames = await gather(framesOf(answerOf({ batches, ledger })))
    expect(eventsOf(frames)).toEqual(rows(0, 3))
    expect(frames.at(-1)).toMatchObject({ kind: 'report', report: { isEnd: false, failure: 'Error: cable pulled' } })
    expect(reportFrame({ ledger, isEnd: true, failure: null }).length).toBeGreaterThan(8)
  })
})

describe('a live source', () => {
  test('drops what a slow viewer does not take, and counts it; others get all', async () => {
    const shown = broadcast(liveSource(each([0, 10, 20, 30].map((from) => batchOf(rows(from, 10)))), { name: 'camera', format: 'edvs', geometry }), {
      queueEvents: 20,
    })
    const slow = shown.open()
    const waiting = slow.batches[Symbol.asyncIterator]()
    const first = waiting.next() // it watches from now on, and then takes nothing until the source has ended
    await shown.run()
    const taken = [(await first).value as EventBatch, ...(await gather({ [Symbol.asyncIterator]: () => waiting }))]
    const count = taken.reduce((sum, part) => sum + part.count, 0)
    expect(slow.ledger).toMatchObject({ eventsIn: 40, eventsOut: count, droppedEvents: { viewerBusy: 40 - count } })
    expect(count).toBeLessThan(40)
    expect(ledgerImbalance(slow.ledger)).toBeNull()
  })

  test('is read once', async () => {
    const source = liveSource(each([]), { name: 'camera', format: 'edvs', geometry })
    await source.open()
    await expect(source.open()).rejects.toThrow('camera is live and was opened twice.')
  })
})

describe('the player', () => {
  const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

  test('gives each event out once, when its time has come', async () => {
    const player = createPlayer(each([batchOf(rows(100, 50)), batchOf(rows(150, 50))]))
    await turn()
    const seen: number[] = []
    const use = (events: EventBatch): boolean => {
      seen.push(...events.timeMicros)
      return true
    }
    player.advance(10, 1, use)
    expect(seen.at(-1)).toBe(110)
    player.advance(10, 4, use)
    expect(seen.at(-1)).toBe(150)
    player.advance(0, Number.POSITIVE_INFINITY, use)
    expect(seen).toEqual(rows(100, 100).map(([time]) => time))
    await turn()
    expect(player.isDone).toBe(true)
  })

  test('asks for no more than its queue holds', async () => {
    let given = 0
    async function* endless(): AsyncGenerator<EventBatch> {
      for (;;) {
        given += batch.count
        yield batch
      }
    }
    const player = createPlayer(endless())
    for (let k = 0; k < 20; k++) await turn()
    expect(given).toBeLessThan(2 ** 18 + 2 * batch.count)
    player.stop()
  })
})

test('the page and the wasm engine load nothing of Node', () => {
  const root = resolve(import.meta.dirname, '../../..')
  const seen = new Set<string>()
  const foreign = new Set<string>()
  const follow = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const [, isType, name = ''] of readFileSync(path, 'utf8').matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from '([^']+)'/gm)) {
      if (isType !== undefined) continue
      const target = name.startsWith('#') ? join(root, name.slice(1)) : name.startsWith('.') ? join(dirname(path), name) : null
      if (target === null) foreign.add(name)
      else follow(target.replace(/\.js$/, '.ts'))
    }
  }
  for (const entry of ['src/view/page/main.ts', 'runtimes/wasm/index.ts']) follow(join(root, entry))
  expect([...seen].every((path) => existsSync(path))).toBe(true)
  expect([...foreign]).toEqual(['fzstd'])
})

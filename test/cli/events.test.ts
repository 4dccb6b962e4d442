// spikeport events, run as a user runs it, on recordings made here.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProgram } from '#src/cli/main.js'
import { decodeRecording, FORMATS, rowsOf, triggersOf } from '#src/events/index.js'
import { restoreFeast } from '#src/features/index.js'
import { writeNpy } from '#src/formats/npy.js'
import { jsonLines, spikeport, temporaryFolder } from '../helpers/cli.js'
import { SENSOR, sweepingEdge } from '../unit/features/fixtures.js'

const EVENTS = sweepingEdge(3000)

/** A folder with hand.raw (EVT3, with two triggers) and hand.csv. */
const recordings = (): string => {
  const cwd = temporaryFolder()
  const encode = (format: 'evt3' | 'text', triggers: boolean): Uint8Array => {
    const encoder = FORMATS[format].createEncoder({ geometry: SENSOR })
    const extras = triggers
      ? {
          triggers: triggersOf([
            [2000, 0, 1],
            [9000, 0, 0],
          ]),
        }
      : {}
    return Buffer.concat([encoder.push(EVENTS, extras), encoder.end()])
  }
  writeFileSync(join(cwd, 'hand.raw'), encode('evt3', true))
  writeFileSync(join(cwd, 'hand.csv'), encode('text', false))
  return cwd
}

const read = (cwd: string, name: string) => decodeRecording(new Uint8Array(readFileSync(join(cwd, name))), { name }).events
const json = async (cwd: string, ...args: string[]): Promise<Record<string, unknown>> => {
  const result = await spikeport(['events', ...args, '--json'], { cwd })
  expect(result.status, result.stderr).toBe(0)
  return jsonLines(result)[0] as Record<string, unknown>
}

describe('spikeport events', () => {
  const events = createProgram().commands.find((command) => command.name() === 'events')
  test.each(events?.commands.map((command) => command.name()) ?? [])('%s --help explains itself with an example', async (name) => {
    const { status, stdout } = await spikeport(['events', name, '--help'])
    expect(status).toBe(0)
    expect(stdout).toContain(`$ spikeport events ${name}`)
    expect(stdout).toContain('--json')
  })

  test('info tells what is in a recording', async () => {
    expect(await json(recordings(), 'info', 'hand.raw')).toMatchObject({ format: 'evt3', geometry: SENSOR, events: 3000, firstMicros: EVENTS.timeMicros[0] })
  })

  test('convert keeps every event and trigger', async () => {
    const cwd = recordings()
    expect(await json(cwd, 'convert', 'hand.raw', '-o', 'hand.aedat4')).toMatchObject({ format: 'aedat4', losses: [] })
    expect(rowsOf(read(cwd, 'hand.aedat4'))).toEqual(rowsOf(EVENTS))
  })

  test('convert refuses to lose triggers, leaves nothing behind, and does it with --force', async () => {
    const cwd = recordings()
    const refused = await spikeport(['events', 'convert', 'hand.raw', '-o', 'lossy.csv'], { cwd })
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('error CONVERSION_LOSSY: lossy.csv was not written: text loses 2 triggers.')
    expect(readdirSync(cwd).sort()).toEqual(['hand.csv', 'hand.raw'])
    expect(await json(cwd, 'convert', 'hand.raw', '-o', 'lossy.csv', '--force')).toMatchObject({ losses: ['2 triggers'] })
    expect(rowsOf(read(cwd, 'lossy.csv'))).toEqual(rowsOf(EVENTS))
  })

  test('convert writes to stdout', async () => {
    const { stdout, status } = await spikeport(['events', 'convert', 'hand.csv', '-o', '-'], { cwd: recordings() })
    expect(status).toBe(0)
    expect(stdout.trim().split('\n').length).toBe(3001)
  })

  test('cut takes numbers of events and times since the first', async () => {
    const cwd = recordings()
    await json(cwd, 'cut', 'hand.raw', '--from', '10', '--to', '25', '-o', 'a.raw')
    expect(rowsOf(read(cwd, 'a.raw'))).toEqual(rowsOf(EVENTS).slice(10, 25))
    await json(cwd, 'cut', 'hand.csv', '--from', '1ms', '--to', '0.05s', '-o', 'b.csv')
    const first = EVENTS.timeMicros[0] as number
    expect(rowsOf(read(cwd, 'b.csv'))).toEqual(rowsOf(EVENTS).filter(([time]) => time - first >= 1000 && time - first < 50_000))
  })

  test('filter chains filters and keeps a ledger of each', async () => {
    const cwd = recordings()
    const { ledgers } = await json(cwd, 'filter', 'hand.raw', 'hot-pixel', 'background:duration=2ms', 'crop:width=20,height=20', '-o', 'c.raw')
    expect((ledgers as { name: string }[]).map(({ name }) => name)).toEqual(['read', 'mask', 'background activity', 'crop', 'written'])
    expect(Math.max(...read(cwd, 'c.raw').x)).toBeLessThan(20)
  })

  test('features learns, goes on and shows', async () => {
    const cwd = recordings()
    await json(cwd, 'features', 'hand.raw', '--count', '4', '--arithmetic', 'fixed', '-o', 'a.feast')
    expect(await json(cwd, 'features', 'hand.csv', '--from', 'a.feast', '-o', 'b.feast')).toMatchObject({ settings: { featureCount: 4, arithmetic: 'fixed' } })
    expect(restoreFeast(new Uint8Array(readFileSync(join(cwd, 'b.feast')))).settings.geometry).toEqual(SENSOR)
    await json(cwd, 'features', 'show', 'b.feast', '-o', 'b.png')
    expect(existsSync(join(cwd, 'b.png'))).toBe(true)
    expect((await spikeport(['events', 'features', 'show', 'b.feast'], { cwd })).stdout).toContain('@@')
  })

  test.each([
    [['info', 'none.raw'], 1, 'FILE_UNREADABLE'],
    [['cut', 'hand.raw', '-o', 'x.raw'], 2, 'there is nothing to cut'],
    [['cut', 'hand.raw', '--from', '10m', '-o', 'x.raw'], 2, 'a duration with a unit'],
    [['convert', 'hand.raw', '-o', 'x.unknown'], 2, 'does not tell the format to write'],
    [['filter', 'hand.raw', 'blur', '-o', 'x.raw'], 2, 'there is no filter "blur"'],
    [['filter', 'hand.raw', 'rate:period=3', '-o', 'x.raw'], 2, 'rate:period=3 is not a duration with a unit'],
    [['features', 'show', 'hand.raw'], 1, 'this is not a .feast file'],
  ])('%j ends with %i', async (args, code, message) => {
    const { status, stderr } = await spikeport(['events', ...args], { cwd: recordings() })
    expect(status).toBe(code)
    expect(stderr).toContain(message)
  })
})

describe('events that are made', () => {
  const wave = (): string => {
    const cwd = temporaryFolder()
    const rows = Array.from({ length: 200 }, (_, i) => `${i / 1000},${Math.sin(i / 5)},0`)
    writeFileSync(join(cwd, 'motor.csv'), `t,x,y\n${rows.join('\n')}\n`)
    return cwd
  }

  test.each(['delta', 'adaptive'])('encode --method %s makes a recording with a balanced ledger', async (method) => {
    const cwd = wave()
    const result = await json(cwd, 'encode', 'motor.csv', '--time-column', 't', '--method', method, '--threshold', '0.1', '-o', 'motor.es')
    expect(result).toMatchObject({ format: 'es', geometry: { width: 2, height: 1 }, losses: [] })
    const events = read(cwd, 'motor.es')
    expect(events.count).toBeGreaterThan(50)
    expect(events.x.every((x) => x === 0)).toBe(true)
  })

  test('encode refuses NaN with its place, a missing rate and a missing threshold, and leaves nothing behind', async () => {
    const cwd = wave()
    writeFileSync(join(cwd, 'bad.csv'), '1,2\n3,nan\n')
    const run = async (...args: string[]) => (await spikeport(['events', 'encode', ...args, '-o', 'x.es'], { cwd })).stderr
    expect(await run('bad.csv', '--rate', '10', '--threshold', '1')).toContain('bad.csv: line 2, column 2: "nan" is no finite number.')
    expect(await run('motor.csv', '--threshold', '1')).toContain('Pass the rate (--rate 1000) or the column (--time-column t).')
    expect(await run('motor.csv')).toContain('--threshold')
    expect(readdirSync(cwd).sort()).toEqual(['bad.csv', 'motor.csv'])
  })

  test('simulate: the same seed gives the same bytes; frames come from .npy', async () => {
    const cwd = temporaryFolder()
    const shape = ['--shape', 'disc', '--speed', '200', '--duration', '100ms', '--width', '32', '--height', '16', '--noise', '5', '--mismatch', '0.1']
    for (const [name, seed] of Object.entries({ a: '1', b: '1', c: '2' })) await json(cwd, 'simulate', ...shape, '--seed', seed, '-o', `${name}.es`)
    const [a, b, c] = ['a', 'b', 'c'].map((name) => readFileSync(join(cwd, `${name}.es`)))
    expect(a?.equals(b as Buffer)).toBe(true)
    expect(a?.equals(c as Buffer)).toBe(false)
    writeFileSync(join(cwd, 'video.npy'), writeNpy([2, 1, 2], Uint8Array.of(51, 51, 255, 51)))
    expect(await json(cwd, 'simulate', '--frames', 'video.npy', '--fps', '100', '-o', 'video.csv')).toMatchObject({ geometry: { width: 2, height: 1 } })
    expect(read(cwd, 'video.csv').count).toBe(8)
    const refused = await spikeport(['events', 'simulate', '-o', 'x.es'], { cwd })
    expect(refused.stderr).toContain('Pass --shape bar, or --frames video.npy --fps 30.')
  })
})

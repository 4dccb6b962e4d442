// spikeport tune, run as a user runs it: what it writes, that it goes on to the same bytes after Ctrl-C and kill -9, and every mistake with one clear message.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeNpy } from '#src/formats/npy.js'
import { loadNetwork, saveNetwork } from '#src/network/net-file.js'
import type { Network } from '#src/network/types.js'
import { mnist } from '#src/train/mnist.js'
import { type CliResult, jsonLines, ROOT, spikeport, temporaryFolder } from '../helpers/cli.js'
import { networkBuilder } from '../helpers/networks.js'

const MODEL = join(ROOT, 'models/mnist-mlp/int8.net')

const load = (path: string): Network => loadNetwork(readFileSync(path), path)

/** Everything but the elements of constants and the metadata. */
const outline = ({ metadata: _, ...network }: Network): unknown =>
  JSON.parse(JSON.stringify(network, (_, x: unknown) => (ArrayBuffer.isView(x) ? x.constructor.name : x)))

/** Writes the first training images and labels of MNIST. */
const writeSamples = async (folder: string, count: number): Promise<void> => {
  const { train } = await mnist()
  writeFileSync(join(folder, 'x.npy'), writeNpy([count, 28, 28], (train.images as Uint8Array).slice(0, count * 784)))
  writeFileSync(join(folder, 'y.npy'), writeNpy([count], train.labels.slice(0, count)))
}

/** A run that takes a few seconds, on 2,000 images. */
const LONG = ['tune', 'mnist-mlp', '--data', 'mnist', '--limit', '2000', '--turn', '35', '--steps', '50', '--validate-every', '7', '--json']

/** Runs LONG and sends a signal once there is a checkpoint. */
const stoppedBy = (cwd: string, signal: NodeJS.Signals, output: string): Promise<CliResult> =>
  spikeport([...LONG, '-o', output], {
    cwd,
    onStart: (kill) => {
      const timer = setInterval(() => {
        if (!existsSync(join(cwd, `${output}.checkpoint`))) return
        clearInterval(timer)
        kill(signal)
      }, 5)
    },
  })

describe('tune', () => {
  test('changes constants only, reports figures, and writes a page with curves', async () => {
    const cwd = temporaryFolder()
    await writeSamples(cwd, 400)
    const args = ['--data', 'x.npy', '--labels', 'y.npy', '--turn', '30', '--test', 'mnist', '--steps', '6', '--batch', '64', '--report', 'out.html', '--json']
    const result = await spikeport(['tune', 'mnist-mlp', ...args, '-o', 'tuned.net'], { cwd })
    expect(result.status, result.stderr).toBe(0)
    const [summary] = jsonLines(result)
    expect(summary).toMatchObject({
      method: 'units',
      steps: 6,
      samples: 360,
      parameters: 118282,
      stopped: 'steps',
      validation: { samples: 40 },
      test: { samples: 10000 },
    })
    expect(result.stderr).toBe('')
    const tuned = load(join(cwd, 'tuned.net'))
    expect(outline(tuned)).toEqual(outline(load(MODEL)))
    expect(tuned.nodes).not.toEqual(load(MODEL).nodes)
    expect(tuned.metadata['tuned']).toContain('units, cross-entropy, 6 of 6 steps, batch 64, seed 1, weights,bias of all layers, 360 samples, step ')
    const page = readFileSync(join(cwd, 'out.html'), 'utf8')
    expect(page.match(/<svg/g)?.length).toBe(4)
    expect(page).not.toMatch(/<script|https?:|src=/)
    expect(readdirSync(cwd).sort()).toEqual(['out.html', 'tuned.net', 'x.npy', 'y.npy'])
  })

  test('without --json: a line a validation on stderr, a table on stdout', async () => {
    const cwd = temporaryFolder()
    await writeSamples(cwd, 200)
    const result = await spikeport(['tune', 'mnist-mlp', '--data', 'x.npy', '--labels', 'y.npy', '--steps', '4', '--validate-every', '2', '-o', 'tuned.net'], {
      cwd,
    })
    expect(result.status, result.stderr).toBe(0)
    expect(result.stderr).toMatch(/step 0\/4: validation [\d.]+ %\nstep 2\/4: validation [\d.]+ %, loss [\d.]+, .* weight costs\/s, .* left/)
    expect(result.stdout).toMatch(/validation +[\d.]+ % -> [\d.]+ % \(last step [\d.]+ %\) of 20 samples/)
    expect(result.stdout).toContain('tuned.net: mnist-mlp, tuned')
  })

  test.each(['polystep', 'es', 'spsa', 'sep-cma', 'coordinate', 'random', 'eggroll'])(
    '--method %s runs by full passes, the same bytes each time',
    async (method) => {
      const cwd = temporaryFolder()
      await writeSamples(cwd, 60)
      const args = [
        '--data',
        'x.npy',
        '--labels',
        'y.npy',
        '--method',
        method,
        '--steps',
        '2',
        '--batch',
        '32',
        '--layers',
        'scores',
        '--validation',
        '0',
        '--json',
      ]
      for (const output of ['a.net', 'b.net']) {
        const result = await spikeport(['tune', 'mnist-mlp', ...args, '-o', output], { cwd })
        expect(result.status, result.stderr).toBe(0)
        expect(jsonLines(result)[0]).toMatchObject({ method, steps: 2, validation: null, unitEvaluations: null, parameters: 1290 })
      }
      expect(readFileSync(join(cwd, 'a.net'))).toEqual(readFileSync(join(cwd, 'b.net')))
      const [before, after] = [load(MODEL), load(join(cwd, 'a.net'))]
      expect(after.nodes.slice(0, 3)).toEqual(before.nodes.slice(0, 3))
    },
  )

  test('--seconds ends the run early, and leaves nothing beside the output', async () => {
    const cwd = temporaryFolder()
    await writeSamples(cwd, 100)
    const result = await spikeport(
      ['tune', 'mnist-mlp', '--data', 'x.npy', '--labels', 'y.npy', '--steps', '1000000', '--seconds', '0.2', '--json', '-o', 'a.net'],
      { cwd },
    )
    expect(result.status, result.stderr).toBe(0)
    expect(jsonLines(result)[0]).toMatchObject({ stopped: 'seconds' })
    expect(readdirSync(cwd).sort()).toEqual(['a.net', 'x.npy', 'y.npy'])
  })
})

describe('a run that is stopped', () => {
  test('keeps the best so far after Ctrl-C, and goes on to the bytes of one that was not, also after kill -9', async () => {
    const cwd = temporaryFolder()
    const whole = await spikeport([...LONG, '-o', 'whole.net'], { cwd })
    expect(whole.status, whole.stderr).toBe(0)
    const interrupted = await stoppedBy(cwd, 'SIGINT', 'a.net')
    expect(interrupted.status, interrupted.stderr).toBe(130)
    expect(interrupted.stderr).toContain('a.net holds the best so far')
    const [summary] = jsonLines(interrupted)
    expect(summary).toMatchObject({ stopped: 'interrupted', test: null })
    expect(summary?.['steps']).toBeLessThan(50)
    expect(outline(load(join(cwd, 'a.net')))).toEqual(outline(load(MODEL)))
    const again = await spikeport([...LONG, '-o', 'a.net'], { cwd })
    expect(again.status).toBe(2)
    expect(again.stderr).toContain('a.net.checkpoint holds an unfinished run.')
    expect((await stoppedBy(cwd, 'SIGKILL', 'b.net')).status).toBe(null)
    for (const output of ['a.net', 'b.net']) {
      const resumed = await spikeport([...LONG, '--resume', '-o', output], { cwd })
      expect(resumed.status, resumed.stderr).toBe(0)
      expect(readFileSync(join(cwd, output)).equals(readFileSync(join(cwd, 'whole.net')))).toBe(true)
      const [last] = jsonLines(resumed)
      for (const key of ['validation', 'keptStep', 'lossFirst', 'lossLast', 'probes', 'unitEvaluations'])
        expect(last?.[key]).toEqual(jsonLines(whole)[0]?.[key])
    }
    expect(readdirSync(cwd).sort()).toEqual(['a.net', 'b.net', 'whole.net'])
  })

  test('does not go on with other settings, or from damaged bytes', async () => {
    const cwd = temporaryFolder()
    expect((await stoppedBy(cwd, 'SIGKILL', 'a.net')).status).toBe(null)
    const other = await spikeport([...LONG, '--resume', '--seed', '2', '-o', 'a.net'], { cwd })
    expect(other.status).toBe(2)
    expect(other.stderr).toContain('a.net.checkpoint is of a run with other settings: --seed was 1, now it is 2.')
    const path = join(cwd, 'a.net.checkpoint')
    const bytes = readFileSync(path)
    bytes[bytes.length - 3] = (bytes[bytes.length - 3] as number) ^ 1
    writeFileSync(path, bytes)
    const damaged = await spikeport([...LONG, '--resume', '-o', 'a.net'], { cwd })
    expect(damaged.status).toBe(1)
    expect(damaged.stderr).toContain('a.net.checkpoint at byte 12: the checksum does not match')
  })
})

/** Samples with one fault each, for mistakes. */
const writeMistakes = (cwd: string): void => {
  const images = new Float32Array(5 * 784).fill(0.5)
  writeFileSync(join(cwd, 'x.npy'), writeNpy([5, 784], images))
  images[2 * 784 + 7] = Number.NaN
  writeFileSync(join(cwd, 'nan.npy'), writeNpy([5, 784], images))
  writeFileSync(join(cwd, 'y.npy'), writeNpy([5], Int32Array.of(0, 1, 2, 3, 4)))
  writeFileSync(join(cwd, 'four.npy'), writeNpy([4], Int32Array.of(0, 1, 2, 3)))
  writeFileSync(join(cwd, 'six.npy'), writeNpy([6], new Int32Array(6)))
  writeFileSync(join(cwd, 'eleven.npy'), writeNpy([5], Int32Array.of(0, 1, 2, 3, 10)))
  const b = networkBuilder('plain', 1)
  const x = b.input([784])
  writeFileSync(join(cwd, 'flat.net'), saveNetwork(b.build([x])))
}

const LABELLED = ['--data', 'x.npy', '--labels', 'y.npy']

const MISTAKES: readonly (readonly [string, readonly string[], number, string])[] = [
  ['a float network', [join(ROOT, 'models/mnist-mlp/checkpoint/model.json'), ...LABELLED], 2, 'is a float network.'],
  ['no labels', ['mnist-mlp', '--data', 'x.npy'], 2, 'x.npy has no labels.'],
  ['too few labels', ['mnist-mlp', '--data', 'x.npy', '--labels', 'four.npy'], 1, 'four.npy has 4 labels, x.npy has 5 samples.'],
  ['too many labels', ['mnist-mlp', '--data', 'x.npy', '--labels', 'six.npy'], 1, 'six.npy has 6 labels, x.npy has 5 samples.'],
  ['a label that is no class', ['mnist-mlp', '--data', 'x.npy', '--labels', 'eleven.npy'], 1, 'sample 4 of x.npy has label 10, "mnist-mlp" has 10 classes.'],
  ['data that is not finite', ['mnist-mlp', '--data', 'nan.npy', '--labels', 'y.npy'], 1, 'value 7 of sample 2 in nan.npy is NaN, not a finite number.'],
  ['an unknown layer', ['mnist-mlp', ...LABELLED, '--layers', 'dense1,dense9'], 2, 'Layers that can be tuned: dense1, dense2, scores.'],
  ['constants that cannot be tuned', ['mnist-mlp', ...LABELLED, '--parameters', 'thresholds'], 2, '"thresholds" cannot be tuned.'],
  ['a network without weights', ['flat.net', ...LABELLED], 2, '"plain" has nothing to tune.'],
  ['no steps', ['mnist-mlp', ...LABELLED, '--steps', '0'], 2, 'a whole number from 1 is needed.'],
  ['no time', ['mnist-mlp', ...LABELLED, '--seconds', '0'], 2, 'a number above 0 is needed.'],
  ['all for validation', ['mnist-mlp', ...LABELLED, '--validation', '1'], 2, 'up to, but not including, 1'],
  ['nothing for validation', ['mnist-mlp', ...LABELLED, '--validation', '0.01'], 1, '0.01 of 5 samples for validation leaves 0 to choose by and 5 to tune on.'],
  ['an unknown method', ['mnist-mlp', ...LABELLED, '--method', 'adam'], 2, 'Allowed choices are units, polystep'],
  ['nothing to resume', ['mnist-mlp', ...LABELLED, '--resume'], 2, 'there is no unfinished run: tuned.net.checkpoint is missing.'],
  ['test labels without test samples', ['mnist-mlp', ...LABELLED, '--test-labels', 'y.npy'], 2, '--test-labels is given, --test is not.'],
  ['levels beyond int8', ['mnist-mlp', ...LABELLED, '--largest-level', '128'], 2, 'a whole number from 1 to 127 is needed.'],
]

describe('mistakes', () => {
  test.each(MISTAKES)('%s', async (_, args, expected, message) => {
    const cwd = temporaryFolder()
    writeMistakes(cwd)
    const files = readdirSync(cwd)
    const { status, stderr, stdout } = await spikeport(['tune', ...args, '-o', 'tuned.net'], { cwd })
    expect(stderr).toContain(message)
    expect(status).toBe(expected)
    expect(stderr + stdout).not.toMatch(/^\s+at .*:\d+:\d+/m)
    expect(readdirSync(cwd)).toEqual(files)
  })

  test('the network itself as output', async () => {
    const cwd = temporaryFolder()
    writeMistakes(cwd)
    const { status, stderr } = await spikeport(['tune', 'flat.net', ...LABELLED, '-o', './flat.net'], { cwd })
    expect(status).toBe(2)
    expect(stderr).toContain('would replace the network that is tuned.')
  })

  test('an output folder that does not exist shows at the first step', async () => {
    const cwd = temporaryFolder()
    writeMistakes(cwd)
    const { status, stderr } = await spikeport(['tune', 'mnist-mlp', ...LABELLED, '--validation', '0', '-o', '/no/such/folder/x.net'], { cwd })
    expect(status).toBe(1)
    expect(stderr).toContain('cannot write /no/such/folder/x.net.checkpoint')
  })
})

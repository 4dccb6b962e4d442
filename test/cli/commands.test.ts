// The command line program, run as a user runs it: the way from a model to exports, and every mistake with one clear message.

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createProgram } from '#src/cli/main.js'
import { writeNpy } from '#src/formats/npy.js'
import { jsonLines, ROOT, spikeport, temporaryFolder } from '../helpers/cli.js'

const MODEL = join(ROOT, 'models/mnist-mlp/checkpoint/model.json')

describe('help', () => {
  test.each(createProgram().commands.map((command) => command.name()))('%s --help explains itself with an example', async (name) => {
    const { status, stdout } = await spikeport([name, '--help'])
    expect(status).toBe(0)
    expect(stdout).toContain('Example:')
    expect(stdout).toContain('--json')
    expect(stdout).toContain(`$ spikeport ${name}`)
  })

  test('--version prints the version of package.json', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect((await spikeport(['--version'])).stdout.trim()).toBe(version)
  })
})

describe('from a model to exports', () => {
  test('import, quantize, plan, check, export, inspect, run', async () => {
    const cwd = temporaryFolder()
    const json = async (...args: string[]) => {
      const result = await spikeport([...args, '--json'], { cwd })
      expect(result.status, result.stderr).toBe(0)
      return jsonLines(result)
    }
    expect((await json('import', MODEL, '-o', 'a.net'))[0]).toMatchObject({ output: 'a.net', macs: 784 * 128 + 128 * 128 + 128 * 10 })
    const [quantized] = await json('quantize', 'a.net', '--calibrate', 'mnist', '--samples', '64', '-o', 'a.int8.net')
    const layers = (quantized as { layers: { signalToNoiseDb: number }[] }).layers
    expect(layers.every(({ signalToNoiseDb }) => signalToNoiseDb > 15)).toBe(true)
    const [plan] = await json('plan', 'a.int8.net')
    expect(plan?.['arenaBytes']).toBeLessThanOrEqual(plan?.['idealBytes'] as number)
    const engines = await json('check', 'a.int8.net', '--on', 'reference,wasm,onnx', '--limit', '30')
    expect(engines.map(({ engine, differing, samples }) => [engine, differing, samples])).toEqual([
      ['reference', 0, 30],
      ['wasm', 0, 30],
      ['onnx', 0, 30],
    ])
    for (const [format, file] of [
      ['onnx', 'a.onnx'],
      ['eventnet', 'a.evn'],
    ] as const) {
      const [exported] = await json('export', 'a.int8.net', '--format', format, '-o', file)
      expect(exported?.['bytes']).toBe(readFileSync(join(cwd, file)).length)
      expect((await json('inspect', file)).length).toBe(1)
    }
    const [result] = await json('run', 'a.int8.net', '--data', 'mnist', '--limit', '500')
    expect(result?.['samples']).toBe(500)
    expect(result?.['accuracy']).toBeGreaterThan(0.95)
    expect(readdirSync(cwd).sort()).toEqual(['a.evn', 'a.int8.net', 'a.net', 'a.onnx'])
  })

  test('run writes scores as .npy, and reads .npy samples with labels', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'x.npy'), writeNpy([3, 784], new Float32Array(3 * 784).fill(0.5)))
    writeFileSync(join(cwd, 'y.npy'), writeNpy([3], Int32Array.of(1, 2, 3)))
    const result = await spikeport(['run', 'mnist-mlp', '--data', 'x.npy', '--labels', 'y.npy', '-o', 'scores.npy', '--json'], { cwd })
    expect(result.status, result.stderr).toBe(0)
    expect(jsonLines(result)[0]).toMatchObject({ samples: 3 })
    expect(readFileSync(join(cwd, 'scores.npy')).length).toBe(128 + 30)
  })

  test('-o - writes to stdout and nothing else', async () => {
    const { status, stdout } = await spikeport(['export', 'mnist-mlp', '--format', 'eventnet', '-o', '-'])
    expect(status).toBe(0)
    expect(stdout.length).toBeGreaterThan(1000)
  })
})

const MISTAKES: readonly (readonly [string, readonly string[], number, string])[] = [
  ['no such command', ['fly'], 2, "unknown command 'fly'"],
  ['a missing argument', ['plan'], 2, "missing required argument 'network'"],
  ['a missing option', ['import', 'model.json'], 2, "required option '-o, --output <file>' not specified"],
  ['no such file', ['plan', 'nothing.net'], 1, 'cannot read nothing.net'],
  ['a float network to plan', ['plan', MODEL], 2, 'is a float network'],
  ['an integer network to quantize', ['quantize', 'mnist-mlp', '--calibrate', 'mnist', '-o', 'x.net'], 2, 'is quantized already'],
  ['an unknown engine', ['check', 'mnist-mlp', '--on', 'gpu'], 2, 'unknown engine "gpu"'],
  ['an unknown format', ['export', 'mnist-mlp', '--format', 'coreml', '-o', 'x'], 2, 'unknown format "coreml"'],
  ['an unknown setting', ['export', 'mnist-mlp', '--format', 'onnx', '--set', 'speed=11', '-o', 'x'], 2, 'speed'],
  ['an unknown recipe', ['train', 'mnist-transformer', '-o', 'x'], 2, 'there is no recipe "mnist-transformer"'],
  ['an unknown list', ['list', 'secrets'], 2, 'there is no list of "secrets"'],
  ['a count that is none', ['check', 'mnist-mlp', '--limit', 'many'], 2, 'a whole number from 1 is needed'],
  ['more samples than memory takes', ['check', 'mnist-mlp', '--limit', '1000000000'], 2, 'are too many at once'],
  ['data of another shape', ['run', 'mnist-mlp', '--data', join(ROOT, 'package.json')], 1, 'not an idx file'],
  ['a data set that is unknown', ['run', 'mnist-mlp', '--data', 'imagenet'], 1, 'the known data sets are mnist, fashion-mnist'],
  ['a full disk', ['export', 'mnist-mlp', '--format', 'onnx', '-o', '/dev/full'], 1, 'cannot write /dev/full: ENOSPC'],
  [
    'an output folder that does not exist',
    ['export', 'mnist-mlp', '--format', 'onnx', '-o', '/no/such/folder/x.onnx'],
    1,
    'cannot write /no/such/folder/x.onnx',
  ],
]

describe('mistakes', () => {
  test.each(MISTAKES)('%s', async (_, args, expected, message) => {
    const cwd = temporaryFolder()
    const { status, stderr, stdout } = await spikeport(args, { cwd })
    expect(stderr).toContain(message)
    expect(status).toBe(expected)
    expect(stderr + stdout).not.toMatch(/^\s+at .*:\d+:\d+/m)
    expect(readdirSync(cwd)).toEqual([])
  })

  test('--json gives the error as JSON on stderr', async () => {
    const { stderr, stdout } = await spikeport(['plan', 'nothing.net', '--json'])
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'FILE_UNREADABLE' } })
    expect(stdout).toBe('')
  })

  test.each([
    ['no samples', 0, Int32Array.of(), 'x.npy holds no samples'],
    ['a label beyond the classes', 2, Int32Array.of(3, 10), 'y.npy: label 1 is 10, the network has 10 classes'],
    ['a label that is no number', 1, Float32Array.of(Number.NaN), 'y.npy: label 0 is NaN'],
  ])('run: %s', async (_, samples, labels, message) => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'x.npy'), writeNpy([samples, 784], new Float32Array(samples * 784)))
    writeFileSync(join(cwd, 'y.npy'), writeNpy([labels.length], labels))
    const { status, stderr } = await spikeport(['run', 'mnist-mlp', '--data', 'x.npy', '--labels', 'y.npy'], { cwd })
    expect(stderr).toContain(message)
    expect(status).toBe(1)
  })

  test('a damaged .net names the file and the byte', async () => {
    const cwd = temporaryFolder()
    const bytes = readFileSync(join(ROOT, 'models/mnist-mlp/int8.net'))
    writeFileSync(join(cwd, 'cut.net'), bytes.subarray(0, bytes.length - 1))
    const { status, stderr } = await spikeport(['plan', 'cut.net'], { cwd })
    expect(status).toBe(1)
    expect(stderr).toContain('error FILE_MALFORMED: cut.net at byte 8')
    expect(stderr).toContain('note:')
  })
})

test('Ctrl-C ends a command that keeps nothing at once', async () => {
  const args = ['run', 'mnist-cnn', '--data', 'mnist:train', '--on', 'reference']
  const { status, stdout } = await spikeport(args, { onStart: (kill) => setTimeout(() => kill('SIGINT'), 1500) })
  expect(status).not.toBe(0)
  expect(stdout).toBe('')
})

describe('doctor and list', () => {
  test('doctor finds what the main job needs', async () => {
    const result = await spikeport(['doctor', '--json'])
    const findings = jsonLines(result)
    expect(findings.filter(({ isNeeded, found }) => isNeeded === true && found === null)).toEqual([])
    expect(result.status).toBe(0)
  })

  test.each(['models', 'operators', 'formats', 'engines', 'schemes'])('list %s', async (what) => {
    const result = await spikeport(['list', what, '--json'])
    expect(jsonLines(result).every(({ name }) => typeof name === 'string')).toBe(true)
    expect(jsonLines(result).length).toBeGreaterThan(0)
  })
})

describe('train', () => {
  test('Ctrl-C keeps the best checkpoint, --resume goes on', async () => {
    const cwd = temporaryFolder()
    const recipe = join(cwd, 'tiny.mjs')
    writeFileSync(
      recipe,
      `const count = 512
const data = () => {
  const images = Float32Array.from({ length: count * 16 }, (_, i) => (Math.floor(i / 16) % 2 === (i % 2) ? 1 : 0))
  const set = { name: 'stripes', classes: ['a', 'b'], shape: [16], count, images, valueScale: 1, labels: Int32Array.from({ length: count }, (_, i) => i % 2) }
  return { train: set, validation: set, test: set }
}
export const recipe = {
  name: 'tiny', description: 'stripes', seed: 1,
  data: async () => data(),
  model: (tf, seed) => tf.sequential({ layers: [tf.layers.dense({ inputShape: [16], units: 2, activation: 'softmax', kernelInitializer: tf.initializers.glorotUniform({ seed }) })] }),
  schedule: { epochs: 100000, batchSize: 64, learningRate: { kind: 'constant', peak: 0.01 } },
}`,
    )
    const stopped = await spikeport(['train', recipe, '-o', 'out', '--json'], {
      cwd,
      onStart: (kill) => {
        const timer = setInterval(() => {
          if (!existsSync(join(cwd, 'out/model.json'))) return
          clearInterval(timer)
          kill('SIGINT')
        }, 20)
      },
    })
    expect(stopped.status, stopped.stderr).toBe(130)
    const [report] = jsonLines(stopped)
    expect(report?.['stopped']).toBe('interrupted')
    const imported = await spikeport(['import', 'out/model.json', '-o', 'tiny.net', '--json'], { cwd })
    expect(imported.status, imported.stderr).toBe(0)
    const state = join(cwd, 'out/resume.bin')
    const saved = statSync(state).mtimeMs
    const resumed = await spikeport(['train', recipe, '-o', 'out', '--resume', '--json'], {
      cwd,
      onStart: (kill) => {
        const timer = setInterval(() => {
          if (statSync(state, { throwIfNoEntry: false })?.mtimeMs === saved) return
          clearInterval(timer)
          kill('SIGINT')
        }, 20)
      },
    })
    expect(resumed.status, resumed.stderr).toBe(130)
    const epochsOf = (result: Record<string, unknown> | undefined): number => (result as { history: unknown[] }).history.length
    expect(epochsOf(jsonLines(resumed)[0])).toBeGreaterThan(epochsOf(report))
  })
})

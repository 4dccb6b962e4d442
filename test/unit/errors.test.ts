// Every error the library raises: its text, reviewed as a whole in test/vectors/errors.txt, and the rules all of them keep.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import * as errors from '#src/errors.js'
import { SpikeportError } from '#src/errors.js'

const place = { board: 'rpi-pico', port: '/dev/ttyACM0' }
const cause = new Error('ENOSPC: no space left on device, write')

/** One call of every factory. */
const SAMPLES: Readonly<Record<string, () => SpikeportError>> = {
  accumulatorOverflow: () => errors.accumulatorOverflow('conv1', 3, 4294967296),
  backendUnavailable: () => errors.backendUnavailable(cause),
  garbledCamera: () => errors.garbledCamera('/dev/ttyUSB0', 300, 12_000_000),
  silentCamera: () => errors.silentCamera('/dev/ttyUSB0', 2000),
  lossyConversion: () => errors.lossyConversion('hand.bin', 'nmnist', '12 triggers, 3 events (timeGap)'),
  missingData: () => errors.missingData('fashion-mnist', 'data/train-images-idx3-ubyte'),
  malformedAnswer: () => errors.malformedAnswer('hello', 3),
  busyPort: () => errors.busyPort(place, cause),
  failedEmulator: () => errors.failedEmulator(place, 'it ended with exit code 1'),
  wrongFirmware: () => errors.wrongFirmware(place, 'protocol version', 1, 2),
  garbledLine: () => errors.garbledLine(place, 300, 9600),
  vanishedPort: () => errors.vanishedPort(place),
  missingPort: () => errors.missingPort(place),
  missingTransport: () => errors.missingTransport('microbit', 'has no port', 'Use --emulate.'),
  missingOperator: () => errors.missingOperator(place, ['softmax']),
  forbiddenPort: () => errors.forbiddenPort(place, 'dialout', cause),
  failedPort: () => errors.failedPort(place, cause),
  refusedByDevice: () => errors.refusedByDevice(place, 'run', 142, 'the inputs were not written completely'),
  resetDevice: () => errors.resetDevice(place),
  silentDevice: () => errors.silentDevice(place, 'hello', 999.6),
  wrongBoard: () => errors.wrongBoard(place, 'microbit'),
  engineMemory: () => errors.engineMemory('digits', 3_000_000_000, 2_000_000_000),
  doesNotFit: () => errors.doesNotFit('gestures', 'stm32f103', 'RAM', 71680, 20480, 'The largest buffer is conv2d_1 (24576 bytes).'),
  engineUnavailable: () => errors.engineUnavailable('onnx', 'onnxruntime-node', cause),
  malformedFile: () => errors.malformedFile('digits.net', 12, 'the checksum does not match'),
  unreadableFile: () => errors.unreadableFile('digits.net', cause),
  unwritableFile: () => errors.unwritableFile('digits.net', cause),
  inputMismatch: () => errors.inputMismatch('the calibration data is empty.', 'Pass at least one sample.'),
  interrupted: () => errors.interrupted('the demo was stopped.', 'The best checkpoint is kept.'),
  invalidNetwork: () => errors.invalidNetwork('dense "scores"', 'weights are missing'),
  objectiveFailed: () => errors.objectiveFailed('reward', 7, 3, cause),
  failedTool: () => errors.failedTool('openocd', 'exit code 1', cause),
  missingTool: () => errors.missingTool('openocd', 'flash the board', 'apt-get install openocd'),
  unsupported: () => errors.unsupported('layer "lstm" (LSTM) is not supported.', 'Use dense or convolution layers.'),
  usage: () => errors.usage('--limit 0 makes no sense.', 'Pass at least 1.'),
}

const HELPERS = ['systemReason']
const factories = Object.entries(errors).filter(([name, value]) => typeof value === 'function' && !/^[A-Z]/.test(name) && !HELPERS.includes(name))

describe('errors', () => {
  test('every factory has a sample here', () => expect(factories.map(([name]) => name).sort()).toEqual(Object.keys(SAMPLES).sort()))

  test('their texts are the reviewed ones', async () => {
    const text = Object.entries(SAMPLES).map(([name, make]) => {
      const { code, message, note } = make()
      return `${name}\n  error ${code}: ${message}\n    note: ${note}\n`
    })
    await expect(text.join('\n')).toMatchFileSnapshot('../vectors/errors.txt')
  })

  test.each(Object.entries(SAMPLES))('%s: a code, a sentence, a remedy', (_, make) => {
    const error = make()
    expect(error).toBeInstanceOf(SpikeportError)
    expect(error.code).toMatch(/^[A-Z][A-Z_]+$/)
    expect(error.message).toMatch(/\.$/)
    expect(error.message).not.toMatch(/undefined|NaN|\[object/)
    expect(error.note).toMatch(/\S/)
  })

  test('factories stand in the order of their codes', () => {
    const codes = [...readFileSync(resolve(import.meta.dirname, '../../src/errors.ts'), 'utf8').matchAll(/code: '([A-Z_]+)'/g)].map(
      ([, code]) => code as string,
    )
    expect(codes).toEqual([...codes].sort())
  })

  test('a system error is told without the call and the path', () => {
    expect(errors.systemReason(cause)).toBe('ENOSPC: no space left on device')
    expect(errors.systemReason('odd')).toBe('odd')
    expect(errors.systemReason(new Error('no such file, and the known data sets are mnist\nat x'))).toBe('no such file, and the known data sets are mnist')
  })
})

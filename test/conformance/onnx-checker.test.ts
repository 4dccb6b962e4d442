// A second opinion on exported files: python3-onnx checks them with shape inference. Needs Debian's python3-onnx (apt-get install python3-onnx).

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onnxExporter } from '#exporters/onnx/index.js'
import type { Network } from '#src/network/types.js'
import { cnnNetwork, INTEGER_OPERATORS, kwsNetwork, mlpNetwork, operatorNetwork, randomNetwork, resnet8Network } from '../helpers/networks.js'

/** Debian's own interpreter: another python on the path does not see Debian's packages. */
const PYTHON = '/usr/bin/python3'

const CHECK = `
import sys, onnx
for line in sys.stdin.read().split():
    try:
        model = onnx.load(line)
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
        for value in inferred.graph.output:
            assert value.type.tensor_type.HasField("shape"), value.name
    except Exception as error:
        print(line, str(error).replace("\\n", " "))
`

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spikeport-onnx-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the checker says about files, one line a file that fails. */
const complaints = (files: ReadonlyMap<string, Uint8Array>): string => {
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
  const input = [...files.keys()].map((name) => join(folder, name)).join('\n')
  try {
    return execFileSync(PYTHON, ['-c', CHECK], { input, encoding: 'utf8' })
  } catch (error) {
    throw new Error('python3-onnx does not run: apt-get install python3-onnx', { cause: error })
  }
}

const OPTIONS: readonly Readonly<Record<string, string>>[] = [
  {},
  { weights: 'uint8' },
  { input: 'uint8', output: 'uint8' },
  { form: 'qdq' },
  { form: 'qdq', weights: 'uint8', input: 'uint8', output: 'uint8' },
]

/** int32 inputs cannot be quantized from real numbers in the qlinear form. */
const fits = (network: Network<'integer'>, options: Readonly<Record<string, string>>): boolean =>
  options['form'] === 'qdq' || options['input'] === 'uint8' || network.inputs.every((value) => network.values[value]?.type.kind !== 'int32')

const filesOf = (networks: readonly Network<'integer'>[]): ReadonlyMap<string, Uint8Array> =>
  new Map(
    networks.flatMap((network) =>
      OPTIONS.filter((options) => fits(network, options)).map(
        (options) => [`${network.name}-${Object.values(options).join('-')}.onnx`, onnxExporter.export(network, options)] as const,
      ),
    ),
  )

describe('python3-onnx accepts', () => {
  it('exported files of every operator', () => {
    expect(complaints(filesOf(INTEGER_OPERATORS.flatMap((kind) => [1, 2, 3, 4].map((seed) => operatorNetwork(kind, seed)))))).toBe('')
  })

  it('exported files of random graphs', () => {
    expect(complaints(filesOf(Array.from({ length: 12 }, (_, seed) => randomNetwork(seed))))).toBe('')
  })

  it('exported files of well-known networks', () => {
    expect(complaints(filesOf([mlpNetwork(1), cnnNetwork(1), kwsNetwork(1), resnet8Network(1)]))).toBe('')
  })
})

// Bench equality: reference, wasm and ONNX Runtime on the test images of every recipe's shipped network; counts output bytes that differ.

import { join, resolve } from 'node:path'
import { models } from '#models/index.js'
import { onnxRuntime } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import { wasmRuntime } from '#runtimes/wasm/index.js'
import { compareEngines, type Engine } from '#src/check/index.js'
import type { Runtime } from '#src/contracts/runtime.js'
import { UnsupportedError } from '#src/errors.js'
import { readBytes } from '#src/files.js'
import { loadNetwork } from '#src/network/net-file.js'
import type { Network } from '#src/network/types.js'
import { quantizeInput } from '#src/quantize/index.js'
import { floatImages } from '#src/train/data.js'
import type { Bench } from './bench.js'

const MODELS = resolve(import.meta.dirname, '../models')
const RUNTIMES = [referenceRuntime, wasmRuntime, onnxRuntime]

/** A loaded engine, or null where it refuses the network by name (ONNX: networks over time). */
const engineOf = async (runtime: Runtime, network: Network<'integer'>): Promise<Engine | null> => {
  try {
    return { name: runtime.name, session: await runtime.load(network) }
  } catch (error) {
    if (error instanceof UnsupportedError) return null
    throw error
  }
}

export const bench: Bench = {
  name: 'equality',
  description: 'bytes that differ between reference, wasm and ONNX Runtime over the test images of every recipe',
  run: async (report, { task }) => {
    for (const { name, load } of models.filter((model) => task === undefined || model.name === task)) {
      const { test } = await (await load()).data()
      const path = join(MODELS, name, 'int8.net')
      const network = loadNetwork(await readBytes(path), path) as Network<'integer'>
      const engines = (await Promise.all(RUNTIMES.map((runtime) => engineOf(runtime, network)))).filter((engine) => engine !== null)
      const batch = { count: test.count, inputs: [quantizeInput(network, 0, floatImages(test))] }
      const [, ...others] = await compareEngines(network, engines, batch)
      for (const { engine, bytes, differing } of others) {
        report({
          case: name,
          metric: `${engine}, ${test.count} images`,
          value: differing,
          unit: 'bytes',
          goal: 0,
          baseline: { name: 'compared', value: bytes },
        })
      }
      for (const { session } of engines) await session.close()
    }
  },
}

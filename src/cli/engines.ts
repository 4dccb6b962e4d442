// Opening engines by the names of --on, and closing them whatever happens.

import { openRuntime } from '#runtimes/index.js'
import type { Engine } from '../check/index.js'
import { usage } from '../errors.js'
import type { Network } from '../network/types.js'

/** Loads a network on every engine of a comma-separated list, runs `work`, closes them all. */
export const withEngines = async <T>(list: string, network: Network<'integer'>, work: (engines: readonly Engine[]) => Promise<T>): Promise<T> => {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) throw usage('--on names no engine.', 'For example --on reference,wasm,onnx.')
  const engines: Engine[] = []
  try {
    for (const name of names) engines.push({ name, session: await (await openRuntime(name)).load(network) })
    return await work(engines)
  } finally {
    for (const { session } of engines) await session.close()
  }
}

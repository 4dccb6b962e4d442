// The wasm engine: the C core with SIMD128 kernels, running the same .evn bytes as a board. load() plans and lowers in memory.

import type { Runtime } from '#src/contracts/runtime.js'
import { eventnetBytes } from '#src/eventnet/index.js'
import type { Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { type WasmOptions, type WasmSession, wasmSessionFromBytes } from './session.js'

export { type WasmOptions, type WasmSession, wasmSessionFromBytes } from './session.js'

/**
 * A session over an integer network.
 * @throws UNSUPPORTED naming the node or value that the core does not run
 * @example
 * const session = await wasmSession(network)
 * const [scores] = session.runNow({ count: 1, inputs: [pixels] })
 */
export const wasmSession = (network: Network<'integer'>, options: WasmOptions = {}): Promise<WasmSession> =>
  wasmSessionFromBytes(eventnetBytes(network, planArena(network)), network.name, options)

export const wasmRuntime: Runtime = { name: 'wasm', load: async (network) => wasmSession(network) }

// What a network costs on a board, node by node: counter ticks, and instructions or microseconds per multiply-accumulate made of them.

import type { Board } from '#src/contracts/board.js'
import { nodeTypes, typeOf } from '#src/network/graph.js'
import { operatorOf } from '#src/network/operators/index.js'
import { allocate, byteLength, type ElementArray, type Network } from '#src/network/types.js'
import type { Device } from './device.js'

/** What a count stands for: instructions where the emulator gives them exactly, otherwise clock cycles or nanoseconds of the board's counter. */
export type CountUnit = 'instructions' | 'cycles' | 'nanoseconds'

export interface ProfileRow {
  readonly name: string
  readonly kind: string
  readonly macs: number
  readonly count: number
  /** null where there is nothing to multiply */
  readonly countPerMac: number | null
}

export interface ProfileReport {
  readonly board: string
  readonly unit: CountUnit
  readonly rows: readonly ProfileRow[]
  readonly totalCount: number
  readonly totalMacs: number
  /** most stack in use since boot; null: unknown */
  readonly stackBytes: number | null
  /** of one inference by the board's counter; null in an emulator, where time means nothing */
  readonly timeMicros: number | null
}

/** Unit of a board's counter, and ticks of one such unit. */
const counterUnit = (board: Board, isEmulated: boolean): { readonly unit: CountUnit; readonly ticks: number } => {
  if (isEmulated && board.emulator?.kind === 'qemu') return { unit: 'instructions', ticks: board.emulator.ticksPerInstruction }
  return { unit: board.core === 'host' ? 'nanoseconds' : 'cycles', ticks: 1 }
}

/** Profiles one inference of the network that is active on the device. `inputs` default to zeros. */
export const profileNetwork = async (
  device: Device,
  network: Network<'integer'>,
  options: { readonly inputs?: readonly ElementArray[] } = {},
): Promise<ProfileReport> => {
  const inputs = options.inputs ?? network.inputs.map((value) => allocate(typeOf(network, value)))
  const bytes = inputs.map((data, i) => new Uint8Array(data.buffer, data.byteOffset, byteLength(typeOf(network, network.inputs[i] as number))))
  const result = await device.profile(bytes, network.nodes.length)
  const { unit, ticks } = counterUnit(device.board, device.isEmulated)
  const rows = network.nodes.map((node, i): ProfileRow => {
    const macs = operatorOf(node).macs(node, nodeTypes(network, node))
    const count = Math.round((result.ticks[i] as number) / ticks)
    return { name: node.name, kind: node.kind, macs, count, countPerMac: macs === 0 ? null : count / macs }
  })
  return {
    board: device.board.id,
    unit,
    rows,
    totalCount: Math.round(result.totalTicks / ticks),
    totalMacs: rows.reduce((sum, row) => sum + row.macs, 0),
    stackBytes: result.stackBytes,
    timeMicros: device.isEmulated || device.hello.counterHz === 0 ? null : (result.totalTicks / device.hello.counterHz) * 1e6,
  }
}

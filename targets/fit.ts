// Does a planned network fit a board? Exact to the byte, with what takes most where it does not.

import type { Board } from '#src/contracts/board.js'
import { networkCapacityBytes } from '#src/contracts/board.js'
import type { Plan } from '#src/plan/index.js'

export interface Fit {
  readonly board: string
  readonly fits: boolean
  /** negative: missing */
  readonly freeRamBytes: number
  /** negative: missing */
  readonly freeFlashBytes: number
  /** the layer during which most bytes are alive */
  readonly largestLayer: string
  readonly largestLayerBytes: number
  /** the largest value alive during that layer */
  readonly largestTensor: string
  readonly largestTensorBytes: number
}

/** Compares a plan with a board's arena and network slot. */
export const fitOn = (plan: Plan, board: Board): Fit => {
  const freeRamBytes = board.memory.arenaBytes - plan.arenaBytes
  const freeFlashBytes = networkCapacityBytes(board) - plan.flashBytes
  const largest = plan.nodes.reduce<Plan['nodes'][number] | null>((most, node) => (most === null || node.liveBytes > most.liveBytes ? node : most), null)
  return {
    board: board.id,
    fits: freeRamBytes >= 0 && freeFlashBytes >= 0,
    freeRamBytes,
    freeFlashBytes,
    largestLayer: largest?.name ?? '',
    largestLayerBytes: largest?.liveBytes ?? 0,
    largestTensor: largest?.largestValue ?? '',
    largestTensorBytes: largest?.largestValueBytes ?? 0,
  }
}

/** The boards that a planned network fits. */
export const boardsThatFit = (plan: Plan, boards: readonly Board[]): readonly Board[] => boards.filter((board) => fitOn(plan, board).fits)

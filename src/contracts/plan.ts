// The memory plan that src/plan computes and that exporters and runtimes read.

/** Byte offsets of values in one arena. */
export interface ArenaPlan {
  /** by value index; multiples of ARENA_ALIGNMENT */
  readonly offsets: readonly number[]
  /** size of the arena: the largest offset + size */
  readonly arenaBytes: number
  /** the usual lower bound without overlap: the largest sum of bytes of values alive at one node */
  readonly idealBytes: number
}

/** Offsets are multiples of this, so that int32 values and word loads are aligned on every chip. */
export const ARENA_ALIGNMENT = 4

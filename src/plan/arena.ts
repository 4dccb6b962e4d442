// Where each value lives in the arena: lifetimes and offsets (to be planned); computed once on the host, read by every engine.

/** Byte offsets of values in one arena. */
export interface ArenaPlan {
  /** by value index; multiples of ARENA_ALIGNMENT */
  readonly offsets: readonly number[]
  /** size of the arena: the largest offset + size */
  readonly arenaBytes: number
  /** the ideal: the largest sum of bytes that must live at one time */
  readonly idealBytes: number
}

/** Offsets are multiples of this, so that int32 values and word loads are aligned on every chip. */
export const ARENA_ALIGNMENT = 4

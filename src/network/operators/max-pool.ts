// maxPool: the largest of a window's valid taps; moves bytes, so input and output share one quantization.

import { type PoolBase, windowPool } from './pool.js'

export interface MaxPoolNode extends PoolBase<'maxPool'> {}

export const maxPool = windowPool<MaxPoolNode>('maxPool', 'max')

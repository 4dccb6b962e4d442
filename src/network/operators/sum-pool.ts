// sumPool: the sum of a window's valid taps; of spikes, how many there were. Levels stay levels, so nothing is rounded.

import { type PoolBase, windowPool } from './pool.js'

export interface SumPoolNode extends PoolBase<'sumPool'> {}

export const sumPool = windowPool<SumPoolNode>('sumPool', 'sum')

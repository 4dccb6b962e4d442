// averagePool: the mean of a window's valid taps (padding is not counted); integer form by averageScale (docs/arithmetic.md, pooling).

import { type PoolBase, windowPool } from './pool.js'

export interface AveragePoolNode extends PoolBase<'averagePool'> {}

export const averagePool = windowPool<AveragePoolNode>('averagePool', 'average')

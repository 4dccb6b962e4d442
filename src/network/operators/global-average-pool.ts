// globalAveragePool: the mean over the whole image (or signal) per channel.

import type { NodeBase } from '../types.js'
import { globalPool } from './pool.js'

export interface GlobalAveragePoolNode extends NodeBase<'globalAveragePool'> {}

export const globalAveragePool = globalPool<GlobalAveragePoolNode>('globalAveragePool', 'average')

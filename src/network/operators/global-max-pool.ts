// globalMaxPool: the largest element over the whole image (or signal) per channel.

import type { NodeBase } from '../types.js'
import { globalPool } from './pool.js'

export interface GlobalMaxPoolNode extends NodeBase<'globalMaxPool'> {}

export const globalMaxPool = globalPool<GlobalMaxPoolNode>('globalMaxPool', 'max')

// The vocabulary: the table of operators. A new operator is one file here and one line in NODE_KINDS and OPERATORS.

import type { Operator } from '../operator.js'
import type { NodeBase } from '../types.js'
import { type AddNode, add } from './add.js'
import { type AveragePoolNode, averagePool } from './average-pool.js'
import { type BatchNormNode, batchNorm } from './batch-norm.js'
import { type CarryNode, carry } from './carry.js'
import { type ConcatNode, concat } from './concat.js'
import { type Conv1dNode, conv1d } from './conv1d.js'
import { type Conv2dNode, conv2d } from './conv2d.js'
import { type DenseNode, dense } from './dense.js'
import { type DepthwiseConv2dNode, depthwiseConv2d } from './depthwise-conv2d.js'
import { type EncodeNode, encode } from './encode.js'
import { type FlattenNode, flatten } from './flatten.js'
import { type GlobalAveragePoolNode, globalAveragePool } from './global-average-pool.js'
import { type GlobalMaxPoolNode, globalMaxPool } from './global-max-pool.js'
import { type LiNode, li } from './li.js'
import { type LifNode, lif } from './lif.js'
import { type MaxPoolNode, maxPool } from './max-pool.js'
import { type ReluNode, relu } from './relu.js'
import { type ReshapeNode, reshape } from './reshape.js'
import { type SignNode, sign } from './sign.js'
import { type SoftmaxNode, softmax } from './softmax.js'
import { type StaircaseNode, staircase } from './staircase.js'
import { type SumPoolNode, sumPool } from './sum-pool.js'
import { type TimeSliceNode, timeSlice } from './time-slice.js'

export type Node =
  | DenseNode
  | Conv1dNode
  | Conv2dNode
  | DepthwiseConv2dNode
  | AveragePoolNode
  | MaxPoolNode
  | GlobalAveragePoolNode
  | GlobalMaxPoolNode
  | AddNode
  | ConcatNode
  | FlattenNode
  | ReshapeNode
  | ReluNode
  | SoftmaxNode
  | BatchNormNode
  | SignNode
  | StaircaseNode
  | LifNode
  | LiNode
  | CarryNode
  | SumPoolNode
  | TimeSliceNode
  | EncodeNode

export type OperatorKind = Node['kind']
export type NodeOf<K extends OperatorKind> = Extract<Node, { kind: K }>

export const OPERATORS: { readonly [K in OperatorKind]: Operator<NodeOf<K>> } = {
  dense,
  conv1d,
  conv2d,
  depthwiseConv2d,
  averagePool,
  maxPool,
  globalAveragePool,
  globalMaxPool,
  add,
  concat,
  flatten,
  reshape,
  relu,
  softmax,
  batchNorm,
  sign,
  staircase,
  lif,
  li,
  carry,
  sumPool,
  timeSlice,
  encode,
}

/** True for the kinds in the table; a kind may come from an untrusted file. */
export const isOperatorKind = (kind: unknown): kind is OperatorKind => typeof kind === 'string' && Object.hasOwn(OPERATORS, kind)

/** The operator of a node. */
export const operatorOf = (node: Node): Operator<NodeBase<string>> => OPERATORS[node.kind] as unknown as Operator<NodeBase<string>>

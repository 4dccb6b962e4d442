// A float TensorFlow.js model of the same layer shapes as an integer network, with its initial random weights: for timing, not for results.

import type { Node, NodeOf, OperatorKind } from '#src/network/operators/index.js'
import { elementCount, type Network } from '#src/network/types.js'
import type { TensorFlow } from '#src/train/tfjs.js'

type SymbolicTensor = ReturnType<TensorFlow['input']>
type Layer = { apply: (x: SymbolicTensor | SymbolicTensor[]) => unknown }
type Build<K extends OperatorKind> = (tf: TensorFlow, node: NodeOf<K>) => Layer

const LAYERS: { readonly [K in OperatorKind]?: Build<K> } = {
  dense: (tf, node) => tf.layers.dense({ units: node.weights.type.shape[0] as number, activation: 'relu' }),
  conv2d: (tf, node) => {
    const [filters, kh, kw] = node.weights.type.shape as [number, number, number]
    return tf.layers.conv2d({ filters, kernelSize: [kh, kw], strides: [...node.stride] as [number, number], padding: 'same', activation: 'relu' })
  },
  depthwiseConv2d: (tf, node) => {
    const [kh, kw] = node.weights.type.shape as [number, number]
    return tf.layers.depthwiseConv2d({ kernelSize: [kh, kw], strides: [...node.stride] as [number, number], padding: 'same', activation: 'relu' })
  },
  globalAveragePool: (tf) => tf.layers.globalAveragePooling2d({}),
  add: (tf) => tf.layers.add(),
}

const layerOf = (tf: TensorFlow, node: Node): Layer => {
  const build = LAYERS[node.kind] as ((tf: TensorFlow, node: Node) => Layer) | undefined
  if (build === undefined) throw new Error(`the bench has no TensorFlow.js layer for ${node.kind}`)
  return build(tf, node)
}

/** A call as a user makes it: numbers of a batch in, scores out. */
export const tfjsRun = (tf: TensorFlow, network: Network<'integer'>, count: number): (() => Promise<void>) => {
  const values = new Map<number, SymbolicTensor>()
  const shape = network.values[network.inputs[0] as number]?.type.shape ?? []
  const input = tf.input({ shape: [...shape] })
  values.set(network.inputs[0] as number, input)
  for (const node of network.nodes) {
    const inputs = node.inputs.map((value) => values.get(value) as SymbolicTensor)
    values.set(node.output, layerOf(tf, node).apply(inputs.length === 1 ? (inputs[0] as SymbolicTensor) : inputs) as SymbolicTensor)
  }
  const model = tf.model({ inputs: input, outputs: values.get(network.outputs[0] as number) as SymbolicTensor })
  const numbers = new Float32Array(elementCount([count, ...shape])).map(() => Math.random())
  return async () => {
    const scores = tf.tidy(() => model.predict(tf.tensor(numbers, [count, ...shape]))) as ReturnType<TensorFlow['zeros']>
    await scores.data()
    scores.dispose()
  }
}

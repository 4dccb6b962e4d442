// A network whose sums overflow saturating 16-bit pair sums: all inputs at their largest, weights at both ends, through the three operators
// that multiply (MatMulInteger, QLinearConv, ConvInteger).

import { evaluate } from '#src/network/evaluate.js'
import { type ElementArray, type Network, perTensor, type QuantizedType, type Tensor } from '#src/network/types.js'

const WIDTH = 64
const UNITS = 32

const weights = (shape: readonly number[]): Tensor<QuantizedType> => ({
  type: perTensor('int8', shape, 2 ** -7, 0),
  data: new Int8Array(UNITS * WIDTH).map((_, i) => (Math.floor(i / WIDTH) % 2 === 0 ? 127 : -128)),
})

const window = { stride: [1, 1], dilation: [1, 1], padding: [0, 0, 0, 0] } as const

/** Input int8[64] with zero point -128; outputs: dense sums int32, convolution sums int32, convolution int8. */
export const probeNetwork = (): Network<'integer'> => ({
  stage: 'integer',
  name: 'probe',
  rounding: 'single',
  values: [
    { name: 'x', type: perTensor('int8', [WIDTH], 2 ** -8, -128) },
    { name: 'image', type: perTensor('int8', [1, 1, WIDTH], 2 ** -8, -128) },
    { name: 'dense_sums', type: perTensor('int32', [UNITS], 2 ** -15, 0) },
    { name: 'conv_sums', type: perTensor('int32', [1, 1, UNITS], 2 ** -15, 0) },
    { name: 'conv', type: perTensor('int8', [1, 1, UNITS], 0.51, 0) },
  ],
  inputs: [0],
  outputs: [2, 3, 4],
  nodes: [
    { kind: 'reshape', name: 'reshape', inputs: [0], output: 1, shape: [1, 1, WIDTH] },
    { kind: 'dense', name: 'dense', inputs: [0], output: 2, weights: weights([UNITS, WIDTH]), bias: null, emission: { kind: 'none' } },
    { kind: 'conv2d', name: 'conv_none', inputs: [1], output: 3, weights: weights([UNITS, 1, 1, WIDTH]), bias: null, emission: { kind: 'none' }, ...window },
    {
      kind: 'conv2d',
      name: 'conv',
      inputs: [1],
      output: 4,
      weights: weights([UNITS, 1, 1, WIDTH]),
      bias: null,
      emission: { kind: 'requantize', min: -128, max: 127 },
      ...window,
    },
  ],
  labels: [],
  metadata: {},
})

export const probeInput = (): readonly ElementArray[] => [new Int8Array(WIDTH).fill(127)]

export const expectedProbe = (network: Network<'integer'>): readonly ElementArray[] => {
  const values = evaluate(network, probeInput())
  return network.outputs.map((value) => values[value] as ElementArray)
}

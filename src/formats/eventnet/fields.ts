// The fields of .evn node records, in file order: what docs/eventnet.md lists and firmware-stubs/core/format.h declares in C.

import type { EMISSION_CODES, OPERATOR_CODES } from './codes.js'

export type EventnetOperator = keyof typeof OPERATOR_CODES
export type EventnetEmission = keyof typeof EMISSION_CODES

/** How a field is stored; 'constant' is a file offset (u32), 0 for none. */
export type FieldType = 'u16' | 'i16' | 'u32' | 'i32' | 'f32' | 'constant'
export type Field = readonly [name: string, type: FieldType]

const GEOMETRY: readonly Field[] = [
  'inputHeight',
  'inputWidth',
  'inputChannels',
  'outputHeight',
  'outputWidth',
  'outputChannels',
  'kernelHeight',
  'kernelWidth',
  'strideY',
  'strideX',
  'dilationY',
  'dilationX',
  'padTop',
  'padBottom',
  'padLeft',
  'padRight',
].map((name) => [name, 'u16'] as const)

const CONVOLUTION: readonly Field[] = [...GEOMETRY, ['inputZeroPoint', 'i32'], ['weights', 'constant'], ['bias', 'constant']]
const DENSE: readonly Field[] = [
  ['inputSize', 'u32'],
  ['units', 'u32'],
  ['inputZeroPoint', 'i32'],
  ['weights', 'constant'],
  ['bias', 'constant'],
]
const POOL: readonly Field[] = [...GEOMETRY, ['inputZeroPoint', 'i32']]
const BOUNDS: readonly Field[] = [
  ['zeroPoint', 'i16'],
  ['low', 'i16'],
  ['high', 'i16'],
  ['reserved', 'i16'],
]

const PARAMETERS = ['leak', 'drive', 'currentLeak', 'threshold', 'resetTo'] as const
const NEURON: readonly Field[] = [
  ['count', 'u32'],
  ['membrane', 'u16'],
  ['current', 'u16'],
  ['shift', 'u16'],
  ['subtracts', 'u16'],
  ...PARAMETERS.flatMap((name): Field[] => [
    [name, 'constant'],
    [`${name}Count`, 'u32'],
  ]),
]

/** The accumulator's fields of each operator. */
export const OPERATOR_FIELDS: Readonly<Record<EventnetOperator, readonly Field[]>> = {
  dense: DENSE,
  conv2d: CONVOLUTION,
  depthwise: CONVOLUTION,
  averagePool: POOL,
  maxPool: POOL,
  add: [
    ['count', 'u32'],
    ['zeroPointA', 'i16'],
    ['zeroPointB', 'i16'],
    ['scaleA', 'f32'],
    ['scaleB', 'f32'],
  ],
  concat: [
    ['outer', 'u32'],
    ['chunkBytes', 'u32'],
  ],
  reshape: [['byteCount', 'u32']],
  relu: [
    ['count', 'u32'],
    ['low', 'i16'],
    ['high', 'i16'],
  ],
  softmax: [
    ['rows', 'u32'],
    ['count', 'u32'],
    ['scale', 'f32'],
  ],
  addFixed: [
    ['count', 'u32'],
    ['zeroPointA', 'i16'],
    ['zeroPointB', 'i16'],
    ['factorA', 'i32'],
    ['factorB', 'i32'],
    ['shiftA', 'i16'],
    ['shiftB', 'i16'],
  ],
  softmaxFixed: [
    ['rows', 'u32'],
    ['count', 'u32'],
    ['factor', 'i32'],
    ['shift', 'i32'],
    ['least', 'i32'],
  ],
  generalDense: [...DENSE, ['weightsKind', 'u32']],
  generalConv2d: [...CONVOLUTION, ['weightsKind', 'u32']],
  generalDepthwise: [...CONVOLUTION, ['weightsKind', 'u32']],
  generalMaxPool: POOL,
  neuron: NEURON,
  timeSlice: [
    ['steps', 'u32'],
    ['sliceBytes', 'u32'],
    ['counter', 'u32'],
  ],
  sumPool: POOL,
  encode: [
    ['count', 'u32'],
    ['state', 'u16'],
    ['code', 'u16'],
    ['seed', 'u32'],
    ['table', 'constant'],
    ['threshold', 'i32'],
  ],
  spikeDense: DENSE,
  spikeConv2d: CONVOLUTION,
}

/** The fields of each emission. */
export const EMISSION_FIELDS: Readonly<Record<EventnetEmission, readonly Field[]>> = {
  none: [],
  requantize: [['scales', 'constant'], ['scaleCount', 'u32'], ...BOUNDS],
  requantizeByCount: [['scales', 'constant'], ['scaleCount', 'u32'], ['firstCount', 'u32'], ...BOUNDS],
  round: BOUNDS,
  thresholds: [
    ['thresholds', 'constant'],
    ['levels', 'u32'],
  ],
}

const FIELD_BYTES: Readonly<Record<FieldType, number>> = { u16: 2, i16: 2, u32: 4, i32: 4, f32: 4, constant: 4 }

/** Bytes that a list of fields takes. */
export const fieldsBytes = (fields: readonly Field[]): number => fields.reduce((sum, [, type]) => sum + FIELD_BYTES[type], 0)

export const bytesOfField = (type: FieldType): number => FIELD_BYTES[type]

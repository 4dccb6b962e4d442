// Made by scripts/generate-codes.mjs from firmware-stubs/shared/*.def; change those, then run `node scripts/generate-codes.mjs`.

/** Operator codes of node records, by name. */
export const OPERATOR_CODES = {
  dense: 1,
  conv2d: 2,
  depthwise: 3,
  averagePool: 4,
  maxPool: 5,
  add: 6,
  concat: 7,
  reshape: 8,
  relu: 9,
  softmax: 10,
  addFixed: 11,
  softmaxFixed: 12,
  generalDense: 16,
  generalConv2d: 17,
  generalDepthwise: 18,
  generalMaxPool: 19,
  neuron: 24,
  timeSlice: 25,
  sumPool: 26,
  spikeDense: 27,
  spikeConv2d: 28,
  encode: 29,
} as const

/** Emission codes of node records, by name. */
export const EMISSION_CODES = {
  none: 0,
  requantize: 1,
  requantizeByCount: 2,
  round: 3,
  thresholds: 4,
} as const

/** Codes of value kinds, by name. */
export const VALUE_KIND_CODES = {
  float32: 0,
  int8: 1,
  uint8: 2,
  int32: 3,
  binary: 4,
  level: 5,
  membrane: 7,
} as const

/** The text of each status code of the C core. */
export const STATUS_TEXTS: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'the file is shorter than its header says',
  2: 'the file does not start at a multiple of 16 bytes',
  3: 'not an .evn file (the magic is missing)',
  4: 'a format version that this core does not read',
  5: 'the endianness mark is wrong',
  6: 'the checksum does not match',
  7: 'a rounding that this core does not have',
  8: 'a section is missing, misplaced or of the wrong size',
  9: 'a number of nodes, values, inputs or outputs is out of range',
  10: "a value's kind, shape, scale or zero point is not valid",
  11: 'a value lies outside the arena or is not aligned',
  12: 'a value is read before it is written, or its lifetime is wrong',
  13: 'two values that live at one time overlap in the arena',
  14: 'a node record lies outside the graph section or has the wrong size',
  15: 'an operator code that this core does not have',
  16: "a node's inputs or output do not exist or are of the wrong kind or size",
  17: 'a window or a shape does not fit its input and output',
  18: 'a constant lies outside its section or is not aligned',
  19: "a layer's sum can leave int32",
  20: 'an emission is unknown or its fields are not valid',
  21: 'the self-test section has the wrong size',
  22: "the network's outputs differ from its self-test",
}

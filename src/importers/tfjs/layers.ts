// The table of layers: how each class is checked and converted, or why it is not and what to use instead.

import { checkBinaryConv2d, checkStaircase, convertBinaryConv2d, convertBinaryDense, convertSign, convertStaircase } from './binary.js'
import type { Convert } from './context.js'
import { checkConvolution, convertConv1d, convertConv2d, convertDense, convertDepthwiseConv2d, convertSeparableConv2d } from './convolutions.js'
import { type Layer, refusedLayer } from './document.js'
import {
  checkActivation,
  checkPool,
  checkRelu,
  checkZeroPadding,
  convertActivation,
  convertAdd,
  convertBatchNorm,
  convertConcatenate,
  convertFlatten,
  convertGlobalPool,
  convertIdentity,
  convertPool,
  convertRelu,
  convertReshape,
  convertSoftmax,
  convertZeroPadding,
} from './others.js'
import { readActivation, refuseChannelsFirst } from './settings.js'
import { checkLi, checkLif, convertLi, convertLif, convertRecording, convertRepeatVector, convertSpikeCount } from './spiking.js'

export interface SupportedLayer {
  /** Refuses settings that need no input to be judged. */
  readonly check: (layer: Layer) => void
  readonly convert: Convert
}

interface UnsupportedLayer {
  readonly unsupported: string
  readonly remedy: string
}

const noCheck = (): void => {}
const identity: SupportedLayer = { check: noCheck, convert: convertIdentity }
const RECURRENT: UnsupportedLayer = { unsupported: 'is recurrent', remedy: 'Use Conv1D over the time steps instead of a recurrent layer.' }
const TRANSPOSED: UnsupportedLayer = { unsupported: 'enlarges images', remedy: 'Leave out layers that enlarge images; classifiers do not need them.' }
const NONLINEAR: UnsupportedLayer = { unsupported: 'is an activation without an integer form', remedy: 'Use ReLU, with max_value 6 if a bound is wanted.' }
const MERGE: UnsupportedLayer = { unsupported: 'merges values in a way that has no integer form', remedy: 'Merge with Add or Concatenate.' }
const PREPROCESSING: UnsupportedLayer = {
  unsupported: 'prepares data',
  remedy: 'Prepare the data outside the model; a change of scale is for free, it becomes the scale of the quantized input.',
}
const RESHAPING: UnsupportedLayer = { unsupported: 'moves data between axes', remedy: 'Arrange the data outside the model, or use Reshape and Flatten.' }
const OTHER: UnsupportedLayer = {
  unsupported: 'is a layer that spikeport does not know',
  remedy: 'Build the model from the layers that "spikeport list operators" shows.',
}

const LAYERS: Readonly<Record<string, SupportedLayer | UnsupportedLayer>> = {
  Dense: { check: readActivation, convert: convertDense },
  Conv1D: { check: checkConvolution(1), convert: convertConv1d },
  Conv2D: { check: checkConvolution(2), convert: convertConv2d },
  DepthwiseConv2D: { check: checkConvolution(2), convert: convertDepthwiseConv2d },
  SeparableConv2D: { check: checkConvolution(2), convert: convertSeparableConv2d },
  MaxPooling1D: { check: checkPool(1), convert: convertPool('max', 1) },
  MaxPooling2D: { check: checkPool(2), convert: convertPool('max', 2) },
  AveragePooling1D: { check: checkPool(1), convert: convertPool('average', 1) },
  AveragePooling2D: { check: checkPool(2), convert: convertPool('average', 2) },
  GlobalMaxPooling1D: { check: refuseChannelsFirst, convert: convertGlobalPool('max', 1) },
  GlobalMaxPooling2D: { check: refuseChannelsFirst, convert: convertGlobalPool('max', 2) },
  GlobalAveragePooling1D: { check: refuseChannelsFirst, convert: convertGlobalPool('average', 1) },
  GlobalAveragePooling2D: { check: refuseChannelsFirst, convert: convertGlobalPool('average', 2) },
  Add: { check: noCheck, convert: convertAdd },
  Concatenate: { check: noCheck, convert: convertConcatenate },
  Flatten: { check: refuseChannelsFirst, convert: convertFlatten },
  Reshape: { check: noCheck, convert: convertReshape },
  ReLU: { check: checkRelu, convert: convertRelu },
  Activation: { check: checkActivation, convert: convertActivation },
  Softmax: { check: noCheck, convert: convertSoftmax },
  BatchNormalization: { check: noCheck, convert: convertBatchNorm },
  ZeroPadding1D: { check: checkZeroPadding(1), convert: convertZeroPadding(1) },
  Staircase: { check: checkStaircase, convert: convertStaircase },
  Sign: { check: noCheck, convert: convertSign },
  BinaryDense: { check: noCheck, convert: convertBinaryDense },
  BinaryConv2D: { check: checkBinaryConv2d, convert: convertBinaryConv2d },
  RepeatVector: { check: noCheck, convert: convertRepeatVector },
  Recording: { check: noCheck, convert: convertRecording },
  Lif: { check: checkLif, convert: convertLif },
  Li: { check: checkLi, convert: convertLi },
  SpikeCount: { check: noCheck, convert: convertSpikeCount },
  ZeroPadding2D: { check: checkZeroPadding(2), convert: convertZeroPadding(2) },
  ActivityRegularization: identity,
  AlphaDropout: identity,
  Dropout: identity,
  GaussianDropout: identity,
  GaussianNoise: identity,
  SpatialDropout1D: identity,
  SpatialDropout2D: identity,
  Bidirectional: RECURRENT,
  ConvLSTM2D: RECURRENT,
  GRU: RECURRENT,
  LSTM: RECURRENT,
  RNN: RECURRENT,
  SimpleRNN: RECURRENT,
  Conv2DTranspose: TRANSPOSED,
  UpSampling1D: TRANSPOSED,
  UpSampling2D: TRANSPOSED,
  ELU: NONLINEAR,
  LeakyReLU: NONLINEAR,
  PReLU: NONLINEAR,
  ThresholdedReLU: NONLINEAR,
  Average: MERGE,
  Dot: MERGE,
  Maximum: MERGE,
  Minimum: MERGE,
  Multiply: MERGE,
  Subtract: MERGE,
  CategoryEncoding: PREPROCESSING,
  CenterCrop: PREPROCESSING,
  Normalization: PREPROCESSING,
  RandomWidth: PREPROCESSING,
  Rescaling: PREPROCESSING,
  Resizing: PREPROCESSING,
  Cropping2D: RESHAPING,
  Permute: RESHAPING,
  Lambda: { unsupported: 'holds code of its own', remedy: 'Replace the Lambda by standard layers, or do its work outside the model.' },
  TimeDistributed: { unsupported: 'repeats a layer over time', remedy: 'Dense and Conv1D work on every step without TimeDistributed.' },
}

/** The classes that are converted, for documentation. */
export const SUPPORTED_LAYERS: readonly string[] = Object.keys(LAYERS).filter((name) => 'convert' in (LAYERS[name] as object))

/** How to convert a layer. @throws UNSUPPORTED by its name where there is no way */
export const ruleOf = (layer: Layer): SupportedLayer => {
  const rule = (Object.hasOwn(LAYERS, layer.className) ? LAYERS[layer.className] : undefined) ?? OTHER
  if ('unsupported' in rule) throw refusedLayer(layer, rule.unsupported, rule.remedy)
  return rule
}

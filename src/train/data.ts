// Labelled data for training: one plain type and the functions on it. Files become data in data-files.ts, the known sets in
// mnist.ts.

import { inputMismatch } from '#src/errors.js'
import { elementCount, type Shape } from '#src/network/types.js'
import { permutation, STREAMS } from '#src/random.js'

/** Labelled samples of one shape. The network sees images * valueScale. */
export interface DataSet {
  readonly name: string
  /** class names; a label is an index into them */
  readonly classes: readonly string[]
  /** of one sample: images [height, width, channels] */
  readonly shape: Shape
  readonly count: number
  readonly images: Uint8Array | Float32Array // [count, ...shape]
  /** 1/255 for bytes, 1 for floats */
  readonly valueScale: number
  readonly labels: Int32Array // [count]
}

/** What a recipe trains on, selects by, and looks at once at the end. */
export interface Splits {
  readonly train: DataSet
  readonly validation: DataSet
  readonly test: DataSet
}

/** Where images and labels come from before they are checked. */
export interface DataSetParts {
  readonly name: string
  readonly shape: Shape
  readonly images: Uint8Array | Float32Array // [count, ...shape]
  readonly labels: ArrayLike<number> // [count]
  /** default: "0", "1", ... up to the largest label */
  readonly classes?: readonly string[] | undefined
}

/** A data set whose images and labels were checked against each other. */
export const dataSet = ({ name, shape, images, labels, classes }: DataSetParts): DataSet => {
  const values = elementCount(shape)
  if (labels.length === 0 || images.length !== labels.length * values) {
    throw inputMismatch(
      `${name} has ${images.length} values of images and ${labels.length} labels, a sample of shape [${shape.join(', ')}] has ${values} values.`,
      'Give one label for each image.',
    )
  }
  const indices = Int32Array.from(labels)
  const names = classes ?? Array.from({ length: indices.reduce((most, label) => Math.max(most, label), 0) + 1 }, (_, i) => String(i))
  const bad = indices.findIndex((label, i) => label !== labels[i] || label < 0 || label >= names.length)
  if (bad !== -1) {
    throw inputMismatch(`${name}: label ${labels[bad]} of sample ${bad} is not one of 0..${names.length - 1}.`, 'Number the classes from 0.')
  }
  return { name, classes: names, shape, count: indices.length, images, valueScale: images instanceof Uint8Array ? 1 / 255 : 1, labels: indices }
}

/** Samples first..first + count - 1; shares memory with the whole. */
export const sliceData = (data: DataSet, first: number, count: number): DataSet => {
  const values = elementCount(data.shape)
  const images = data.images.subarray(first * values, (first + count) * values)
  return { ...data, count, images, labels: data.labels.subarray(first, first + count) }
}

/** The given samples, copied. */
export const selectData = (data: DataSet, indices: ArrayLike<number>): DataSet => {
  const values = elementCount(data.shape)
  const images = data.images instanceof Uint8Array ? new Uint8Array(indices.length * values) : new Float32Array(indices.length * values)
  const labels = new Int32Array(indices.length)
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] ?? 0
    images.set(data.images.subarray(from * values, (from + 1) * values), i * values)
    labels[i] = data.labels[from] ?? 0
  }
  return { ...data, count: indices.length, images, labels }
}

/** The same data in a random order, the same for the same seed. */
export const shuffleData = (data: DataSet, seed: number): DataSet => selectData(data, permutation(data.count, seed, 0, STREAMS.split))

/** The last `count` samples as validation, the others as training data. */
export const splitValidation = (data: DataSet, count: number): { train: DataSet; validation: DataSet } => {
  if (count < 1 || count >= data.count) {
    throw inputMismatch(`${data.name} has ${data.count} samples, ${count} for validation leave none to train on.`, 'Keep fewer for validation.')
  }
  const first = data.count - count
  return { train: sliceData(data, 0, first), validation: sliceData(data, first, count) }
}

/** Samples as the network sees them: float32, scaled. */
export const floatImages = (data: DataSet, first = 0, count = data.count - first): Float32Array => {
  const { images, valueScale } = sliceData(data, first, count)
  const values = new Float32Array(images.length)
  for (let i = 0; i < values.length; i++) values[i] = (images[i] as number) * valueScale
  return values
}

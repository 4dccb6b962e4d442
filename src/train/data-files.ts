// Labelled data from files: pairs of idx or .npy files. Images become [count, height, width, channels]; labels are whole numbers.

import { inputMismatch } from '#src/errors.js'
import { readBytes } from '#src/files.js'
import { readIdx } from '#src/formats/idx.js'
import { readNpy } from '#src/formats/npy.js'
import type { NumericArray, NumericData } from '#src/formats/numeric-array.js'
import { type DataSet, dataSet } from './data.js'

export interface PairOptions {
  readonly name: string
  /** class names; default: the numbers */
  readonly classes?: readonly string[] | undefined
}

type Reader = (bytes: Uint8Array, path: string) => NumericData

/** Images and labels of two idx files, gzipped or not. */
export const readIdxPair = (imagesPath: string, labelsPath: string, options: PairOptions): Promise<DataSet> =>
  readPair(readIdx, imagesPath, labelsPath, options)

/** Images and labels of two .npy files; float images are taken as they are, bytes as 0..1 in steps of 1/255. */
export const readNpyPair = (imagesPath: string, labelsPath: string, options: PairOptions): Promise<DataSet> =>
  readPair(readNpy, imagesPath, labelsPath, options)

const readPair = async (reader: Reader, imagesPath: string, labelsPath: string, { name, classes }: PairOptions): Promise<DataSet> => {
  const images = reader(await readBytes(imagesPath), imagesPath)
  const labels = reader(await readBytes(labelsPath), labelsPath)
  if (labels.shape.length !== 1) {
    throw inputMismatch(`${labelsPath} has shape [${labels.shape.join(', ')}], labels have one dimension.`, 'Give one whole number a sample.')
  }
  if (images.shape.length < 2 || images.shape[0] !== labels.shape[0]) {
    throw inputMismatch(
      `${imagesPath} has shape [${images.shape.join(', ')}], ${labelsPath} has ${labels.shape[0]} labels.`,
      'The first dimension of the images counts them, and there is one label for each.',
    )
  }
  return dataSet({ name, shape: sampleShape(images.shape), images: imageValues(images.data), labels: labels.data, classes })
}

/** [n, h, w] is images of one channel. */
const sampleShape = (shape: readonly number[]): readonly number[] => (shape.length === 3 ? [...shape.slice(1), 1] : shape.slice(1))

const imageValues = (values: NumericArray): Uint8Array | Float32Array =>
  values instanceof Uint8Array || values instanceof Float32Array ? values : Float32Array.from(values)

// Labelled data from files: pairs of idx or .npy files, folders of images. Images become [count, height, width, channels], labels
// whole numbers.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inputMismatch, unreadableFile } from '#src/errors.js'
import { readBytes } from '#src/files.js'
import { readIdx } from '#src/formats/idx.js'
import { type Image, isImagePath, readImage } from '#src/formats/image.js'
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

/** Images of one size in a folder with one subfolder a class, named after it; classes and files are taken in alphabetical order. */
export const readImageFolders = async (folder: string, name: string): Promise<DataSet> => {
  const classes = (await listFolder(folder)).filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  const files: { path: string; label: number }[] = []
  for (const [label, className] of classes.entries()) {
    const entries = (await listFolder(join(folder, className))).filter((entry) => isImagePath(entry.name))
    files.push(...entries.map((entry) => ({ path: join(folder, className, entry.name), label })))
  }
  if (files.length === 0) throw inputMismatch(`${folder} holds no images in subfolders.`, 'Put PNG, PGM or PPM files into one subfolder a class.')
  const shape = (await openImage(files[0]?.path ?? '')).shape
  const values = shape[0] * shape[1] * shape[2]
  const images = new Uint8Array(files.length * values)
  for (const [i, { path }] of files.entries()) images.set((await imageOfShape(path, shape)).data, i * values)
  return dataSet({ name, shape, images, labels: files.map(({ label }) => label), classes })
}

const listFolder = async (folder: string) => {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadableFile(folder, cause)
  })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

const openImage = async (path: string): Promise<Image> => readImage(await readBytes(path), path)

const imageOfShape = async (path: string, shape: Image['shape']): Promise<Image> => {
  const image = await openImage(path)
  if (image.shape.join() === shape.join()) return image
  throw inputMismatch(
    `${path} has shape [${image.shape.join(', ')}], the first image has [${shape.join(', ')}].`,
    'Give all images the same size and number of channels.',
  )
}

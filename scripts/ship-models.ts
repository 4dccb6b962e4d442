// Quantizes the shipped checkpoints and writes models/<name>/int8.net: node --conditions=spikeport-source --import tsx scripts/ship-models.ts [name ...]

import { join, resolve } from 'node:path'
import { models } from '#models/index.js'
import { writeBytes } from '#src/files.js'
import { importTfjs } from '#src/importers/tfjs/index.js'
import { saveNetwork } from '#src/network/net-file.js'
import { quantizeSimplified } from '#src/quantize/index.js'
import { simplify } from '#src/simplify/index.js'
import { floatImages } from '#src/train/data.js'

const MODELS = resolve(import.meta.dirname, '../models')
const CALIBRATION_IMAGES = 512
const wanted = process.argv.slice(2)

for (const { name, load } of models.filter((model) => wanted.length === 0 || wanted.includes(model.name))) {
  const recipe = await load()
  const { train } = await recipe.data()
  const float = simplify(await importTfjs(join(MODELS, name, 'checkpoint/model.json')))
  const calibration = { count: CALIBRATION_IMAGES, inputs: [floatImages(train, 0, CALIBRATION_IMAGES)] }
  const network = quantizeSimplified({ ...float, name, labels: train.classes }, { scheme: recipe.scheme ?? 'int8', calibration })
  await writeBytes(join(MODELS, name, 'int8.net'), saveNetwork(network))
  console.log(`models/${name}/int8.net`)
}

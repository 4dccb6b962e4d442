// tfjs LayersModel files, model.json and weights.bin, read and written without tfjs-node. The reader here is for models that
// train on; the importer (src/importers/tfjs) reads the same files without TensorFlow.js.

import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { io, LayersModel } from '@tensorflow/tfjs'
import { malformedFile, unwritableFile } from '#src/errors.js'
import { makeFolder, readBytes, readText, writeBytes } from '#src/files.js'
import type { TensorFlow } from './tfjs.js'

const WEIGHTS_FILE = 'weights.bin'

/** Writes model.json and weights.bin into a folder, made if missing. model.json is there only with weights that belong to it. */
export const saveModel = async (tf: TensorFlow, model: LayersModel, folder: string): Promise<void> => {
  const artifacts = await modelArtifacts(tf, model)
  const document = JSON.stringify({
    format: 'layers-model',
    generatedBy: 'spikeport',
    convertedBy: null,
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: [WEIGHTS_FILE], weights: artifacts.weightSpecs }],
  })
  const path = join(folder, 'model.json')
  await makeFolder(folder)
  if ((await readText(path).catch(() => undefined)) !== document) await removeFile(path)
  await writeBytes(join(folder, WEIGHTS_FILE), new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData)))
  await writeBytes(path, document)
}

const removeFile = (path: string): Promise<void> =>
  rm(path, { force: true }).catch((cause: unknown) => {
    throw unwritableFile(path, cause)
  })

const modelArtifacts = async (tf: TensorFlow, model: LayersModel): Promise<io.ModelArtifacts> => {
  let saved: io.ModelArtifacts = {}
  await model.save(
    tf.io.withSaveHandler((artifacts) => {
      saved = artifacts
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } })
    }),
  )
  return saved
}

/** A copy of a model with its own weights. */
export const cloneModel = async (tf: TensorFlow, model: LayersModel): Promise<LayersModel> =>
  tf.loadLayersModel(tf.io.fromMemory(await modelArtifacts(tf, model)))

/** Reads a LayersModel from model.json, or from a folder that holds one. */
export const loadModel = async (tf: TensorFlow, modelPath: string): Promise<LayersModel> => {
  const path = modelPath.endsWith('.json') ? modelPath : join(modelPath, 'model.json')
  const { modelTopology, weightsManifest } = parseDocument(await readText(path), path)
  const files = weightsManifest.flatMap(({ paths }) => paths)
  const groups = await Promise.all(files.map((file) => readBytes(join(dirname(path), file), { keepsGzip: true })))
  const weightData = new Uint8Array(Buffer.concat(groups)).buffer
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights)
  try {
    return await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }))
  } catch (cause) {
    throw malformedFile(path, null, `TensorFlow.js cannot build it (${cause instanceof Error ? cause.message : String(cause)})`)
  }
}

interface ModelDocument {
  readonly modelTopology: object
  readonly weightsManifest: io.WeightsManifestConfig
}

const parseDocument = (text: string, path: string): ModelDocument => {
  let document: Partial<ModelDocument> | null
  try {
    document = JSON.parse(text) as Partial<ModelDocument> | null
  } catch {
    throw malformedFile(path, null, 'not valid JSON')
  }
  const { modelTopology, weightsManifest } = document ?? {}
  if (typeof modelTopology !== 'object' || modelTopology === null || !isManifest(weightsManifest)) {
    throw malformedFile(path, null, 'not a tfjs layers model (modelTopology or weightsManifest is missing)')
  }
  return { modelTopology, weightsManifest }
}

const isManifest = (value: unknown): value is io.WeightsManifestConfig =>
  Array.isArray(value) && value.every((group) => Array.isArray(group?.paths) && Array.isArray(group?.weights))

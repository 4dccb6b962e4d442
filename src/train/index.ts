// Training, the entry spikeport/train: recipes, data, the loop, and tfjs model files. Loads TensorFlow.js only when called.

export { type DataSet, dataSet, floatImages, type Splits, selectData, shuffleData, sliceData, splitValidation } from './data.js'
export { readIdxPair, readImageFolders, readNpyPair } from './data-files.js'
export { accuracy } from './evaluate.js'
export { fashionMnist, mnist } from './mnist.js'
export { cloneModel, loadModel, saveModel } from './model-files.js'
export {
  fakeQuantizedAccuracy,
  fineTuneQuantized,
  type QuantizationAwareOptions,
  type QuantizationAwareProgress,
  type QuantizationAwareResult,
} from './quantization-aware.js'
export type { Recipe } from './recipe.js'
export type { EpochRecord } from './resume-file.js'
export type { Augmentation, LearningRate, OptimizerSettings, Schedule } from './schedule.js'
export { loadTensorFlow, type TensorFlow, type TrainingBackend, trainingBackend } from './tfjs.js'
export { type Progress, type TrainOptions, type TrainResult, train } from './train.js'

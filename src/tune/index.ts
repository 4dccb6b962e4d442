// Derivative-free optimization of integer networks and of anything that answers a loss: structure-aware and published PolyStep, the baselines, the
// objectives and evaluators. See docs/polystep.md.

export type { Evaluation, Evaluator, LayerCosts, LayerProbe, ProbeChanges, ProbeSet, UnitBatch, UnitEvaluation, UnitEvaluator } from '../contracts/evaluator.js'
export { type Augment, allOf, dropInputs, type ImageTurn, imageSize, shiftImages, turnImages } from './augment.js'
export { CHECKPOINT_VERSION, decodeCheckpoint, encodeCheckpoint } from './checkpoint-file.js'
export { selectSamples, splitData, type TuneData } from './data.js'
export { type BlackBoxOptions, blackBox, networkBlackBox, type ProbeContext } from './evaluators/black-box.js'
export { type RuntimeEvaluatorOptions, runtimeEvaluator } from './evaluators/runtime.js'
export { type Method, type Tuner, tunerOf } from './method.js'
export { coordinateSearch, eggroll, evolutionStrategy, mezo, randomSearch, sepCma, spsa } from './methods/index.js'
export { crossEntropy, customObjective, distillation, errorRate, marginLoss, meanSquaredError, type Objective, spikeCountLoss } from './objectives.js'
export { type Checkpoint, type Optimized, type OptimizeOptions, optimize, type StepReport } from './optimize.js'
export { applyParameters, type NetworkParameters, networkParameters, type ParameterOptions, readParameters } from './parameters.js'
export { type PolyStepOptions, type PolyStepState, polyStep } from './polystep.js'
export { type ReportRow, type TuneHistory, type TuneReportPage, tuneReportPage } from './report.js'
export type { Schedule } from './schedule.js'
export { scoreNetwork } from './scores.js'
export { denseSubspace, fullSpace, hybridSubspace, type ParameterTensor, type Subspace } from './subspace.js'
export {
  accuracyOf,
  scoreLoss,
  type TuneCheckpoint,
  type Tuned,
  type TuneOptions,
  type TuneReport,
  tune,
  tuneNetwork,
  tuneWith,
} from './tune.js'
export { unitCosts } from './units/costs.js'
export { integerCrossEntropy } from './units/cross-entropy.js'
export { createEngine } from './units/engine.js'
export type { ScoreObjective } from './units/score-losses.js'
export { type UnitPolyStepOptions, type UnitState, unitPolyStep } from './units/unit-polystep.js'

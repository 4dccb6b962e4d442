// lif: leaky integrate-and-fire units (integrate-and-fire where nothing leaks; with a synaptic current, the CUBA form). Each gives 0 or 1 a step.

import { invalidNetwork } from '../../errors.js'
import { checkTensor, type Operator, oneMacAnElement, whereOf } from '../operator.js'
import { allocate, byteLength, type ElementArray, type Tensor } from '../types.js'
import { checkNeuron, checkNeuronTypes, checkParameter, integrate, MEMBRANE_LIMIT, type NeuronBase, type Parameter, parameterAt } from './neuron.js'

/** After u (NeuronBase): s = u reaches (or is above) the threshold; the membrane becomes resetTo, or u - threshold, where s; otherwise u. */
export interface LifNode extends NeuronBase<'lif'> {
  /** float32, or int32 1..65535 */
  readonly threshold: Tensor // [1 | channels | units]
  /** reaching: u >= threshold; above: u > threshold (float stage only; the integer threshold is one more) */
  readonly fires: 'reaching' | 'above'
  readonly reset: 'zero' | 'subtract'
  /** the membrane after a reset of kind zero; null: 0 */
  readonly resetTo: Tensor | null
}

/** What training and import keep learned thresholds above: float units may have any, but one at 0 fires by itself. */
export const LEAST_LEARNED_THRESHOLD = 0.01

const ownParameters = (node: LifNode): readonly Parameter[] => [
  { name: 'threshold', tensor: node.threshold, float: [-Infinity, Infinity], integer: [1, MEMBRANE_LIMIT] },
  { name: 'resetTo', tensor: node.resetTo, float: [-Infinity, Infinity], integer: [-MEMBRANE_LIMIT, MEMBRANE_LIMIT] },
]

export const lif: Operator<LifNode> = {
  kind: 'lif',
  inputs: 1,
  states: [1, 2],
  stages: ['float', 'integer'],
  checkAttributes: (node) => {
    checkNeuron(node)
    checkTensor(node.threshold, ['float32', 'int32'], [null], 'threshold values', whereOf(node))
    if (node.resetTo !== null) checkTensor(node.resetTo, ['float32', 'int32'], [null], 'resetTo values', whereOf(node))
    if (node.fires !== 'reaching' && node.fires !== 'above') throw invalidNetwork(whereOf(node), `unknown rule ${JSON.stringify(node.fires)} of firing`)
    if (node.reset !== 'zero' && node.reset !== 'subtract') throw invalidNetwork(whereOf(node), `unknown reset ${JSON.stringify(node.reset)}`)
    if (node.reset === 'subtract' && node.resetTo !== null) throw invalidNetwork(whereOf(node), 'resetTo belongs to the reset zero')
  },
  outputShape: (_, [input]) => input ?? [],
  checkTypes: (node, types, stage) => {
    checkNeuronTypes(node, types, stage)
    for (const parameter of ownParameters(node)) checkParameter(parameter, types.output.shape, stage, whereOf(node))
    if (stage === 'integer' && node.fires === 'above') throw invalidNetwork(whereOf(node), 'integer units fire on reaching the threshold')
    const isOutput = stage === 'float' ? types.output.kind === 'float32' : types.output.kind === 'level' && types.output.levels === 1
    if (!isOutput) throw invalidNetwork(whereOf(node), `gives ${types.output.kind}, expected ${stage === 'float' ? 'float32' : 'level 0..1'}`)
  },
  evaluate: (node, [data], { output }, states) => {
    const stage = output.kind === 'float32' ? 'float' : 'integer'
    const [membrane] = states as [ElementArray]
    const out = allocate(output)
    for (let i = 0; i < out.length; i++) {
      const u = integrate(node, i, (data as ElementArray)[i] as number, states, stage)
      const threshold = parameterAt(node.threshold, i, 0)
      const isFiring = node.fires === 'above' ? u > threshold : u >= threshold
      out[i] = isFiring ? 1 : 0
      membrane[i] = !isFiring ? u : node.reset === 'subtract' ? u - threshold : parameterAt(node.resetTo, i, 0)
    }
    return out
  },
  macs: oneMacAnElement,
  /** spikes of one byte grow into sums of one or four */
  overlap: (_, { inputs, output }) => inputs.map((input) => (byteLength(input) >= byteLength(output) ? 0 : null)),
}

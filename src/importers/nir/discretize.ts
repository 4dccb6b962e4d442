// NIR's differential equations as steps of dt (docs/spiking.md, NIR): the parameters of lif and li units. Which simulator a choice equals was measured
// on its published traces.

/** euler: Norse, snnTorch, SpiNNaker2. exact: Nengo, and the continuous solution for inputs that stay for a step. exp-euler: sinabs, Rockpool (with reset subtract). */
export type Integrator = 'euler' | 'exact' | 'exp-euler'
export const INTEGRATORS: readonly Integrator[] = ['euler', 'exact', 'exp-euler']

/** What a time constant of tau becomes in a step: the share lost, and the share of the input that arrives. */
export interface Decay {
  readonly leak: number
  readonly gain: number
}

const RULES: Readonly<Record<Integrator, (ratio: number) => Decay>> = {
  euler: (ratio) => ({ leak: ratio, gain: ratio }),
  exact: (ratio) => ({ leak: -Math.expm1(-ratio), gain: -Math.expm1(-ratio) }),
  'exp-euler': (ratio) => ({ leak: -Math.expm1(-ratio), gain: ratio }),
}

/** tau x' = -x + input over a step: x += leak (0 - x) + gain input; ratio is dt / tau. */
export const decayOf = (integrator: Integrator, ratio: number): Decay => RULES[integrator](ratio)

/** Simulators that a choice of rules equals. */
export const simulatorOf = (integrator: Integrator, reset: 'zero' | 'subtract', delay: 0 | 1): string => {
  if (delay === 1) return integrator === 'euler' && reset === 'zero' ? 'Lava (float)' : 'none known'
  if (integrator === 'euler') return reset === 'zero' ? 'Norse, snnTorch, SpiNNaker2' : 'snnTorch with reset by subtraction'
  if (integrator === 'exact') return reset === 'zero' ? 'Nengo' : 'none known'
  return reset === 'subtract' ? 'Rockpool, sinabs' : 'none known'
}

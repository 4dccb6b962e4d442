// How steps become time constants again: the inverse of src/importers/nir/discretize.ts.

import { usage } from '#src/errors.js'

export interface Rules {
  readonly dt: number
  readonly reset: 'zero' | 'subtract'
  /** the time constant whose membrane loses this share in a step */
  readonly tauOf: (leak: number) => number
  /** the share of an input that arrives in such a step */
  readonly gainOf: (leak: number) => number
}

const INVERSE: Readonly<Record<string, (dt: number) => Pick<Rules, 'tauOf' | 'gainOf'>>> = {
  euler: (dt) => ({ tauOf: (leak) => dt / leak, gainOf: (leak) => leak }),
  exact: (dt) => ({ tauOf: (leak) => -dt / Math.log1p(-leak), gainOf: (leak) => leak }),
  'exp-euler': (dt) => ({ tauOf: (leak) => -dt / Math.log1p(-leak), gainOf: (leak) => -Math.log1p(-leak) }),
}

/** The rules a network was read with (its metadata), or what is asked for. @throws USAGE */
export const rulesOf = (metadata: Readonly<Record<string, string>>, reset: 'zero' | 'subtract'): Rules => {
  const { integrator = 'euler', dt = '0.0001' } = metadata
  const inverse = Object.hasOwn(INVERSE, integrator) ? INVERSE[integrator] : undefined
  const step = Number(dt)
  if (inverse === undefined) throw usage(`unknown integrator "${integrator}".`, `The integrators are ${Object.keys(INVERSE).join(', ')}.`)
  if (!(Number.isFinite(step) && step > 0)) throw usage(`a step of ${dt}.`, 'Give a number above 0, in seconds.')
  return { dt: step, reset, ...inverse(step) }
}

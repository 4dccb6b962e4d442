// Acrobot-v1: the two-link pendulum of Sutton (1996), equations of Sutton and Barto's book, one Runge-Kutta step of 0.2 s; reward -1 a step until the
// tip is one link above the pivot (0 at that step), cut after 500 steps.

import type { Environment } from './environment.js'

const GRAVITY = 9.8
/** both links: length 1, mass 1, centre at half, moment of inertia 1 */
const LENGTH = 1
const CENTRE = 0.5
const MASS = 1
const INERTIA = 1
const STEP_SECONDS = 0.2
const SPIN_LIMITS = [4 * Math.PI, 9 * Math.PI] as const

/** Time derivative of (theta1, theta2, spin1, spin2) under a torque on the middle joint. */
const derivative = ([theta1, theta2, spin1, spin2]: readonly [number, number, number, number], torque: number): [number, number, number, number] => {
  const d1 = MASS * CENTRE ** 2 + MASS * (LENGTH ** 2 + CENTRE ** 2 + 2 * LENGTH * CENTRE * Math.cos(theta2)) + 2 * INERTIA
  const d2 = MASS * (CENTRE ** 2 + LENGTH * CENTRE * Math.cos(theta2)) + INERTIA
  const phi2 = MASS * CENTRE * GRAVITY * Math.cos(theta1 + theta2 - Math.PI / 2)
  const phi1 =
    -MASS * LENGTH * CENTRE * spin2 ** 2 * Math.sin(theta2) -
    2 * MASS * LENGTH * CENTRE * spin2 * spin1 * Math.sin(theta2) +
    (MASS * CENTRE + MASS * LENGTH) * GRAVITY * Math.cos(theta1 - Math.PI / 2) +
    phi2
  const angular2 = (torque + (d2 / d1) * phi1 - MASS * LENGTH * CENTRE * spin1 ** 2 * Math.sin(theta2) - phi2) / (MASS * CENTRE ** 2 + INERTIA - d2 ** 2 / d1)
  return [spin1, spin2, -(d2 * angular2 + phi1) / d1, angular2]
}

type State = [number, number, number, number]
const plus = (s: State, d: State, seconds: number): State => [s[0] + seconds * d[0], s[1] + seconds * d[1], s[2] + seconds * d[2], s[3] + seconds * d[3]]

const rungeKutta = (s: State, torque: number): State => {
  const k1 = derivative(s, torque)
  const k2 = derivative(plus(s, k1, STEP_SECONDS / 2), torque)
  const k3 = derivative(plus(s, k2, STEP_SECONDS / 2), torque)
  const k4 = derivative(plus(s, k3, STEP_SECONDS), torque)
  return s.map((x, i) => x + (STEP_SECONDS / 6) * ((k1[i] as number) + 2 * (k2[i] as number) + 2 * (k3[i] as number) + (k4[i] as number))) as State
}

/** An angle in -pi..pi. */
const wrap = (angle: number): number => angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI))
const bound = (x: number, limit: number): number => Math.min(Math.max(x, -limit), limit)

/** state: theta1, theta2 (radians, 0 hangs down), spins (radians a second); action 0, 1, 2: torque -1, 0, 1. */
export const acrobot: Environment = {
  name: 'Acrobot-v1',
  observations: 6,
  actions: 3,
  maxSteps: 500,
  draws: 4,
  initial: (draws) => draws.map((u) => 0.2 * u - 0.1),
  observe: (state) => {
    const [theta1, theta2, spin1, spin2] = state as unknown as State
    return Float64Array.of(Math.cos(theta1), Math.sin(theta1), Math.cos(theta2), Math.sin(theta2), spin1, spin2)
  },
  step: (state, action) => {
    const [theta1, theta2, spin1, spin2] = rungeKutta(state as unknown as State, action - 1)
    const next = Float64Array.of(wrap(theta1), wrap(theta2), bound(spin1, SPIN_LIMITS[0]), bound(spin2, SPIN_LIMITS[1]))
    const done = -Math.cos(next[0] as number) - Math.cos((next[1] as number) + (next[0] as number)) > 1
    return { state: next, reward: done ? 0 : -1, done }
  },
}

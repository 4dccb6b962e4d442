// CartPole-v1: the cart and pole of Barto, Sutton and Anderson (1983), their equations (with Euler steps of 0.02 s) and the limits of the "v1" task:
// reward 1 a step, ended beyond 2.4 m or 12 degrees, cut after 500 steps.

import type { Environment } from './environment.js'

const GRAVITY = 9.8
const CART_MASS = 1
const POLE_MASS = 0.1
const HALF_LENGTH = 0.5
const FORCE_NEWTON = 10
const STEP_SECONDS = 0.02
const POSITION_LIMIT = 2.4
const ANGLE_LIMIT = (12 * 2 * Math.PI) / 360

/** state: position, velocity, angle, angular velocity (SI units); action 0 pushes left, 1 right. */
export const cartPole: Environment = {
  name: 'CartPole-v1',
  observations: 4,
  actions: 2,
  maxSteps: 500,
  draws: 4,
  initial: (draws) => draws.map((u) => 0.1 * u - 0.05),
  observe: (state) => state,
  step: (state, action) => {
    const [x, v, angle, spin] = state as unknown as [number, number, number, number]
    const force = action === 1 ? FORCE_NEWTON : -FORCE_NEWTON
    const mass = CART_MASS + POLE_MASS
    const sin = Math.sin(angle)
    const cos = Math.cos(angle)
    const push = (force + POLE_MASS * HALF_LENGTH * spin * spin * sin) / mass
    const angular = (GRAVITY * sin - cos * push) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * cos * cos) / mass))
    const linear = push - (POLE_MASS * HALF_LENGTH * angular * cos) / mass
    const next = Float64Array.of(x + STEP_SECONDS * v, v + STEP_SECONDS * linear, angle + STEP_SECONDS * spin, spin + STEP_SECONDS * angular)
    return { state: next, reward: 1, done: Math.abs(next[0] as number) > POSITION_LIMIT || Math.abs(next[2] as number) > ANGLE_LIMIT }
  },
}

// Numbers that change over the steps of a run: constant, linear, cosine with optional restarts.

export interface LinearSchedule {
  readonly kind: 'linear'
  readonly initial: number
  readonly target: number
  /** subtracted each step, until the target is reached */
  readonly decay: number
}

export interface CosineSchedule {
  readonly kind: 'cosine'
  readonly initial: number
  readonly target: number
  readonly steps: number
  /** absent: stays at the target. Otherwise starts again, each time over `restart` times as many steps. */
  readonly restart?: number
}

export type Schedule = LinearSchedule | CosineSchedule

/** target + (initial - target) / 2 (1 + cos(pi t / T)). */
const halfCosine = (initial: number, target: number, t: number, steps: number): number =>
  target + 0.5 * (initial - target) * (1 + Math.cos((Math.PI * Math.min(t, steps)) / steps))

const cosineAt = ({ initial, target, steps, restart }: CosineSchedule, step: number): number => {
  if (restart === undefined) return halfCosine(initial, target, step, steps)
  let start = 0
  let length = steps
  while (step - start >= length) {
    start += length
    length = Math.max(1, Math.trunc(length * restart))
  }
  return halfCosine(initial, target, step - start, length)
}

/** The value at step 0, 1, ...; a number is constant. */
export const valueAt = (schedule: number | Schedule, step: number): number => {
  if (typeof schedule === 'number') return schedule
  if (schedule.kind === 'cosine') return cosineAt(schedule, step)
  const { initial, target, decay } = schedule
  return initial >= target ? Math.max(target, initial - decay * step) : Math.min(target, initial + Math.abs(decay) * step)
}

/** A cosine from its decay a step, as the reference writes it: T = trunc((initial - target) / decay), which floating point may make one less. */
export const cosineOfDecay = (initial: number, target: number, decay: number): CosineSchedule => ({
  kind: 'cosine',
  initial,
  target,
  steps: Math.max(1, Math.trunc((initial - target) / decay)),
})

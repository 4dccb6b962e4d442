const { recipe } = await import('#models/' + (process.env.MODEL ?? 'mnist-cnn') + '/recipe.js')
import { train } from '#src/train/train.js'
const seed = Number(process.argv[2] ?? 1)
const fast = process.argv[3] === 'fast'
const over = process.argv[4] ? JSON.parse(process.argv[4]) : {}
const t0 = performance.now()
const r = await train(recipe, { seed, ...(process.env.OUT ? {output: process.env.OUT} : {}), schedule: { ...(fast ? recipe.fast! : recipe.schedule), ...over }, onProgress: (p) => { if (p.batch === p.batches) console.log(p.epoch, p.loss.toFixed(4), p.validationAccuracy, p.secondsLeft.toFixed(1)) } })
console.log(seed, r.best, r.testAccuracy, r.seconds.toFixed(1), ((performance.now() - t0) / 1000).toFixed(1), r.tf.memory().numTensors)

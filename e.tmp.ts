import { mnist } from '#src/train/mnist.js'
import { accuracyOf, tuneNetwork } from '#src/tune/tune.js'
import { levels, mlp } from './bench/polystep/images.js'
import { cpuMilliseconds } from './bench/polystep/task.js'
const [B,steps,r,fr,sm,seed]=process.argv.slice(2).map(Number)
const s=await mnist()
const t=await tuneNetwork(mlp(seed!),{data:levels(s.train),seed:seed!,batchSize:B!,steps:steps!,radius:r!,finalRadius:fr!,smoothing256:sm!,now:cpuMilliseconds})
console.log(process.argv.slice(2).join(' '),'val',(100*accuracyOf(t.last,levels(s.validation))).toFixed(2),t.seconds.toFixed(1)+'s cpu')

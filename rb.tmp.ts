import { bench } from './bench/polystep.js'
const [task,seconds,seed]=process.argv.slice(2)
await bench.run(r=>console.log(JSON.stringify(r)),{task:task!,seconds:Number(seconds),seed:Number(seed??1)})

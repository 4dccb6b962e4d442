import { INTEGER_OPERATORS, operatorNetwork, randomNetwork, kwsNetwork, resnet8Network, mlpNetwork, cnnNetwork, randomInputs } from './networks.ts'
import { wasmSession } from '#runtimes/wasm/index.js'
import { referenceSession } from '#runtimes/reference/index.js'
import assert from 'node:assert'
import { networkMacs } from '#src/network/graph.js'
const same = (a: any, b: any, what: string) => { a.forEach((x: any, i: number) => { assert.deepEqual(Buffer.from(x.buffer, x.byteOffset, x.byteLength), Buffer.from(b[i].buffer, b[i].byteOffset, b[i].byteLength), what) }) }
const N = Number(process.argv[2] ?? 30)
const kernels = (process.argv[3] ?? 'simd') as 'simd'
const only = process.argv[4]
let count = 0
for (const k of [...INTEGER_OPERATORS, 'random'] as const) { if (only && k!==only) continue; for (let s=0;s<N;s++) { const n = k==='random' ? randomNetwork(s) : operatorNetwork(k,s); const inputs = randomInputs(n, s+1, 3);
 const r = await referenceSession(n).run({count:3, inputs}); const w = await (await wasmSession(n,{kernels})).run({count:3,inputs}); same(r,w,`${k} ${s}`); count++ }}
console.log('equal', count)
if (!only) for (const f of [mlpNetwork, cnnNetwork, kwsNetwork, resnet8Network]) { const n = f(1); const inputs = randomInputs(n, 5, 5); const s = await wasmSession(n,{kernels});
 same(await referenceSession(n).run({count:5, inputs}), s.runNow({count:5,inputs}), n.name);
 const b = {count:1, inputs: randomInputs(n,5,1)}; let best = 1e9; for (let i=0;i<30;i++) { const t=performance.now(); const reps= 20; for (let j=0;j<reps;j++) s.runNow(b); best=Math.min(best,(performance.now()-t)/reps) }
 console.log(n.name, (best*1000).toFixed(1),'us', (networkMacs(n)/best/1e6).toFixed(2),'GMAC/s') }

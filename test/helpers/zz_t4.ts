import { kwsNetwork, resnet8Network, mlpNetwork, cnnNetwork, randomInputs } from './networks.ts'
import * as R from '#runtimes/onnx/index.js'
import { lowerToOnnx } from '#src/onnx/lower.js'
import { encodeOnnx } from '#src/formats/onnx.js'
import { networkMacs } from '#src/network/graph.js'
import ort from 'onnxruntime-node'
for (const dense of ['qgemm','standard'] as const) for (const f of [mlpNetwork, cnnNetwork, kwsNetwork, resnet8Network]) { const n = f(1);
 const low = lowerToOnnx(n, { form:'qlinear', weights:'int8', input:'uint8', output:'uint8', dense });
 const s = await ort.InferenceSession.create(encodeOnnx(low.model), { intraOpNumThreads:1, interOpNumThreads:1, graphOptimizationLevel:'all', executionMode:'sequential' });
 const x = randomInputs(n,5,1)[0]!; const dims=[1,...(n.values[n.inputs[0]!]!.type.shape)];
 const t = new ort.Tensor('uint8', new Uint8Array(x.buffer), dims); const feeds = {[s.inputNames[0]!]: t};
 for (let i=0;i<50;i++) await s.run(feeds)
 let best=1e9; for (let i=0;i<60;i++) { const t0=performance.now(); for (let j=0;j<20;j++) await s.run(feeds); best=Math.min(best,(performance.now()-t0)/20) }
 const b64 = new ort.Tensor('uint8', new Uint8Array(x.length*64), [64,...dims.slice(1)]); let best64=1e9
 try { for (let i=0;i<20;i++) { const t0=performance.now(); await s.run({[s.inputNames[0]!]: b64}); best64=Math.min(best64,(performance.now()-t0)) } } catch(e) { console.log(String(e)) }
 console.log(dense, n.name, (best*1000).toFixed(1),'us', (networkMacs(n)/best/1e6).toFixed(2),'GMAC/s; batch64', (best64*1000/64).toFixed(1), 'us/sample') }

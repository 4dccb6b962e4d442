import { createOnnxRuntime } from '#runtimes/onnx/index.js'
import { randomInputs, kwsNetwork, resnet8Network, mlpNetwork, cnnNetwork } from './test/helpers/networks.js'
const forms: any = { standard: {}, uint8: { weights: 'uint8' }, qgemm: { dense: 'qgemm' }, extended: { graphOptimization: 'extended' }, qdq: { form: 'qdq' } }
for (const net of [mlpNetwork(1), cnnNetwork(1), kwsNetwork(1), resnet8Network(1)]) for (const count of [1, 64]) {
  const ss: any = {}; const best: any = {}
  for (const f in forms) { ss[f] = await createOnnxRuntime({ threads: 1, ...forms[f] }).load(net); best[f] = 1e9 }
  const inputs = randomInputs(net, 3, count)
  for (let r = 0; r < 15; r++) for (const f in forms) { const k = count === 1 ? 10 : 1; const t = performance.now(); for (let i = 0; i < k; i++) await ss[f].run({ count, inputs }); best[f] = Math.min(best[f], (performance.now() - t) / k) }
  console.log(net.name, count, Object.entries(best).map(([f, b]: any) => `${f} ${(b * 1000).toFixed(1)}us`).join('  '))
  for (const f in forms) await ss[f].close()
}

import { createOnnxRuntime, areInt8SumsExact } from '#runtimes/onnx/index.js'
import { referenceRuntime } from '#runtimes/reference/index.js'
import { INTEGER_OPERATORS, operatorNetwork, randomNetwork, randomInputs, kwsNetwork, resnet8Network, mlpNetwork, cnnNetwork } from './test/helpers/networks.js'
import { exactOutputs } from '#src/network/graph.js'
console.log('probe', await areInt8SumsExact())
const check = async (net: any, opts: any, seed: number, count = 3) => {
  const inputs = randomInputs(net, seed, count)
  const a = await (await referenceRuntime.load(net)).run({ count, inputs })
  const s = await createOnnxRuntime(opts).load(net)
  const b = await s.run({ count, inputs })
  await s.close()
  let d = 0, total = 0
  for (const i of exactOutputs(net)) { total += a[i]!.length; for (let j = 0; j < a[i]!.length; j++) if (a[i]![j] !== b[i]![j]) d++ }
  let e=0; net.outputs.forEach((v:number,i:number)=>{ if(net.values[v].type.kind==='float32') for(let j=0;j<a[i]!.length;j++) e=Math.max(e,Math.abs(a[i]![j]!-b[i]![j]!)) })
  return [d, total, e]
}
const mode = JSON.parse(process.argv[2] ?? '{}'); const n = Number(process.argv[3] ?? 20)
for (const kind of [...INTEGER_OPERATORS, 'random'] as any[]) {
  let bad = 0, tot = 0, err = 0; const fails: string[] = []
  for (let seed = 0; seed < n; seed++) {
    const net = kind === 'random' ? randomNetwork(seed) : operatorNetwork(kind, seed)
    try { const [d, t, e] = await check(net, { threads: 1, ...mode }, seed); err=Math.max(err,e!); tot += t!; if (d) { bad += d!; fails.push(`${seed}:${d}/${t}`) } } catch (e) { fails.push(`${seed} ${String(e).slice(0, 200)}`) }
  }
  console.log(kind, bad, 'of', tot, 'softmax err', err, fails.slice(0, 4).join('; '))
}
for (const net of [mlpNetwork(1), cnnNetwork(1), kwsNetwork(1), resnet8Network(1)]) console.log(net.name, await check(net, { threads: 1, ...mode }, 5, 4))

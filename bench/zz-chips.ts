import { buildImage, CHIPS, runImage, withPlainKernels, type ChipName } from '../test/helpers/chips.js'
import { kwsNetwork, resnet8Network, mlpNetwork, randomInputs, operatorNetwork, randomNetwork, INTEGER_OPERATORS } from '../test/helpers/networks.js'
const names = (process.argv[2] ?? 'm0plus').split(',') as ChipName[]
const what = process.argv[3] ?? 'bench'
for (const name of names) {
  const chip = process.argv.includes('plain') ? withPlainKernels(CHIPS[name]) : CHIPS[name]
  const image = buildImage(chip, '/tmp/chips', what === 'size' ? ['CONV2D','DEPTHWISE_UNIT','AVERAGE_POOL','DENSE','RESHAPE'] : null)
  console.log(name, 'code', image.codeBytes)
  if (what === 'size') { console.log('mlp', buildImage(chip, '/tmp/chips', ['DENSE','RESHAPE']).codeBytes); continue }
  if (what === 'bench') for (const n of [kwsNetwork(1), resnet8Network(1), mlpNetwork(1)]) {
    const r = runImage(image, [{ network: n, inputs: randomInputs(n, 1) }], { reportsNodes: true })
    const i = r.instructions[0]!
    console.log(name, n.name, r.passed, r.failures, 'stack', r.stackBytes, 'total', (i.reduce((a, b) => a + b, 0) / 1e6).toFixed(3), i.map((x, k) => `${n.nodes[k]!.kind}:${x}`).join(' '))
  }
  if (what === 'test') {
    const seeds = Number(process.argv[4] ?? 10)
    const cases = INTEGER_OPERATORS.flatMap((kind) => Array.from({ length: seeds }, (_, s) => ({ label: `${kind} ${s}`, network: operatorNetwork(kind, s) }))).concat(Array.from({ length: seeds }, (_, s) => ({ label: `random ${s}`, network: randomNetwork(s) })))
    for (let at = 0; at < cases.length; at += 15) {
      const part = cases.slice(at, at + 15)
      const r = runImage(image, part.map((c) => ({ network: c.network, inputs: randomInputs(c.network, 5) })))
      if (r.failures.length) console.log(r.failures.map((f) => `${f} (${part[Number(f.split(/\s+/)[1])]!.label})`).join('\n'))
    }
    console.log(name, cases.length, 'cases done')
  }
}

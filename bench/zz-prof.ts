import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { networkBuilder, randomInputs, kwsNetwork, resnet8Network } from '../test/helpers/networks.js'
import { buildImage, CHIPS, batchBytes, type ChipName } from '../test/helpers/chips.js'
const [name, what] = process.argv.slice(2) as [ChipName, string]
const chip = CHIPS[name]
const image = buildImage(chip, '/tmp/chips', null)
const b = networkBuilder('x', 1)
const nets: Record<string, () => any> = {
  dw: () => b.build([b.depthwise(b.input([25, 5, 64], { zeroPoint: -128, scale: 0.1 }), 1, { kernel: [3, 3], relu: true })]),
  pw: () => b.build([b.conv2d(b.input([25, 5, 64], { zeroPoint: -128, scale: 0.1 }), 64, { kernel: [1, 1], relu: true })]),
  c16: () => b.build([b.conv2d(b.input([32, 32, 16], { zeroPoint: -128, scale: 0.1 }), 16, { kernel: [3, 3], relu: true })]),
  c3: () => b.build([b.conv2d(b.input([32, 32, 3], { zeroPoint: -128, scale: 0.1 }), 16, { kernel: [3, 3], relu: true })]),
  c64: () => b.build([b.conv2d(b.input([8, 8, 64], { zeroPoint: -128, scale: 0.1 }), 64, { kernel: [3, 3], relu: true })]),
  k1: () => b.build([b.conv2d(b.input([49, 10, 1], { zeroPoint: 83, scale: 0.58 }), 64, { kernel: [10, 4], stride: [2, 2], relu: true })]),
  add: () => { const x = b.input([32, 32, 16], { zeroPoint: -128, scale: 0.1 }); return b.build([b.add(x, b.input([32, 32, 16], { zeroPoint: 3, scale: 0.1 }))]) },
  gap: () => b.build([b.globalAveragePool(b.input([25, 5, 64], { zeroPoint: -128, scale: 0.1 }))]),
}
const network = nets[what]!()
writeFileSync('/tmp/batch.bin', batchBytes([{ network, inputs: randomInputs(network, 1) }], false))
const emu = chip.compiler === 'arm-none-eabi' ? 'qemu-system-arm' : 'qemu-system-riscv32'
const r = spawnSync(emu, ['-M', chip.machine, ...(chip.machine === 'virt' ? ['-bios', 'none'] : []), '-display', 'none', '-monitor', 'none', '-serial', 'none', '-semihosting-config', 'enable=on,target=native', '-singlestep', '-d', 'exec,nochain', '-D', '/tmp/exec.log', '-kernel', image.path, '-device', `loader,file=/tmp/batch.bin,addr=0x${chip.batchAddress.toString(16)},force-raw=on`], { encoding: 'utf8' })
console.log(r.stdout.trim())
const syms = execFileSync(`${chip.compiler}-nm`, ['-n', image.path], { encoding: 'utf8' }).split('\n').map((l) => l.split(' ')).filter((x) => x.length === 3 && /[tT]/.test(x[1]!) && !x[2]!.startsWith('$')).map((x) => [parseInt(x[0]!, 16) & ~1, x[2]!] as const)
const hist = new Map<number, number>()
const log = readFileSync('/tmp/exec.log', 'latin1')
for (const m of log.matchAll(/\[[0-9a-f]+\/([0-9a-f]+)\//g)) { const a = parseInt(m[1]!, 16); hist.set(a, (hist.get(a) ?? 0) + 1) }
const by = new Map<string, number>()
for (const [a, n] of hist) { let f = '?'; for (const [s, nm] of syms) { if (s <= a) f = nm; else break } by.set(f, (by.get(f) ?? 0) + n) }
for (const [f, n] of [...by].sort((x, y) => y[1] - x[1]).slice(0, 16)) console.log(f.padEnd(24), n)
if (process.argv[4]) { const lines = execFileSync(`${chip.compiler}-objdump`, ['-d', '--no-show-raw-insn', image.path], { encoding: 'utf8' }).split('\n'); let on = false; for (const l of lines) { if (/^[0-9a-f]+ </.test(l)) on = l.includes(`<${process.argv[4]}>`); if (on) { const m = /^\s*([0-9a-f]+):/.exec(l); console.log((m ? String(hist.get(parseInt(m[1]!, 16)) ?? '') : '').padStart(8), l) } } }

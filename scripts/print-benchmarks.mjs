// Runs benches and writes docs/benchmarks.md from what they print: node scripts/print-benchmarks.mjs [name ...]
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const names = process.argv.length > 2 ? process.argv.slice(2) : ['accuracy', 'memory', 'kernels', 'inference', 'chips', 'events', 'spiking']

const show = (x) =>
  x === undefined ? '' : Number.isInteger(x) ? x.toLocaleString('en-US') : Math.abs(x) >= 100 ? x.toFixed(0) : Number(x.toPrecision(4)).toString()

const section = (name) => {
  const output = execFileSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', 'bench/index.ts', name, '--json'], {
    cwd: root,
    encoding: 'utf8',
  })
  const rows = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const lines = rows.map(
    (r) => `| ${r.case} | ${r.metric} | ${show(r.value)} | ${r.unit} | ${show(r.goal)} | ${r.baseline ? `${r.baseline.name} ${show(r.baseline.value)}` : ''} |`,
  )
  return [
    `## ${name}`,
    '',
    `\`npm run bench -- ${name}\``,
    '',
    '| case | metric | value | unit | goal | baseline |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}

const head = `# Benchmarks

Written by \`node scripts/print-benchmarks.mjs\` on ${new Date().toISOString().slice(0, 10)}: ${cpus()[0].model}, ${cpus().length} cores, Node ${process.versions.node}.
A baseline is what was measured beside the value in the same run, or a bound; times move by 20 % with the machine's load, bytes and accuracies do not.

`
writeFileSync(join(root, 'docs/benchmarks.md'), `${head}${names.map(section).join('\n')}`)

// npm test: the whole suite. On Debian as root it first installs the system packages that are missing (naming each and its use); elsewhere
// it runs what can run and names at the end what was left out. With CI=true a missing tool is a failure.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const tools = JSON.parse(readFileSync(join(root, 'scripts/tools.json'), 'utf8'))
const isCi = process.env.CI === 'true'

const run = (command, args, env = {}) => {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  if (error) console.error(`cannot run ${command}: ${error.message}`)
  return error ? 1 : (status ?? 1)
}

const isPresent = ({ probe: [command, ...args] }) => spawnSync(command, args, { stdio: 'ignore' }).status === 0
const isDebianRoot = existsSync('/etc/debian_version') && process.getuid?.() === 0
const installCommand = (missing) => `apt-get install --no-install-recommends ${missing.flatMap((tool) => tool.packages).join(' ')}`

const install = (missing) => {
  console.log('installing what the tests need:')
  for (const { packages, use } of missing) console.log(`  ${packages.join(' ')}: ${use}`)
  run('apt-get', ['update', '-qq'])
  run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing.flatMap((tool) => tool.packages)], { DEBIAN_FRONTEND: 'noninteractive' })
}

let missing = tools.filter((tool) => !isPresent(tool))
if (missing.length > 0 && isDebianRoot) {
  install(missing)
  missing = missing.filter((tool) => !isPresent(tool))
}
if (missing.length > 0 && isCi) {
  console.error(`missing: ${missing.map(({ name }) => name).join(', ')}\n  as root on Debian: ${installCommand(missing)}`)
  process.exit(1)
}

const bin = (name) => join(root, 'node_modules/.bin', name)
const filters = process.argv.slice(2)
const report = join(root, 'coverage/tests.json')
mkdirSync(dirname(report), { recursive: true })
const vitest = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...(filters.length === 0 ? ['--coverage'] : []), ...filters]
const steps = [
  ...(filters.length === 0
    ? [
        ['types', bin('tsc'), ['-p', 'tsconfig.json', '--noEmit']],
        ['lint', bin('biome'), ['check', '.']],
        ['build', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json']],
        ['assets', process.execPath, ['scripts/copy-assets.mjs']],
      ]
    : []),
  ['tests', bin('vitest'), vitest],
]

const failed = steps.filter(([name, command, args]) => {
  console.log(`\n== ${name}`)
  return run(command, args, { SPIKEPORT_WITHOUT: missing.map(({ name }) => name).join(',') }) !== 0
})

const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 }
const failures = Math.max(counts.numFailedTests, failed.length)
console.log('')
for (const [name] of failed) console.log(`failed: ${name}`)
if (missing.length > 0) {
  for (const { name, use } of missing) console.log(`left out: tests that need ${name} (${use})`)
  console.log(`to add them, on Debian: sudo ${installCommand(missing)}`)
}
console.log(`${counts.numPassedTests} passed, ${failures} failed, ${counts.numPendingTests} skipped`)
process.exit(failures === 0 && counts.numPassedTests > 0 ? 0 : 1)

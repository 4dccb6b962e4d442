// The main entry stays light: importing it loads no native package, no TensorFlow.js and no protobuf.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const HEAVY = ['@tensorflow', 'onnxruntime', 'onnx-proto', 'protobufjs', 'serialport', 'rp2040js', 'h5wasm', 'commander', 'tsx/dist/esm/api']

/** Every file URL that a process resolves while it imports an entry, by a resolve hook. */
const loadedBy = (entry: string): string[] => {
  const hook = `export async function resolve(s, c, n) { const r = await n(s, c); process._rawDebug(r.url); return r }`
  const script = `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))
await import(${JSON.stringify(entry)})`
  const { stderr, status } = spawnSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', '--input-type=module', '-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return stderr.split('\n')
}

test('the main entry loads nothing heavy', () => {
  const loaded = loadedBy(resolve(ROOT, 'src/index.ts'))
  expect(loaded.some((url) => url.includes('src/network/'))).toBe(true)
  expect(loaded.filter((url) => HEAVY.some((name) => url.includes(`node_modules/${name}`)))).toEqual([])
})

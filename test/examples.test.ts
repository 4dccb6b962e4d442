// The programs of examples/ run as a user runs them, and what they print is what they promise.

import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

test('vibration: held-out recordings are told apart by the quantized network on the wasm engine', () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', 'examples/vibration.ts', '1'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  const result = JSON.parse(stdout) as Record<string, number>
  expect(result['recordings']).toBe(150)
  expect(result['wasmAccuracy']).toBeGreaterThan(0.9) // chance: 0.33
  expect(Math.abs((result['wasmAccuracy'] as number) - (result['floatAccuracy'] as number))).toBeLessThan(0.03)
})

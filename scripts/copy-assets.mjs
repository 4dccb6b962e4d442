// Copies what tsc does not emit (core.wasm) beside the built JavaScript that loads it by a relative URL.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
for (const asset of ['runtimes/wasm/core.wasm']) {
  if (!existsSync(join(root, asset))) throw new Error(`${asset} is missing: run scripts/build-core.sh`)
  mkdirSync(dirname(join(root, 'dist', asset)), { recursive: true })
  copyFileSync(join(root, asset), join(root, 'dist', asset))
}

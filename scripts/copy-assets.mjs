// Copies what tsc does not emit (the wasm modules, the page's HTML and CSS) beside the built JavaScript that loads it by a relative URL.
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
for (const asset of [
  'runtimes/wasm/core.wasm',
  'runtimes/wasm/features.wasm',
  'runtimes/wasm/tune.wasm',
  'src/view/page/index.html',
  'src/view/page/page.css',
]) {
  if (!existsSync(join(root, asset)))
    throw new Error(`${asset} is missing: wasm modules are built by scripts/build-core.sh, build-features.sh and build-tune.sh`)
  mkdirSync(dirname(join(root, 'dist', asset)), { recursive: true })
  copyFileSync(join(root, asset), join(root, 'dist', asset))
}

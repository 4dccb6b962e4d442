// Where the package lies, seen from source (src/cli) and from the build (dist/src/cli): shipped models are read from there.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const packageRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The folder of a shipped model. */
export const modelFolder = (name: string): string => join(packageRoot(), 'models', name)

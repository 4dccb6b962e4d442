// Folders of the package that the command line reads.

import { join } from 'node:path'
import { packageRoot } from '../package-root.js'

export { packageRoot }

/** The folder of a shipped model. */
export const modelFolder = (name: string): string => join(packageRoot(), 'models', name)

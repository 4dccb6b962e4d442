// Suites that need a system tool: they run where it is there, are left out by name where `npm test` said so, and fail otherwise.

import { describe } from 'vitest'
import tools from '../../scripts/tools.json' with { type: 'json' }

const without = new Set((process.env['SPIKEPORT_WITHOUT'] ?? '').split(','))

/** describe() for tests that need tools of scripts/tools.json; skipped only where `npm test` left a tool out by name. */
export const describeWith = (needed: readonly string[], name: string, suite: () => void): void => {
  for (const tool of needed) if (!tools.some((known) => known.name === tool)) throw new Error(`scripts/tools.json has no "${tool}"`)
  describe.skipIf(needed.some((tool) => without.has(tool)))(name, suite)
}

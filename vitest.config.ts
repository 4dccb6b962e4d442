import { defineConfig } from 'vitest/config'

const conditions = ['spikeport-source', 'node', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 2,
    coverage: { provider: 'v8', include: ['src/**', 'exporters/**', 'runtimes/**'], reporter: ['text-summary', 'json-summary'] },
  },
})

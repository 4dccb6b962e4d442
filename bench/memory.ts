// Bench memory: the planned arena beside the ideal live peak (inputs and outputs of a layer alive together, nothing overlapping).

import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { models } from '#models/index.js'
import { readBytes } from '#src/files.js'
import { loadNetwork } from '#src/network/net-file.js'
import type { Network } from '#src/network/types.js'
import { planArena } from '#src/plan/arena.js'
import { kwsNetwork, resnet8Network } from '../test/helpers/networks.js'
import type { Bench } from './bench.js'

const MODELS = resolve(import.meta.dirname, '../models')

const shipped = async (): Promise<readonly (readonly [string, Network])[]> => {
  const named = models.map(({ name }) => [name, join(MODELS, name, 'int8.net')] as const).filter(([, path]) => existsSync(path))
  return Promise.all(named.map(async ([name, path]) => [name, loadNetwork(await readBytes(path), path)] as const))
}

export const bench: Bench = {
  name: 'memory',
  description: 'planned arena bytes beside the ideal live peak',
  run: async (report) => {
    const shapes = [
      ['MLPerf Tiny keyword spotting', kwsNetwork(1)],
      ['MLPerf Tiny ResNet-8', resnet8Network(1)],
    ] as const
    for (const [name, network] of [...(await shipped()), ...shapes]) {
      const { arenaBytes, idealBytes } = planArena(network)
      report({ case: name, metric: 'arena', value: arenaBytes, unit: 'bytes', goal: idealBytes, baseline: { name: 'ideal live peak', value: idealBytes } })
    }
  },
}

// The fixtures of test/fixtures/events with what they must decode to, and the shared recordings beside the repository.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FormatName } from '#src/events/formats/index.js'

const fixtures = new URL('../../fixtures/events/', import.meta.url)
const shared = new URL('../../../../shared/data/', import.meta.url)

export interface Expected {
  readonly format: FormatName
  readonly geometry: readonly [number, number] | null
  readonly events: readonly (readonly [number, number, number, number])[]
  readonly triggers?: readonly (readonly [number, number, number])[]
  readonly exposures?: readonly (readonly [number, number, number, number])[]
  readonly rgb?: readonly number[]
  readonly records?: Readonly<Record<string, number>>
  readonly droppedEvents?: Readonly<Record<string, number>>
  readonly droppedBytes?: Readonly<Record<string, number>>
  readonly otherBytes: Readonly<Record<string, number>>
  readonly eventBytes: number
  readonly faults?: Readonly<Record<string, number>>
}

export const expectations: Readonly<Record<string, Expected>> = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'))

export const fixtureNames = Object.keys(expectations)

export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(name, fixtures)))

/** A file of ../shared/data; a missing one fails the test with where it should be. */
export const sharedFile = (path: string): Uint8Array => {
  const url = new URL(path, shared)
  if (!existsSync(url)) throw new Error(`${fileURLToPath(url)} is missing: these tests need the reference data beside the repository, in ../shared/data.`)
  return new Uint8Array(readFileSync(url))
}

export const isLong = process.env['SPIKEPORT_LONG_TESTS'] === '1'

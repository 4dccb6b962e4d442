// Writes firmware-stubs/tune/tables.h from the tables of src/tune/units/cross-entropy.ts. A test compares the two.
// usage: node --conditions=spikeport-source --import tsx scripts/generate-tune-tables.ts

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { tuneTables } from '../test/helpers/tune-tables.js'

writeFileSync(fileURLToPath(new URL('../firmware-stubs/tune/tables.h', import.meta.url)), tuneTables())

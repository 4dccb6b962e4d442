// Puts this checkout's own program into node_modules/.bin, so that `npx spikeport` in a clone starts it at once. Where links are not
// allowed, npx finds the package by itself, only slower.
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const link = join(dirname(fileURLToPath(import.meta.url)), '../node_modules/.bin/spikeport')
try {
  mkdirSync(dirname(link), { recursive: true })
  rmSync(link, { force: true })
  symlinkSync('../../bin/spikeport.js', link)
} catch (error) {
  console.log(`npx spikeport will start slowly: ${error.message}`)
}

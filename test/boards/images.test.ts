// The shipped firmware images: a rebuild gives the same bytes, nothing fuses multiply and add, sizes stay small, the Pico's boots.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plan } from '#src/plan/index.js'
import { BOARDS, boardOf, boardsThatFit, decodeUf2, encodeUf2, fitOn, flashBoard } from '#targets/index.js'
import { isBootable } from '#targets/transports/boot-rom.js'
// @ts-expect-error a script without types
import { buildImage, FIRMWARE, UNSHIPPED } from '../../scripts/build-firmware.mjs'
import { kwsNetwork, resnet8Network } from '../helpers/networks.js'
import { describeWith } from '../helpers/tools.js'

const IMAGES = resolve(import.meta.dirname, '../../firmware-stubs/images')
const shipped = (id: string): Buffer => readFileSync(join(IMAGES, `${id}.bin`))

test('every board that names an image has one, and every image a board', () => {
  const named = BOARDS.map((board) => board.firmware).filter((firmware) => firmware !== null)
  expect(named.sort()).toEqual(Object.keys(FIRMWARE).sort())
  for (const id of named) expect(shipped(id).length).toBeLessThan(boardOf(id).memory.firmware.bytes)
})

test('slots and firmware of a board do not overlap, and slots are whole erase blocks', () => {
  for (const { id, memory, core } of BOARDS) {
    if (core === 'host') continue
    const [a, b] = memory.slots
    expect(a.address + a.bytes, id).toBeLessThanOrEqual(b.address)
    expect(memory.firmware.address + memory.firmware.bytes + 2 * memory.eraseBlockBytes, id).toBeLessThanOrEqual(a.address)
    for (const slot of memory.slots)
      expect([slot.bytes % memory.eraseBlockBytes, (slot.address - memory.firmware.address) % memory.eraseBlockBytes], id).toEqual([0, 0])
  }
})

test('a plan says whether it fits a board, what is missing, and which boards would do', () => {
  const kws = plan(kwsNetwork(1))
  const resnet8 = plan(resnet8Network(1))
  expect(fitOn(kws, boardOf('microbit'))).toMatchObject({ fits: true, freeRamBytes: 12_000 - kws.arenaBytes })
  expect(fitOn(resnet8, boardOf('microbit'))).toMatchObject({ fits: false, freeRamBytes: 12_000 - resnet8.arenaBytes, largestLayer: resnet8.nodes[2]?.name })
  expect(boardsThatFit(resnet8, BOARDS).map(({ id }) => id)).not.toContain('microbit')
  expect(boardsThatFit(resnet8, BOARDS).map(({ id }) => id)).toContain('rpi-pico')
})

const rebuild = (prefix: string): void => {
  const ids = Object.keys(FIRMWARE).filter((id) => FIRMWARE[id].prefix === prefix)
  test.each(ids)('%s: a rebuild gives the committed bytes, without fused multiply and add', (id) => {
    const folder = mkdtempSync(join(tmpdir(), 'spikeport-elf-'))
    try {
      const image = buildImage(id, folder) as Buffer
      expect(image.equals(shipped(id)), 'run "node scripts/build-firmware.mjs" and commit the images').toBe(true)
      const { stdout } = spawnSync(`${prefix}objdump`, ['-d', join(folder, `${id}.elf`)], { encoding: 'utf8', maxBuffer: 2 ** 28 })
      expect(stdout.length).toBeGreaterThan(10_000)
      // vmla and vmls round between multiplying and adding: they are not fused
      expect(stdout.match(/\b(vfma|vfms|vfnma|vfnms)\.f|\bfn?m(add|sub)\.[sd]/g)).toBeNull()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

describeWith(['arm-gcc'], 'Cortex-M images', () => {
  rebuild('arm-none-eabi-')
  test.each(Object.keys(UNSHIPPED))('the port %s builds', (id) => void expect(buildImage(id).length).toBeGreaterThan(5_000))
})
describeWith(['riscv-gcc'], 'RISC-V images', () => rebuild('riscv64-unknown-elf-'))

describe('the Pico', () => {
  test('boots: the second stage has the checksum that the ROM wants', () => {
    expect(isBootable(shipped('rpi-pico'))).toBe(true)
    const damaged = Uint8Array.from(shipped('rpi-pico'))
    damaged[7] = (damaged[7] as number) ^ 1
    expect(isBootable(damaged)).toBe(false)
  })

  test('UF2 files hold the image in blocks for its family, and read back', () => {
    const image = shipped('rpi-pico')
    const file = encodeUf2(image, 0x10000000, 0xe48bff56)
    expect(file.length).toBe(Math.ceil(image.length / 256) * 512)
    const view = new DataView(file.buffer)
    expect([0, 4, 28, 508].map((at) => view.getUint32(at, true))).toEqual([0x0a324655, 0x9e5d5157, 0xe48bff56, 0x0ab16f30])
    const { address, image: back } = decodeUf2(file, 'x.uf2')
    expect(address).toBe(0x10000000)
    expect(image.equals(back.subarray(0, image.length))).toBe(true)
    expect(() => decodeUf2(file.subarray(1), 'x.uf2')).toThrowError(expect.objectContaining({ code: 'FILE_MALFORMED' }))
    file[513] = 0
    expect(() => decodeUf2(file, 'x.uf2')).toThrowError(/byte 512: not a UF2 block/)
  })

  test('flashing writes the UF2 file onto its drive, or says how to find it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'RPI-RP2-'))
    try {
      const report = await flashBoard(boardOf('rpi-pico'), { drive: folder })
      expect(report).toMatchObject({ method: 'uf2', what: join(folder, 'rpi-pico.uf2') })
      expect(decodeUf2(readFileSync(report.what), report.what).address).toBe(0x10000000)
      await expect(flashBoard(boardOf('rpi-pico'))).rejects.toMatchObject({ code: 'DEVICE_NO_TRANSPORT', note: expect.stringContaining('hold BOOTSEL') })
      await expect(flashBoard(boardOf('rpi-pico'), { method: 'nail' })).rejects.toMatchObject({ code: 'USAGE', note: 'Its methods: uf2, openocd.' })
      await expect(flashBoard(boardOf('mps2-an386'))).rejects.toMatchObject({ code: 'DEVICE_NO_TRANSPORT' })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

// The shipped firmware images in their emulators: a Pico in this process, the others in QEMU behind a pty that the real serialport package opens.
// Every network gives the reference's bytes, values in between included; instruction counts repeat exactly.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { models } from '#models/index.js'
import { connectDevice, type Device, deviceRuntime, profileNetwork } from '#runtimes/device/index.js'
import { referenceSession } from '#runtimes/reference/index.js'
import { testInputs } from '#src/check/inputs.js'
import type { Board } from '#src/contracts/board.js'
import { networkCapacityBytes } from '#src/contracts/board.js'
import type { Batch, Outputs } from '#src/contracts/runtime.js'
import { loadNetwork } from '#src/network/net-file.js'
import type { Network } from '#src/network/types.js'
import { plan } from '#src/plan/index.js'
import { BOARDS, fitOn, transportFor } from '#targets/index.js'
import { COARSE_OPERATORS, coarseNetwork, coarseStack } from '../helpers/coarse-networks.js'
import { cnnNetwork, INTEGER_OPERATORS, kwsNetwork, mlpNetwork, operatorNetwork, randomInputs, randomNetwork } from '../helpers/networks.js'
import { describeWith } from '../helpers/tools.js'
import { readVectors } from '../helpers/vectors.js'

const emulate = async <T>(board: Board, work: (device: Device) => Promise<T>): Promise<T> => {
  const device = await connectDevice(board, await transportFor(board, { emulate: true }))
  try {
    return await work(device)
  } finally {
    await device.close()
  }
}

/** Whether the plan fits the board, with the arena that the firmware itself says it has. */
const fits = ({ board, hello }: Device, network: Network<'integer'>): boolean =>
  fitOn(plan(network), { ...board, memory: { ...board.memory, arenaBytes: hello.arenaBytes } }).fits

/** The outputs, or null where the plan says that the network does not fit and the board refuses it. */
const runWhereItFits = async (device: Device, network: Network<'integer'>, batch: Batch): Promise<Outputs | null> => {
  if (fits(device, network)) return (await deviceRuntime(device).load(network)).run(batch)
  await expect(deviceRuntime(device).load(network), network.name).rejects.toMatchObject({ code: 'DOES_NOT_FIT' })
  return null
}

/** The reference's bytes; true where the network fits and so was run. */
const expectEqual = async (device: Device, network: Network<'integer'>, count = 1): Promise<boolean> => {
  const batch = testInputs(network, count + 3, 3)
  const outputs = await runWhereItFits(device, network, batch)
  if (outputs !== null) expect(outputs, network.name).toEqual(await referenceSession(network).run(batch))
  return outputs !== null
}

const VECTORS = readVectors()
const RECIPES = models.map(({ name }) => {
  const path = resolve(import.meta.dirname, '../../models', name, 'int8.net')
  return loadNetwork(readFileSync(path), path) as Network<'integer'>
})

const suite = (board: Board): void => {
  test('says what it is, and has the memory that its description promises', async () => {
    await emulate(board, async ({ hello }) => {
      expect(hello).toMatchObject({ board: board.id, clockHz: board.clockHz, bootStatus: 0 })
      expect(hello.slotBytes).toBe(networkCapacityBytes(board))
      expect(hello.arenaBytes).toBeGreaterThanOrEqual(board.memory.arenaBytes)
    })
  })

  test('a network of every operator, and random graphs, give the bytes of the reference', async () => {
    await emulate(board, async (device) => {
      for (const kind of INTEGER_OPERATORS) await expectEqual(device, operatorNetwork(kind, 1))
      for (const kind of COARSE_OPERATORS) await expectEqual(device, coarseNetwork(kind, 1))
      for (const seed of [1, 2]) await expectEqual(device, coarseStack(seed))
      for (const seed of [1, 2]) expect(await expectEqual(device, randomNetwork(seed))).toBe(true)
    })
  })

  test('the golden vectors of the conformance suite: 0 bytes differ', async () => {
    await emulate(board, async (device) => {
      for (const { name, network, batch, expected } of VECTORS) {
        const outputs = await runWhereItFits(device, network, batch)
        if (outputs !== null) expect(outputs, name).toEqual(expected)
      }
    })
  })

  test('the shipped recipes: 0 bytes differ on test images', async () => {
    await emulate(board, async (device) => {
      for (const network of RECIPES) {
        const batch = testInputs(network, 6, 1)
        const outputs = await runWhereItFits(device, network, batch)
        if (outputs !== null) expect(outputs, network.name).toEqual(await referenceSession(network).run(batch))
      }
    })
  })

  test('layer by layer, and whole, before and after a restart', async () => {
    await emulate(board, async (device) => {
      const network = cnnNetwork(1)
      const inputs = randomInputs(network, 5, 1)
      const session = await deviceRuntime(device).load(network)
      expect(await session.trace?.(inputs)).toEqual(await referenceSession(network).trace?.(inputs))
      await device.reset('restart')
      expect((await device.load((await import('#runtimes/device/index.js')).deviceFile(network))).wasActive).toBe(true)
      expect(await session.run({ count: 1, inputs })).toEqual(await referenceSession(network).run({ count: 1, inputs }))
      await device.selfTest()
    })
  })

  test('counts repeat exactly, and the stack stays within its bounds', async () => {
    const network = cnnNetwork(2)
    const measure = (): Promise<Awaited<ReturnType<typeof profileNetwork>>> =>
      emulate(board, async (device) => {
        await deviceRuntime(device).load(network)
        return profileNetwork(device, network)
      })
    const [first, second] = [await measure(), await measure()]
    for (const [i, row] of first.rows.entries()) expect(Math.abs(row.count - (second.rows[i]?.count ?? 0)), row.name).toBeLessThanOrEqual(1)
    expect(first.unit).toBe(board.emulator?.kind === 'qemu' ? 'instructions' : 'cycles')
    expect(first.totalCount).toBeGreaterThan(100_000)
    expect(first.stackBytes).toBeGreaterThan(0)
    expect(first.stackBytes).toBeLessThan(3_300)
  })

  test('a keyword spotting network runs; a larger one is refused where it does not fit', async () => {
    await emulate(board, async (device) => {
      expect(await expectEqual(device, kwsNetwork(1))).toBe(true)
      await expectEqual(device, mlpNetwork(1))
    })
  })
}

const ofKind = (kind: string, program?: string): readonly Board[] =>
  BOARDS.filter(({ emulator }) => emulator?.kind === kind && (program === undefined || (emulator.kind === 'qemu' && emulator.program === program)))

describe.each(ofKind('rp2040js').map((board) => [board.id, board] as const))('%s in rp2040js', (_, board) => suite(board))
describeWith(['qemu-arm'], 'in qemu-system-arm', () => {
  describe.each(ofKind('qemu', 'qemu-system-arm').map((board) => [board.id, board] as const))('%s', (_, board) => suite(board))
})
describeWith(['qemu-riscv'], 'in qemu-system-riscv32', () => {
  describe.each(ofKind('qemu', 'qemu-system-riscv32').map((board) => [board.id, board] as const))('%s', (_, board) => suite(board))
})

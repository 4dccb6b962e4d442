// The firmware as a process behind a real pseudo terminal, opened with the real serialport package: every network runs with the reference's bytes,
// loads survive cut cables, lost bytes and pulled plugs, and each mishap gives one clear error.

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectDevice, type Device, deviceFile, deviceRuntime, openConnection, profileNetwork } from '#runtimes/device/index.js'
import { referenceSession } from '#runtimes/reference/index.js'
import { compareEngines } from '#src/check/index.js'
import type { OpenTransport } from '#src/contracts/transport.js'
import { crc32 } from '#src/crc32.js'
import type { DeviceError } from '#src/errors.js'
import { sealEventnet } from '#src/formats/eventnet/index.js'
import type { Network } from '#src/network/types.js'
import { plan } from '#src/plan/index.js'
import { maxEncodedBytes } from '#src/protocol/cobs.js'
import { STATUSES } from '#src/protocol/codes.js'
import { wireBytes } from '#src/protocol/frame.js'
import { CHUNK_HEAD_BYTES, helloRequest, loadBeginRequest, loadChunkRequest, readLoadBegin, runRequest } from '#src/protocol/messages.js'
import { boardOf } from '#targets/index.js'
import { openSerial } from '#targets/transports/serial.js'
import { openTcp } from '#targets/transports/tcp.js'
import { seededIntegers } from '../helpers/fuzz.js'
import { cnnNetwork, INTEGER_OPERATORS, kwsNetwork, mlpNetwork, operatorNetwork, randomInputs, randomNetwork } from '../helpers/networks.js'
import { SPIKING_MAKERS } from '../helpers/spiking-networks.js'
import { describeWith } from '../helpers/tools.js'
import { type Build, buildC, buildHostPort, cutLine, type HostPort, ROOT, spoiledLine, startHostPort } from './host-port.js'

const board = boardOf('host')
const serial = (port: string): OpenTransport => openSerial(port, 'host', 115_200)
const cleanUp: (() => Promise<void> | void)[] = []
let build: Build

const start = async (options?: readonly string[]): Promise<HostPort> => {
  const port = await startHostPort(build.path, options)
  cleanUp.push(port.end)
  return port
}

/** Runs work with a connected device, closed afterwards. */
const withDevice = async <T>(open: OpenTransport, work: (device: Device) => Promise<T>): Promise<T> => {
  const device = await connectDevice(board, open)
  try {
    return await work(device)
  } finally {
    await device.close()
  }
}

const expectEqual = async (device: Device, network: Network<'integer'>, count = 2): Promise<void> => {
  const batch = { count, inputs: randomInputs(network, 7, count) }
  const session = await deviceRuntime(device).load(network)
  expect(await session.run(batch), network.name).toEqual(await referenceSession(network).run(batch))
}

/** The network with all weights of output channel 2 of one convolution changed. */
const withOtherWeights = (network: Network<'integer'>, index: number): Network<'integer'> => {
  const changed = structuredClone(network)
  const node = changed.nodes[index] as unknown as { readonly weights: { readonly data: Int8Array; readonly type: { readonly shape: readonly number[] } } }
  const perChannel = node.weights.data.length / (node.weights.type.shape[0] as number)
  node.weights.data.subarray(2 * perChannel, 3 * perChannel).fill(11)
  return changed
}

const activeCrc = async (device: Device): Promise<number | undefined> => (await device.info())?.crc32

describeWith(['clang', 'sanitizers'], 'host port on a pty, with sanitizers', () => {
  beforeAll(() => {
    build = buildHostPort('clang-14')
  })
  afterAll(async () => {
    for (const end of cleanUp.reverse()) await end()
    build.remove()
  })

  test('networks of every operator and random graphs give the bytes of the reference', async () => {
    const { port, complaints } = await start()
    await withDevice(serial(port), async (device) => {
      for (const kind of INTEGER_OPERATORS) for (const seed of [1, 2, 3]) await expectEqual(device, operatorNetwork(kind, seed))
      for (const make of Object.values(SPIKING_MAKERS)) for (const seed of [1, 2, 3]) await expectEqual(device, make(seed))
      for (const seed of [1, 2, 3, 4, 5]) await expectEqual(device, randomNetwork(seed))
      for (const network of [mlpNetwork(1), cnnNetwork(1), kwsNetwork(1)]) await expectEqual(device, network)
    })
    expect(complaints()).toBe('')
  })

  test('intermediate values are those of the reference, layer by layer', async () => {
    const { port } = await start()
    await withDevice(serial(port), async (device) => {
      const network = cnnNetwork(3)
      const inputs = randomInputs(network, 5, 1)
      const session = await deviceRuntime(device).load(network)
      expect(await session.trace?.(inputs)).toEqual(await referenceSession(network).trace?.(inputs))
      expect(await session.run({ count: 1, inputs })).toEqual(await referenceSession(network).run({ count: 1, inputs }))
    })
  })

  test('check finds the first layer, channel and element that differ on the board', async () => {
    const { port } = await start()
    await withDevice(serial(port), async (device) => {
      const network = cnnNetwork(3)
      const session = await deviceRuntime(device).load(withOtherWeights(network, 1))
      const engines = [
        { name: 'reference', session: referenceSession(network) },
        { name: 'host', session },
      ]
      const [, result] = await compareEngines(network, engines, { count: 1, inputs: randomInputs(network, 5, 1) })
      expect(result?.differing).toBeGreaterThan(0)
      expect(result?.first).toMatchObject({ engine: 'host', node: network.nodes[1]?.name, channel: 2 })
    })
  })

  test('the same network is not sent twice; rollback brings the one before back; constants can be read', async () => {
    const { port } = await start()
    await withDevice(serial(port), async (device) => {
      expect(await device.info()).toBeNull()
      const [a, b] = [deviceFile(cnnNetwork(1)), deviceFile(cnnNetwork(2))]
      expect(await device.load(a)).toEqual({ sentBytes: a.length, resumedAt: 0, wasActive: false })
      expect(await device.load(a)).toEqual({ sentBytes: 0, resumedAt: a.length, wasActive: true })
      await device.selfTest()
      await device.load(b)
      expect(await activeCrc(device)).toBe(crc32(b))
      await device.rollback()
      expect(await activeCrc(device)).toBe(crc32(a))
      expect(Buffer.from(await device.readNetwork(0, a.length)).equals(a)).toBe(true)
      expect((await device.info())?.nodeCount).toBe(5)
    })
  })

  test('profile counts every node', async () => {
    const { port } = await start()
    await withDevice(serial(port), async (device) => {
      const network = kwsNetwork(1)
      await device.load(deviceFile(network))
      const report = await profileNetwork(device, network)
      expect(report.rows.map((row) => row.name)).toEqual(network.nodes.map((node) => node.name))
      expect(report).toMatchObject({ unit: 'nanoseconds', totalMacs: plan(network).macs, stackBytes: null })
      expect(report.rows.reduce((sum, row) => sum + row.count, 0)).toBe(report.totalCount)
    })
  })

  test('a load keeps the line busy: 98 % of what is sent is content, and chunks follow without waiting for answers', async () => {
    const { port } = await start()
    let sentBytes = 0
    let answered = 0
    let mostUnanswered = 0
    const counted: OpenTransport = async (listener) => {
      const inner = await serial(port)({
        ...listener,
        onBytes: (bytes) => {
          answered += bytes.filter((byte) => byte === 0).length / 2
          listener.onBytes(bytes)
        },
      })
      let frames = 0
      return {
        ...inner,
        write: (bytes) => {
          sentBytes += bytes.length
          mostUnanswered = Math.max(mostUnanswered, ++frames - answered)
          return inner.write(bytes)
        },
      }
    }
    const file = deviceFile(mlpNetwork(3))
    await withDevice(counted, (device) => device.load(file))
    expect(file.length / sentBytes).toBeGreaterThan(0.98)
    expect(mostUnanswered).toBeGreaterThan(5)
  })

  test('TCP works as the serial port does', async () => {
    const { port } = await start(['--tcp', '0'])
    await withDevice(openTcp(port, 'host'), (device) => expectEqual(device, cnnNetwork(4)))
    await expect(connectDevice(board, openTcp('tcp:127.0.0.1:1', 'host'))).rejects.toMatchObject({ code: 'DEVICE_NOT_FOUND' })
    await expect(openTcp('tcp:nowhere', 'host')({ onBytes: () => {}, onClose: () => {} })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('content that is not what was announced is refused and forgotten, and the next load starts anew', async () => {
    const { port } = await start()
    const connection = await openConnection(board, serial(port))
    const file = deviceFile(operatorNetwork('add', 1))
    const wrong = crc32(file) ^ 1
    await connection.request('hello', helloRequest())
    const begin = async (crc: number): Promise<number> => readLoadBegin(await connection.request('loadBegin', loadBeginRequest(file.length, crc))).nextOffset
    expect(await begin(wrong)).toBe(0)
    await connection.request('loadChunk', loadChunkRequest(0, file))
    await expect(connection.request('loadCommit', new Uint8Array(0))).rejects.toMatchObject({ code: 'DEVICE_REFUSED', status: STATUSES.content })
    expect(await begin(wrong)).toBe(0)
    await expect(connection.request('loadChunk', loadChunkRequest(16, file.subarray(16)))).rejects.toMatchObject({ status: STATUSES.outOfOrder })
    await expect(connection.request('loadCommit', new Uint8Array(0))).rejects.toMatchObject({ status: STATUSES.incomplete })
    await expect(connection.request('run', runRequest(0))).rejects.toMatchObject({ status: STATUSES.noNetwork })
    await connection.close()
  })

  test('a reset whose answers are lost is a reset', async () => {
    const { port } = await start()
    let isLosing = false
    const lossy = spoiledLine(
      serial(port),
      (bytes) => (isLosing ? new Uint8Array(0) : bytes),
      (bytes) => bytes,
    )
    await withDevice(lossy, async (device) => {
      isLosing = true
      setTimeout(() => {
        isLosing = false
      }, 200)
      await device.reset('restart')
      expect(await device.info()).toBeNull()
    })
  })

  describeWith(['clang', 'sanitizers'], 'a load that is cut', () => {
    const old = cnnNetwork(1)
    const next = cnnNetwork(2)
    const oldFile = deviceFile(old)
    const nextFile = deviceFile(next)

    /** Cuts a load of `next` after so many wire bytes; the old network must run on, and the load be resumed. */
    const cutAndResume = async (port: string, afterBytes: number): Promise<number> => {
      await withDevice(serial(port), async (device) => {
        await device.load(oldFile)
        await device.load(operatorFile) // something else in the other slot
        await device.load(oldFile)
      })
      const cut = withDevice(cutLine(serial(port), afterBytes), (device) => device.load(nextFile))
      await expect(cut).rejects.toMatchObject({ code: 'DEVICE_GONE' })
      return withDevice(serial(port), async (device) => {
        expect([crc32(oldFile), crc32(nextFile)]).toContain(await activeCrc(device))
        if ((await activeCrc(device)) === crc32(oldFile)) await expectEqual(device, old, 1)
        const { resumedAt } = await device.load(nextFile)
        expect(await activeCrc(device)).toBe(crc32(nextFile))
        return resumedAt
      })
    }
    const operatorFile = deviceFile(operatorNetwork('dense', 1))

    test('after every frame: the old network is active, runs, and the load goes on where it stopped', async () => {
      const { port, complaints } = await start()
      const frame = wireBytes(1024)
      const frames = Math.ceil(nextFile.length / 1020)
      const resumed: number[] = []
      for (let i = 0; i < frames; i++) resumed.push(await cutAndResume(port, 40 + i * (frame - 2)))
      // how much a board has stored of what was on the line when it was cut depends on the machine's load
      expect(Math.max(...resumed)).toBeGreaterThan(0)
      await withDevice(serial(port), (device) => expectEqual(device, next))
      expect(complaints()).toBe('')
    })

    test('at 200 random bytes', async () => {
      const { port, complaints } = await start()
      const random = seededIntegers(11)
      const least = maxEncodedBytes(nextFile.length + CHUNK_HEAD_BYTES)
      for (let i = 0; i < 200; i++) await cutAndResume(port, 12 + random(least))
      await withDevice(serial(port), (device) => expectEqual(device, next))
      expect(complaints()).toBe('')
    })

    test('by pulling the plug at every write of flash: after power comes back the old network runs, and the load goes on', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'spikeport-flash-'))
      cleanUp.push(() => rmSync(folder, { recursive: true }))
      const flash = join(folder, 'flash')
      const power = (cut: number | null): Promise<HostPort> => start(['--pty', '--flash', flash, ...(cut === null ? [] : ['--cut', String(cut)])])
      let isLoaded = false
      for (let cut = 0; !isLoaded; cut++) {
        rmSync(flash, { force: true })
        const first = await power(null)
        await withDevice(serial(first.port), (device) => device.load(oldFile))
        await first.end()
        const second = await power(cut)
        isLoaded = await withDevice(serial(second.port), (device) => device.load(nextFile)).then(
          () => true,
          () => false,
        )
        await second.end()
        const third = await power(null)
        await withDevice(serial(third.port), async (device) => {
          expect(await activeCrc(device)).toBe(crc32(isLoaded ? nextFile : oldFile))
          await expectEqual(device, isLoaded ? next : old, 1)
          const { resumedAt } = await device.load(nextFile)
          if (cut > 30 && !isLoaded) expect(resumedAt).toBeGreaterThan(0)
          await expectEqual(device, next, 1)
        })
        await third.end()
      }
    })
  })

  test.each(['corrupted', 'dropped'])('one byte in a hundred is %s, both ways: the load completes and runs give right answers', async (how) => {
    const { port, complaints } = await start()
    const random = seededIntegers(how.length)
    const corrupt = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => (random(100) === 0 ? random(256) : byte))
    const drop = (bytes: Uint8Array): Uint8Array => bytes.filter(() => random(100) !== 0)
    await withDevice(spoiledLine(serial(port), how === 'corrupted' ? corrupt : drop), async (device) => {
      await expectEqual(device, cnnNetwork(5), 5)
      await expectEqual(device, operatorNetwork('softmax', 2), 5)
    })
    expect(complaints()).toBe('')
  })

  describeWith(['clang', 'sanitizers'], 'mishaps', () => {
    const failure = (work: Promise<unknown>): Promise<DeviceError> =>
      work.then(
        () => Promise.reject(new Error('it worked')),
        (error) => error as DeviceError,
      )

    test('a second process on the port: in use', async () => {
      const { port } = await start()
      await withDevice(serial(port), async () => {
        const script = `import { openSerial } from '#targets/transports/serial.js'
try { await openSerial(process.argv[2], 'host', 115200)({ onBytes() {}, onClose() {} }) } catch (error) { console.log(error.code, error.message); process.exit(0) }
process.exit(1)`
        const file = join(ROOT, `test/boards/.second-${process.pid}.ts`)
        writeFileSync(file, script)
        try {
          const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', file, port], {
            encoding: 'utf8',
            cwd: ROOT,
          })
          expect(status, stderr).toBe(0)
          expect(stdout).toBe(`DEVICE_BUSY ${port} is in use by another process.\n`)
        } finally {
          rmSync(file)
        }
      })
    })

    test('the port vanishes in mid-run: gone', async () => {
      const { port, child, end } = await start()
      const error = await failure(
        withDevice(serial(port), async (device) => {
          await device.load(oldFileFor(1))
          child.kill('SIGSTOP')
          const run = device.infer([new Uint8Array(784)], [{ value: 5, bytes: 10 }])
          child.kill('SIGKILL')
          await end()
          await run
        }),
      )
      expect(error).toMatchObject({ code: 'DEVICE_GONE', message: `${port} vanished while host was working.` })
    })

    test('the board is reset in mid-run: reset', async () => {
      const { port, child } = await start()
      await withDevice(serial(port), async (device) => {
        const network = cnnNetwork(1)
        const session = await deviceRuntime(device).load(network)
        child.kill('SIGUSR1')
        const inputs = randomInputs(network, 1, 1)
        const error = await failure(session.run({ count: 1, inputs }))
        expect(error).toMatchObject({ code: 'DEVICE_RESET', message: `host (${port}) was reset while it was working.` })
        await device.info() // greets it again
        expect(await session.run({ count: 1, inputs })).toEqual(await referenceSession(network).run({ count: 1, inputs }))
      })
    })

    test('the board is reset in mid-load: the load goes on', async () => {
      const { port, child } = await start()
      await withDevice(serial(port), async (device) => {
        const file = deviceFile(mlpNetwork(2))
        let resets = 0
        const { resumedAt } = await device.load(file, {
          onProgress: (stored) => {
            if (resets === 0 && stored > 50_000) {
              resets++
              child.kill('SIGUSR1')
            }
          },
        })
        expect(resets).toBe(1)
        expect(resumedAt % 4096).toBe(0)
        expect(await activeCrc(device)).toBe(crc32(file))
      })
    })

    test('nothing answers: silent, with the time it waited', async () => {
      const { port, child } = await start()
      child.kill('SIGSTOP')
      const error = await failure(connectDevice(board, serial(port)))
      child.kill('SIGCONT')
      expect(error).toMatchObject({ code: 'DEVICE_SILENT', message: `host (${port}) did not answer "hello" for 3000 ms.` })
    })

    test('noise answers, as at a wrong baud rate: garbled', async () => {
      const { port } = await start()
      const noise = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ((byte * 73) ^ 0x5a) & 0xff)
      const error = await failure(
        connectDevice(
          board,
          spoiledLine(serial(port), noise, (bytes) => bytes),
        ),
      )
      expect(error.code).toBe('DEVICE_GARBLED')
      expect(error.message).toMatch(/sent \d+ bytes and none of them form a frame at 115200 baud/)
      expect(error.note).toContain('--baud')
    })

    test('no such port, and no permission', async () => {
      expect(await failure(connectDevice(board, serial('/dev/ttyNONE9')))).toMatchObject({
        code: 'DEVICE_NOT_FOUND',
        message: 'there is no port /dev/ttyNONE9.',
      })
      if (process.getuid?.() !== 0) return
      const { port } = await start()
      chmodSync(port, 0o600)
      const script = `import { SerialPort } from 'serialport'
process.setgid(65534); process.setuid(65534)
const { openSerial } = await import('#targets/transports/serial.js')
try { await openSerial(process.argv[2], 'host', 115200)({ onBytes() {}, onClose() {} }) } catch (error) { console.log(error.code, error.note); process.exit(0) }
process.exit(1)`
      const file = join(ROOT, `test/boards/.nobody-${process.pid}.ts`)
      writeFileSync(file, script)
      try {
        const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=spikeport-source', '--import', 'tsx', file, port], {
          encoding: 'utf8',
          cwd: ROOT,
        })
        expect(status, stderr).toBe(0)
        expect(stdout).toMatch(
          /^DEVICE_PERMISSION Run "sudo usermod -a -G \w+ \$USER" once and log in again; for this session: sudo chmod a\+rw \/dev\/pts\/\d+\n$/,
        )
      } finally {
        rmSync(file)
      }
    })

    test('a network whose operator the firmware lacks: named by the board too', async () => {
      const { port } = await start()
      await withDevice(serial(port), async (device) => {
        await device.load(oldFileFor(1))
        const foreign = withOperatorCode(deviceFile(operatorNetwork('relu', 1)), 60)
        await expect(device.load(foreign)).rejects.toMatchObject({ code: expect.stringMatching(/FILE_MALFORMED|DEVICE_OPERATOR_MISSING/) })
        expect(await activeCrc(device)).toBe(crc32(oldFileFor(1)))
      })
    })

    const oldFileFor = (seed: number): Uint8Array => deviceFile(cnnNetwork(seed))

    /** Changes the operator code of the first node and the checksum. */
    const withOperatorCode = (file: Uint8Array, code: number): Uint8Array => {
      const bytes = file.slice()
      const view = new DataView(bytes.buffer)
      const graph = view.getUint32(48 + 4, true)
      const node = view.getUint32(graph + 4, true)
      view.setUint16(graph + node, code, true)
      sealEventnet(bytes)
      return bytes
    }
  })

  test('pulling the plug at every flash operation, in C', () => {
    const program = buildC('clang-14', 'test/c/protocol-flash.c', ['-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'])
    const folder = mkdtempSync(join(tmpdir(), 'spikeport-flash-'))
    try {
      const paths = [1, 2].map((seed) => {
        const path = join(folder, `${seed}.evn`)
        writeFileSync(path, deviceFile(cnnNetwork(seed)))
        return path
      })
      const { status, stdout, stderr } = spawnSync(program.path, paths, { encoding: 'utf8' })
      expect(stderr).toBe('')
      expect(status).toBe(0)
      expect(Number(/(\d+) cuts/.exec(stdout)?.[1])).toBeGreaterThan(100)
    } finally {
      rmSync(folder, { recursive: true })
      program.remove()
    }
  })

  test.each(['protocol', 'loader'])('libFuzzer finds nothing in the %s in a bounded number of runs', (target) => {
    const program = buildC('clang-14', `test/c/fuzz-${target}.c`, ['-O1', '-g', '-fsanitize=fuzzer,address,undefined', '-fno-sanitize-recover=all'])
    const found = mkdtempSync(join(tmpdir(), 'spikeport-fuzz-')) // new inputs go to the first folder
    try {
      const { status, stderr } = spawnSync(program.path, ['-runs=20000', '-seed=1', '-max_total_time=60', found, join(ROOT, `test/c/corpus-${target}`)], {
        encoding: 'utf8',
        cwd: tmpdir(),
      })
      expect(status, stderr.slice(-4000)).toBe(0)
    } finally {
      rmSync(found, { recursive: true })
      program.remove()
    }
  })
})

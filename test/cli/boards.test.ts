// Commands for boards, as a user types them: on the Pico in this process, and a host port for what needs a port.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { saveNetwork } from '#src/network/net-file.js'
import { buildHostPort, startHostPort } from '../boards/host-port.js'
import { jsonLines, spikeport, temporaryFolder } from '../helpers/cli.js'
import { cnnNetwork, mlpNetwork, resnet8Network } from '../helpers/networks.js'
import { describeWith } from '../helpers/tools.js'

/** A folder with a network in it. */
const folderWith = (network = cnnNetwork(1)): string => {
  const cwd = temporaryFolder()
  writeFileSync(join(cwd, 'a.net'), saveNetwork(network))
  return cwd
}

describe('on the emulated Pico', () => {
  test('deploy loads a network and lets the board test itself', async () => {
    const cwd = folderWith()
    const result = await spikeport(['deploy', 'a.net', '--board', 'rpi-pico', '--emulate', '--json'], { cwd })
    expect(result.status, result.stderr).toBe(0)
    expect(jsonLines(result)[0]).toMatchObject({ board: 'rpi-pico', port: 'rp2040js', network: 'cnn', wasActive: false, slot: 0 })
  })

  test('check compares it with the other engines', async () => {
    const result = await spikeport(['check', 'a.net', '--on', 'reference,wasm,rpi-pico', '--limit', '4', '--json'], { cwd: folderWith() })
    expect(result.status, result.stderr).toBe(0)
    expect(jsonLines(result).map(({ engine, differing }) => [engine, differing])).toEqual([
      ['reference', 0],
      ['wasm', 0],
      ['rpi-pico', 0],
    ])
  })

  test('profile names every layer', async () => {
    const result = await spikeport(['profile', 'a.net', '--board', 'rpi-pico', '--emulate'], { cwd: folderWith() })
    expect(result.status, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/conv2d_0 +conv2d +[\d,]+ +[\d,]+ +\d+\.\d\d +[\d.]+ %/)
    expect(result.stdout).toMatch(/one inference on rpi-pico: [\d,]+ cycles; most stack in use [\d,]+ bytes/)
  })

  test('a network that is too large is refused before it is sent', async () => {
    const result = await spikeport(['deploy', 'a.net', '--board', 'rpi-pico', '--emulate'], { cwd: folderWith(resnet8Network(1)) })
    expect(result.status, result.stderr).toBe(0) // 54 KB of arena fit
    const missing = await spikeport(['deploy', 'a.net', '--board', 'nrf52840-dk', '--emulate'], { cwd: folderWith() })
    expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('DEVICE_NO_TRANSPORT: nrf52840-dk has no emulator.')])
  })

  test('reset restarts it', async () => {
    const result = await spikeport(['reset', '--board', 'rpi-pico', '--emulate'])
    expect([result.status, result.stdout]).toEqual([0, 'rpi-pico (rp2040js) was restarted and answers\n'])
  })
})

test('flash -o writes the file for the drive', async () => {
  const cwd = temporaryFolder()
  const result = await spikeport(['flash', '--board', 'rpi-pico', '-o', 'pico.uf2'], { cwd })
  expect(result.status, result.stderr).toBe(0)
  expect(readFileSync(join(cwd, 'pico.uf2')).subarray(0, 4).toString()).toBe('UF2\n')
})

test('ports lists ports, or says that there are none', async () => {
  const result = await spikeport(['ports'])
  expect(result.status, result.stderr).toBe(0)
  expect(result.stdout).toMatch(/no serial ports|port/)
})

test('unknown boards and contradicting options are wrong usage', async () => {
  const cwd = folderWith()
  const unknown = await spikeport(['deploy', 'a.net', '--board', 'toaster', '--emulate'], { cwd })
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('there is no board "toaster"')])
  const both = await spikeport(['deploy', 'a.net', '--board', 'rpi-pico', '--emulate', '--port', '/dev/null'], { cwd })
  expect([both.status, both.stderr]).toEqual([2, expect.stringContaining('exclude each other')])
})

describeWith(['gcc'], 'over a port', () => {
  test('deploy, deploy again, check, monitor', async () => {
    const build = buildHostPort('gcc')
    const { port, end, child } = await startHostPort(build.path)
    try {
      const cwd = folderWith(mlpNetwork(1))
      const deploy = ['deploy', 'a.net', '--board', 'host', '--port', port, '--json']
      expect(jsonLines(await spikeport(deploy, { cwd }))[0]).toMatchObject({ wasActive: false })
      expect(jsonLines(await spikeport(deploy, { cwd }))[0]).toMatchObject({ wasActive: true, sentBytes: 0 })
      const check = await spikeport(['check', 'a.net', '--on', `reference,host@${port}`, '--limit', '5', '--json'], { cwd })
      expect(jsonLines(check).map(({ differing }) => differing)).toEqual([0, 0])
      const monitor = spikeport(['monitor', '--port', port, '--frames', '1', '--json'])
      const presses = setInterval(() => child.kill('SIGUSR1'), 100) // the reset button, until the monitor is there
      expect(jsonLines(await monitor)).toEqual([{ message: 'log', status: 0, sequence: 0, payload: '0100' }])
      clearInterval(presses)
    } finally {
      await end()
      build.remove()
    }
  })
})

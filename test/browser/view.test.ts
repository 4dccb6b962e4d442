// The page of "spikeport events view" in headless Chromium, against a server on loopback: events are drawn, features learned, ledgers equal.

import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventnetBytes } from '#src/eventnet/index.js'
import { decodeRecording, FORMATS } from '#src/events/index.js'
import { createFeast, saveFeast } from '#src/features/index.js'
import { planArena } from '#src/plan/arena.js'
import { serveView, type ViewServer } from '#src/view/server.js'
import { recordingSource } from '#src/view/source.js'
import { describeWith } from '../helpers/tools.js'
import { readVectors } from '../helpers/vectors.js'
import { sharedFile } from '../unit/events/fixtures.js'

const whole = decodeRecording(sharedFile('events/nmnist.bin'), { format: 'nmnist', geometry: { width: 34, height: 34 } }).events
const encoder = FORMATS.evt3.createEncoder({ geometry: { width: 34, height: 34 } })
const bytes = new Uint8Array(Buffer.concat([encoder.push(whole), encoder.end()]))
const decoded = decodeRecording(bytes, { name: 'digit.raw' })

const learned = (): number[] => {
  const feast = createFeast({ geometry: { width: 34, height: 34 }, arithmetic: 'fixed' })
  feast.learn(decoded.events)
  return [...saveFeast(feast, { hasSurface: false })]
}

const MAIN = '/dist/src/view/page/main.js'
interface State {
  readonly isDone: boolean
  readonly drawn: number
  readonly ledger: unknown
  readonly learner: number[]
}
const stateOf = (page: Page): Promise<State | null> =>
  page.evaluate(`import('${MAIN}').then((m) => { const s = m.viewState(); return s && { ...s, learner: [...s.learner] } })`) as Promise<State | null>

/** Waits until an expression is true in the page; each look is a call of its own, since the page's policy allows no eval. */
const until = (page: Page, expression: string): Promise<void> => expect.poll(() => page.evaluate(expression), { timeout: 60_000 }).toBe(true)

const played = async (page: Page): Promise<State> => {
  await page.selectOption('#speed', 'max')
  await until(page, "document.getElementById('status').textContent === 'end'")
  return (await stateOf(page)) as State
}

/** Pixels of a canvas that are not black, and different colours among them. */
const colours = (page: Page, id: string): Promise<number> =>
  page.evaluate(`(() => {
    const canvas = document.getElementById('${id}')
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    return new Set(new Uint32Array(data.buffer)).size
  })()`) as Promise<number>

describeWith(['chromium'], 'the page', () => {
  let browser: Browser
  let server: ViewServer
  beforeAll(async () => {
    const source = await recordingSource({ byteLength: bytes.length, read: async (at, count) => bytes.subarray(at, at + count) }, { name: 'digit.raw' })
    server = await serveView(source, { port: 0 })
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--no-first-run'] })
  })
  afterAll(async () => {
    await browser?.close()
    await server?.close()
  })

  test('draws what the server sends, learns the bytes that Node learns, and shows the ledger of the decoder', async () => {
    const page = await browser.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    await page.goto(server.url)
    const { drawn, ledger, learner } = await played(page)
    expect(drawn).toBe(decoded.events.count)
    expect(ledger).toEqual(decoded.ledger)
    expect(learner).toEqual(learned())
    for (const id of ['events', 'surface', 'features']) expect(await colours(page, id), id).toBeGreaterThan(8)
    expect(faults).toEqual([])
    await page.close()
  })

  test('opens a dropped file without a request to the server', async () => {
    const page = await browser.newPage()
    await page.goto(server.url)
    await played(page)
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const transfer = await page.evaluateHandle(
      (values) => {
        const scope = globalThis as unknown as {
          DataTransfer: new () => { items: { add(file: unknown): void } }
          File: new (parts: unknown[], name: string) => unknown
        }
        const data = new scope.DataTransfer()
        data.items.add(new scope.File([Uint8Array.from(values)], 'dropped.raw'))
        return data
      },
      [...bytes],
    )
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer })
    await until(page, "document.getElementById('name').textContent.startsWith('dropped.raw')")
    const { drawn, ledger, learner } = await played(page)
    expect({ drawn, ledger }).toEqual({ drawn: decoded.events.count, ledger: decoded.ledger })
    expect(learner).toEqual(learned())
    expect(requests).toEqual([])
    await page.close()
  })

  test('starts at a time that is asked for', async () => {
    const page = await browser.newPage()
    await page.goto(server.url)
    await played(page)
    await page.fill('#seek', '0.1')
    await page.dispatchEvent('#seek', 'change')
    await until(page, `import('${MAIN}').then((m) => m.viewState()?.isDone === true && m.viewState().drawn < ${decoded.events.count})`)
    const from = (decoded.events.timeMicros[0] as number) + 100_000
    expect((await stateOf(page))?.drawn).toBe(decoded.events.timeMicros.filter((time) => time >= from).length)
    await page.close()
  })

  test('runs the wasm core: all golden vectors give the bytes of Node', async () => {
    const page = await browser.newPage()
    await page.goto(server.url)
    const different: string[] = []
    for (const { name, network, batch, expected } of readVectors()) {
      const file = [...eventnetBytes(network, planArena(network))]
      const inputs = batch.inputs.map((array) => ({ type: array.constructor.name, values: [...array] }))
      const outputs = (await page.evaluate(`(async () => {
        const { wasmSessionFromBytes } = await import('/dist/runtimes/wasm/index.js')
        const session = await wasmSessionFromBytes(Uint8Array.from(${JSON.stringify(file)}), 'vector')
        const inputs = ${JSON.stringify(inputs)}.map(({ type, values }) => globalThis[type].from(values))
        return session.runNow({ count: ${batch.count}, inputs }).map((array) => [...new Uint8Array(array.buffer, array.byteOffset, array.byteLength)])
      })()`)) as number[][]
      const wanted = expected.map((array) => [...new Uint8Array(array.buffer, array.byteOffset, array.byteLength)])
      if (JSON.stringify(outputs) !== JSON.stringify(wanted)) different.push(name)
    }
    expect(different).toEqual([])
    await page.close()
  })

  test('answers to its own name only, and serves nothing but the page', async () => {
    const status = async (path: string, headers: Record<string, string> = {}): Promise<number> => (await fetch(new URL(path, server.url), { headers })).status
    expect(await status('/')).toBe(200)
    expect(await status('/dist/src/../../package.json')).toBe(404)
    expect(await status('/dist/src/%2e%2e/%2e%2e/package.json')).toBe(404)
    expect(await status('/modules/hono/index.js')).toBe(404)
    expect(await status('/events?from=-1')).toBe(400)
    const policy = (await fetch(server.url)).headers.get('content-security-policy')
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe-inline')
  })
})

// The server of the page: the built modules as they are (an import map resolves "#src/"), what the source is, and its events as one long answer.
// Nothing is written, nothing comes from elsewhere, and only the host it was bound to is answered. Loaded when a page is served.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type ServerType, serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { unwritableFile } from '../errors.js'
import { readText } from '../files.js'
import { packageRoot } from '../package-root.js'
import { answerOf, type Broadcast, broadcast } from './answer.js'
import type { ViewSource } from './source.js'

/** What the page asks first. */
export interface SourceSummary {
  readonly name: string
  readonly format: string
  readonly geometry: { readonly width: number; readonly height: number }
  readonly isLive: boolean
}

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', mjs: 'text/javascript', css: 'text/css', wasm: 'application/wasm' }
/** Packages that the modules of the page import, by the names of the import map. */
const PACKAGES: Readonly<Record<string, string>> = { fzstd: 'fzstd', h5wasm: 'h5wasm' }

const scriptHash = (html: string): string => {
  const [, script = ''] = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html) ?? []
  return createHash('sha256').update(script).digest('base64')
}

const policyOf = (html: string): string =>
  [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' 'sha256-${scriptHash(html)}'`,
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/** Whether a request names a host that this server is: a page of another site whose name was pointed here does not. */
const isOurHost = (header: string | undefined, host: string): boolean => {
  const name = (header ?? '').replace(/:\d+$/, '')
  return host === '0.0.0.0' || host === '::' || name === host || name === `[${host}]` || LOOPBACK.includes(name)
}

const file = async (c: Context, path: string): Promise<Response> => {
  const type = TYPES[/\.(\w+)$/.exec(path)?.[1] ?? '']
  const found = type === undefined ? null : await stat(path).catch(() => null)
  if (type === undefined || found === null || !found.isFile()) return c.notFound()
  return c.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, { 'content-type': type, 'content-length': String(found.size) })
}

/** Frames as a body that is read only as fast as it is sent. */
const bodyOf = (frames: AsyncGenerator<Uint8Array>): ReadableStream =>
  new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await frames.next()
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      cancel: async () => {
        void frames.return(undefined)
      },
    },
    { highWaterMark: 1 },
  )

/** The page's application, for a source (null: the page opens dropped files only) and the host it is bound to. */
export const viewApp = (source: ViewSource | null, live: Broadcast | null, { html, host }: { readonly html: string; readonly host: string }): Hono => {
  const app = new Hono()
  const policy = policyOf(html)
  app.use(async (c, next) => {
    if (!isOurHost(c.req.header('host'), host)) return c.text('this server answers to its own name only', 403)
    await next()
    c.header('content-security-policy', policy)
    c.header('x-content-type-options', 'nosniff')
    c.header('referrer-policy', 'no-referrer')
    c.header('cross-origin-resource-policy', 'same-origin')
    c.header('cache-control', 'no-store')
  })
  app.get('/', (c) => c.html(html))
  app.get('/source', (c) => {
    if (source === null) return c.json(null)
    const { name, format, geometry, isLive } = source
    return c.json({ name, format, geometry, isLive } satisfies SourceSummary)
  })
  app.get('/events', async (c) => {
    if (source === null) return c.notFound()
    const from = Number(c.req.query('from') ?? 0)
    if (!Number.isFinite(from) || from < 0) return c.text('from is a time in microseconds', 400)
    const pass = live === null ? await source.open(from) : live.open()
    return c.body(bodyOf(answerOf(pass)), 200, { 'content-type': 'application/octet-stream' })
  })
  app.get('/modules/:package/:file', async (c) => {
    const name = PACKAGES[c.req.param('package')]
    if (name === undefined || !/^[\w.-]+$/.test(c.req.param('file'))) return c.notFound()
    const entry = fileURLToPath(import.meta.resolve(name))
    return file(c, join(entry, '..', c.req.param('file')))
  })
  app.get('/dist/*', (c) => {
    const path = c.req.path.slice('/dist/'.length)
    if (!/^(src|runtimes)\/[\w./-]+$/.test(path) || path.includes('..')) return c.notFound()
    return file(c, join(packageRoot(), 'dist', path))
  })
  return app
}

/** A running server. */
export interface ViewServer {
  readonly url: string
  readonly close: () => Promise<void>
}

const listen = (app: Hono, host: string, port: number): Promise<{ server: ServerType; port: number }> =>
  new Promise((done, fail) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (info) => done({ server, port: info.port }))
    server.once('error', fail)
  })

/**
 * Serves the page for a source. Port 0 takes a free one.
 * @throws FILE_UNREADABLE where the package was not built, FILE_UNWRITABLE where the port cannot be had
 */
export const serveView = async (source: ViewSource | null, { host = '127.0.0.1', port = 8080 }: { host?: string; port?: number } = {}): Promise<ViewServer> => {
  const html = await readText(join(packageRoot(), 'dist/src/view/page/index.html'))
  const live = source?.isLive === true ? broadcast(source) : null
  const { server, port: bound } = await listen(viewApp(source, live, { html, host }), host, port).catch((error: unknown) => {
    throw unwritableFile(`${host}:${port}`, error)
  })
  live?.run().catch(() => {}) // every viewer is told
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
}

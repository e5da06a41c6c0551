import { request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { below, broken, createRandom, mutated, pick } from '../support/fuzz.ts'
import { openApiOf } from '../support/openapi.ts'
import { type Shape, valueIn } from '../support/schema-values.ts'

type Operation = {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema?: Shape }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Shape }>> }
}

let daemon: Daemon
beforeAll(async () => {
  daemon = await startDaemon({ GATE_AUTH__MODE: 'token,password,device' })
})
afterAll(async () => {
  await daemon.stop()
  daemon.remove()
})

const IDS = [
  'x',
  'own',
  '..',
  '.',
  '%2e%2e%2f',
  '%00',
  '%ff',
  '%',
  'log.level',
  'constructor',
  '__proto__',
  'a'.repeat(300),
]
const QUERIES = ['', '1', '-1', '7d', '1e9d', 'day', 'null', '%', '%00', '2026-11-30', "';--", 'x'.repeat(3_000)]

type Answered = { readonly status: number; readonly type: string; readonly text: string }

/** Sends bytes that `fetch` would refuse to; what comes after a second of a stream is not waited for. */
function send(method: string, path: string, body: Buffer | null, type: string, socketPath?: string): Promise<Answered> {
  const { hostname, port } = new URL(daemon.url)
  const to = socketPath === undefined ? { host: hostname, port } : { socketPath }
  const headers = {
    authorization: `Bearer ${daemon.key}`,
    connection: 'close',
    ...(body !== null && { 'content-type': type, 'content-length': body.length }),
  }
  return new Promise((resolve, reject) => {
    const sent = request({ ...to, method, path, headers, agent: false }, (response) => {
      let text = ''
      const { statusCode: status = 0 } = response
      const [media = ''] = (response.headers['content-type'] ?? '').split(';')
      const done = () => resolve({ status, type: media, text })
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      response.once('end', done).once('error', done)
      if (media === 'text/event-stream' || media === 'application/x-ndjson') {
        sent.destroy()
        done()
      }
    })
    sent.once('error', reject)
    sent.end(body ?? undefined)
  })
}

/** Ends what is used to ask, or the daemon's way to be asked. */
const LEFT_OUT = /^\/auth\/(?:logout|rotate-token)$|\/keys\/\{path\}$/

test.each([
  { way: 'HTTPS', seed: 14 },
  { way: 'the socket', seed: 15 },
])(
  'whatever is asked of a route over $way, it answers in its own words and goes on',
  async ({ way, seed }) => {
    const random = createRandom(seed)
    const { document, routes, faults } = await openApiOf(daemon.url)
    const socketPath = way === 'HTTPS' ? undefined : join(daemon.stateDirectory, 'admin.sock')
    const wrong: string[] = []
    for (let round = sampled(3, 200); round > 0; round -= 1) {
      for (const route of routes) {
        if (!route.isApi || LEFT_OUT.test(route.path)) continue
        const operation = document.paths[route.path]?.[route.method.toLowerCase()] as Operation | undefined
        const path = route.path.replaceAll(/\{\w+\}/g, () => pick(random, IDS))
        const asked = (operation?.parameters ?? []).filter((each) => each.in === 'query' && random() < 0.6)
        const query = asked.map(({ name, schema = {} }) => {
          const value = random() < 0.5 ? pick(random, QUERIES) : encodeURIComponent(String(valueIn(random, schema)))
          return `${name}=${value}`
        })
        const [type = 'application/json', content] = Object.entries(operation?.requestBody?.content ?? {})[0] ?? []
        const valid = valueIn(random, content?.schema ?? {})
        const value = [valid, mutated(random, valid), mutated(random, mutated(random, valid))][below(random, 3)]
        const text = Buffer.from(JSON.stringify(value) ?? '')
        const body = content === undefined ? null : random() < 0.2 ? broken(random, text) : text
        const target = query.length === 0 ? path : `${path}?${query.join('&')}`
        const what = `${route.method} ${target.slice(0, 200)} ${body?.toString('latin1').slice(0, 200) ?? ''}`
        try {
          const answer = await send(route.method, target, body, type, socketPath)
          if (answer.status >= 500 && answer.status !== 503)
            wrong.push(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`)
          else if (socketPath === undefined && answer.text !== '' && !target.includes('%'))
            for (const fault of faults(route, answer.status, answer.type, answer.text)) wrong.push(`${what}: ${fault}`)
        } catch (error) {
          wrong.push(`${what}: ${String(error)}`)
        }
      }
    }
    expect(wrong).toEqual([])
    expect(await send('GET', '/api/admin/system', null, '')).toMatchObject({ status: 200 })
    expect(daemon.process.exitCode).toBe(null)
    expect(daemon.output()).not.toMatch(/"message":"(?:API|admin) request failed"|uncaught|unhandled/i)
  },
  120_000,
)

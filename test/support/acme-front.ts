import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Pebble } from './pebble.ts'

/** What Pebble does not do, and CAs do: limits, renewal information, a clock of its own. */
export type AcmeFront = {
  readonly directory: string
  /** Seconds that new orders are refused for; 0: not at all. */
  limitSeconds: number
  /** How far its clock is ahead. */
  aheadMs: number
  /** When it wants renewals; null: it has no renewal information. */
  window: { readonly start: Date; readonly end: Date } | null
  /** Payloads of orders that came, refused ones included. */
  readonly orders: Record<string, unknown>[]
  readonly close: () => void
}

/** Passes everything on to Pebble, which makes its addresses of the host that it was asked for. */
export async function startAcmeFront(pebble: Pebble): Promise<AcmeFront> {
  const ca = readFileSync(pebble.caFile, 'utf8')
  const key = readFileSync(pebble.caFile.replace(/cert\.pem$/, 'key.pem'), 'utf8')
  const { port } = new URL(pebble.directory)
  const server = createServer({ cert: ca, key }, (asked, response) => {
    void answer(asked).then(({ status, headers, text }) => {
      const date = new Date(Date.now() + front.aheadMs).toUTCString()
      response.writeHead(status, { ...headers, date }).end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `https://localhost:${(server.address() as AddressInfo).port}`

  async function answer(asked: IncomingMessage) {
    const body = await textOf(asked)
    if (asked.url?.startsWith('/ari/') === true) {
      const suggestedWindow = { start: front.window?.start.toISOString(), end: front.window?.end.toISOString() }
      return { status: 200, headers: { 'content-type': 'application/json' }, text: JSON.stringify({ suggestedWindow }) }
    }
    const isOrder = asked.url === '/order-plz'
    const isLimited = isOrder && front.limitSeconds > 0
    const passed = isLimited ? limited(front.limitSeconds) : await pass(asked, body)
    // what was rejected for its nonce comes again
    if (isOrder && !passed.text.includes('badNonce')) front.orders.push(payloadOf(body))
    if (asked.url !== '/dir' || asked.method === 'HEAD' || front.window === null) return passed
    const text = JSON.stringify({ ...JSON.parse(passed.text), renewalInfo: `${origin}/ari` })
    return { ...passed, text }
  }

  function pass(asked: IncomingMessage, body: string): Promise<Passed> {
    return new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, servername: 'localhost', ca, method: asked.method, path: asked.url }
      const sent = request({ ...options, headers: asked.headers }, (found) => {
        void textOf(found).then((text) => {
          const { 'content-length': _, 'transfer-encoding': __, ...headers } = found.headers
          resolve({ status: found.statusCode ?? 502, headers, text })
        })
      })
      sent.once('error', () => resolve({ status: 502, headers: {}, text: '' }))
      sent.end(body)
    })
  }

  const front: AcmeFront = {
    directory: `${origin}/dir`,
    limitSeconds: 0,
    aheadMs: 0,
    window: null,
    orders: [],
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
  return front
}

type Passed = {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly text: string
}

function limited(seconds: number): Passed {
  const problem = { type: 'urn:ietf:params:acme:error:rateLimited', detail: 'too many new orders recently' }
  const headers = { 'content-type': 'application/problem+json', 'retry-after': String(seconds) }
  return { status: 429, headers, text: JSON.stringify(problem) }
}

function payloadOf(body: string): Record<string, unknown> {
  const { payload } = JSON.parse(body) as { payload: string }
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

async function textOf(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

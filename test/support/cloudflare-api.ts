import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A record as the API shows it. */
type ZoneRecord = { readonly id: string; readonly type: string; readonly name: string; readonly content: string }

/** Told of each value that comes and goes. */
type Zone = {
  readonly set: (name: string, value: string) => Promise<void>
  readonly clear: (name: string) => Promise<void>
}

/** How a request is answered instead; `silent`: not at all. */
export type Trouble =
  | { readonly status: number; readonly headers?: OutgoingHttpHeaders; readonly body: string }
  | 'silent'
  | undefined

/**
 * What its API says to who asks too often.
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits
 */
export const tooOften = (retryAfterS: number): Trouble => ({
  status: 429,
  headers: {
    'content-type': 'application/json',
    'retry-after': String(retryAfterS),
    ratelimit: `"default";r=0;t=${retryAfterS}`,
    'ratelimit-policy': '"default";q=1200;w=300',
  },
  body: JSON.stringify({
    success: false,
    errors: [{ code: 971, message: 'Please wait and consider throttling your request speed' }],
    messages: [],
    result: null,
  }),
})

/** What its edge says when the API does not work. */
export const broken: Trouble = {
  status: 500,
  headers: { 'content-type': 'text/html' },
  body: '<html><head><title>500 Internal Server Error</title></head></html>',
}

/**
 * What Cloudflare's API v4 does of DNS, on the loopback: zones by name, records of a zone, each answer in an envelope.
 * @see https://developers.cloudflare.com/api/
 */
export async function startCloudflareApi(
  zone: string,
  token: string,
  dns: Zone,
  trouble: (call: string, text: string) => Trouble = () => undefined,
) {
  const id = randomBytes(16).toString('hex')
  const records = new Map<string, ZoneRecord>()
  const calls: string[] = []

  async function textOf(request: IncomingMessage): Promise<string> {
    let text = ''
    for await (const part of request) text += String(part)
    return text
  }

  async function answer(request: IncomingMessage, text: string): Promise<{ status: number; content: object }> {
    const url = new URL(request.url ?? '', 'http://localhost')
    const path = url.pathname.replace('/client/v4', '')
    if (request.headers.authorization !== `Bearer ${token}`) return fault(403, 9109, 'Invalid access token')
    if (path === '/zones') return found(url.searchParams.get('name') === zone ? [{ id, name: zone }] : [])
    const record = new RegExp(`^/zones/${id}/dns_records(?:/([0-9a-f]+))?$`).exec(path)
    if (record === null) return fault(404, 7003, `Could not route to ${path}`)
    if (request.method === 'POST') return await add(text)
    if (request.method === 'DELETE') return await remove(record[1] ?? '')
    return found([...records.values()].filter((one) => matches(one, url.searchParams)))
  }

  async function add(text: string) {
    const { type, name, content, ttl } = JSON.parse(text) as Record<string, unknown>
    if (typeof type !== 'string' || typeof name !== 'string' || typeof content !== 'string')
      return fault(400, 9005, 'Content for TXT record is invalid.')
    if (typeof ttl !== 'number' || (ttl !== 1 && ttl < 60)) return fault(400, 9021, 'Invalid TTL.')
    if ([...records.values()].some((one) => one.name === name && one.content === content))
      return fault(400, 81_058, 'An identical record already exists.')
    const made = { id: randomBytes(16).toString('hex'), type, name, content }
    records.set(made.id, made)
    await dns.set(name, content.replace(/^"|"$/g, ''))
    return found(made)
  }

  async function remove(recordId: string) {
    const gone = records.get(recordId)
    if (gone === undefined) return fault(404, 81_044, 'Record does not exist.')
    records.delete(recordId)
    await dns.clear(gone.name)
    return found({ id: recordId })
  }

  const server = createServer((request, response) => {
    void textOf(request).then(async (text) => {
      const call = `${request.method} ${new URL(request.url ?? '', 'http://localhost').pathname.replace('/client/v4', '')}`
      calls.push(call)
      const instead = trouble(call, text)
      if (instead === 'silent') return
      if (instead !== undefined) {
        response.writeHead(instead.status, instead.headers).end(instead.body)
        return
      }
      const { status, content } = await answer(request, text)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    calls,
    /** Records that are there now. */
    records: () => [...records.values()],
    /** A record that is there without having been asked for. */
    add(name: string, value: string): void {
      const id = randomBytes(16).toString('hex')
      records.set(id, { id, type: 'TXT', name, content: `"${value}"` })
    },
    /** Cuts every connection. */
    cut: () => server.closeAllConnections(),
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const matches = (record: ZoneRecord, query: URLSearchParams): boolean =>
  (['type', 'name', 'content'] as const).every((key) => !query.has(key) || query.get(key) === record[key])

const found = (result: object) => ({ status: 200, content: { success: true, errors: [], messages: [], result } })
const fault = (status: number, code: number, message: string) => ({
  status,
  content: { success: false, errors: [{ code, message }], messages: [], result: null },
})

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A record as the API shows it. */
type ZoneRecord = { readonly id: string; readonly type: string; readonly name: string; readonly content: string }

/** Told of each value that comes and goes. */
type Zone = {
  readonly set: (name: string, value: string) => Promise<void>
  readonly clear: (name: string) => Promise<void>
}

/**
 * What Cloudflare's API v4 does of DNS, on the loopback: zones by name, records of a zone, each answer in an envelope.
 * @see https://developers.cloudflare.com/api/
 */
export async function startCloudflareApi(zone: string, token: string, dns: Zone) {
  const id = randomBytes(16).toString('hex')
  const records = new Map<string, ZoneRecord>()
  const calls: string[] = []

  async function answer(request: IncomingMessage): Promise<{ status: number; content: object }> {
    const url = new URL(request.url ?? '', 'http://localhost')
    const path = url.pathname.replace('/client/v4', '')
    calls.push(`${request.method} ${path}`)
    if (request.headers.authorization !== `Bearer ${token}`) return fault(403, 9109, 'Invalid access token')
    if (path === '/zones') return found(url.searchParams.get('name') === zone ? [{ id, name: zone }] : [])
    const record = new RegExp(`^/zones/${id}/dns_records(?:/([0-9a-f]+))?$`).exec(path)
    if (record === null) return fault(404, 7003, `Could not route to ${path}`)
    if (request.method === 'POST') return await add(request)
    if (request.method === 'DELETE') return await remove(record[1] ?? '')
    return found([...records.values()].filter((one) => matches(one, url.searchParams)))
  }

  async function add(request: IncomingMessage) {
    let text = ''
    for await (const part of request) text += String(part)
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
    void answer(request).then(({ status, content }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    api: `http://127.0.0.1:${(server.address() as AddressInfo).port}/client/v4`,
    calls,
    /** Records that are there now. */
    records: () => [...records.values()],
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

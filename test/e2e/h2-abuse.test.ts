import { readFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { someOf } from '../support/effort.ts'
import { connectH2, type H2Client, outcomeOf, requestFields } from '../support/h2-client.ts'
import {
  continuation,
  data,
  FLAG,
  frame,
  headers,
  ping,
  priority,
  reset,
  settings,
  TYPE,
  windowUpdate,
} from '../support/h2-frames.ts'
import { type Field, indexedLiteral, integer, literals } from '../support/hpack.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

let gate: TlsDaemon
beforeAll(async () => {
  gate = await startTlsDaemon({ GATE_SERVER__HEADERS_TIMEOUT: '1s', GATE_SERVER__BODY_TIMEOUT: '2s' })
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

const BODY = chatBody('hi')
const auth = (): Field => ['authorization', `Bearer ${gate.key}`]
const JSON_TYPE: Field = ['content-type', 'application/json']
const chat = (more: readonly Field[] = []) => [
  ...requestFields('POST', '/v1/chat/completions', [auth(), JSON_TYPE]),
  ...more,
]
/** A request for the list of models, with fields in place of those of the same name. */
const models = (...other: readonly Field[]) => {
  const named = new Set(other.map(([name]) => name))
  const rest = requestFields('GET', '/v1/models', [auth()]).filter(([name]) => !named.has(name))
  return [
    ...other.filter(([name]) => name.startsWith(':')),
    ...rest,
    ...other.filter(([name]) => !name.startsWith(':')),
  ]
}

test('the request that all others here vary is answered', async () => {
  using client = await connectH2(gate.https)
  expect(await outcomeOf(client, [headers(1, literals(models()))], 1)).toMatchObject({ kind: 'answered', status: 200 })
})

test.each<{ name: string; fields: () => readonly Field[] }>([
  { name: 'a Host that disagrees with :authority', fields: () => models(['host', 'elsewhere.test']) },
  { name: 'two Hosts', fields: () => [...models(), ['host', 'localhost'], ['host', 'elsewhere.test']] },
  { name: 'a user in :authority', fields: () => models([':authority', 'user@localhost']) },
  { name: 'a path in :authority', fields: () => models([':authority', 'localhost/v1']) },
  { name: 'an empty :authority', fields: () => models([':authority', '']) },
  { name: 'no :authority and no Host', fields: () => models().filter(([name]) => name !== ':authority') },
  { name: 'a :path that is a URL', fields: () => models([':path', 'https://elsewhere.test/v1/models']) },
  { name: 'a :path without a slash', fields: () => models([':path', 'v1/models']) },
  { name: 'a :path with a space', fields: () => models([':path', '/v1/models HTTP/1.1']) },
  { name: 'a :path with a line break', fields: () => models([':path', '/v1/models\r\nx-a: b']) },
  { name: 'a :path of "*" for GET', fields: () => models([':path', '*']) },
  { name: 'a :method with a space', fields: () => models([':method', 'GET /v1/models']) },
  { name: 'a :method in lower case', fields: () => models([':method', 'get']) },
  { name: 'two Authorizations', fields: () => [...models(), ['authorization', 'Bearer other']] },
  { name: 'an expectation that is unknown', fields: () => [...models(), ['expect', '200-ok']] },
  { name: 'CONNECT', fields: () => [[':method', 'CONNECT'], [':authority', 'elsewhere.test:443'], auth()] },
  { name: 'CONNECT to a protocol', fields: () => models([':method', 'CONNECT'], [':protocol', 'websocket']) },
  { name: 'a Content-Length that is no number', fields: () => [...models(), ['content-length', '0x0']] },
  { name: 'a Content-Length below zero', fields: () => [...models(), ['content-length', '-1']] },
  { name: 'two Content-Lengths', fields: () => [...models(), ['content-length', '0'], ['content-length', '0']] },
  { name: 'a Transfer-Encoding', fields: () => [...models(), ['transfer-encoding', 'chunked']] },
])('refuses $name', async ({ fields }) => {
  using client = await connectH2(gate.https)
  const outcome = await outcomeOf(client, [headers(1, literals(fields()))], 1)
  if (outcome.kind === 'answered') expect([400, 404, 405, 417, 421]).toContain(outcome.status)
  else expect(outcome).toMatchObject({ code: 'PROTOCOL_ERROR' })
})

test('one Content-Length that is right, and one request within another, are what they seem', async () => {
  using client = await connectH2(gate.https)
  const inner = `${BODY.slice(0, -1)}, "user": "GET /v1/smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n"}`
  const sent = [headers(1, literals(chat([['content-length', String(inner.length)]])), FLAG.endHeaders), data(1, inner)]
  expect(await outcomeOf(client, sent, 1)).toMatchObject({ kind: 'answered', status: 200 })
  expect(gate.output()).not.toContain('smuggled')
})

test('headers that are too large are refused', async () => {
  using client = await connectH2(gate.https)
  const block = literals([...models(), ['x-large', 'a'.repeat(40_000)]])
  const sent = [
    headers(1, block.subarray(0, 16_384), FLAG.endStream),
    continuation(1, block.subarray(16_384, 32_768), 0),
    continuation(1, block.subarray(32_768)),
  ]
  const outcome = await outcomeOf(client, sent, 1)
  if (outcome.kind === 'answered') expect(outcome.status).toBe(431)
  else expect(outcome.kind).not.toBe('ignored')
})

test('headers that are small on the wire and large in memory are refused', async () => {
  using client = await connectH2(gate.https)
  const large = indexedLiteral(['x-large', 'a'.repeat(4_000)])
  const block = Buffer.concat([literals(models()), large, ...Array.from({ length: 4_000 }, () => integer(62, 7, 0x80))])
  const outcome = await outcomeOf(client, [headers(1, block)], 1)
  if (outcome.kind === 'answered') expect(outcome.status).toBe(431)
  else expect(outcome.kind).not.toBe('ignored')
})

test.each([
  { name: 'headers that do not end', sent: () => [headers(1, literals(models()), FLAG.endStream)] },
  { name: 'a preface and nothing more', sent: () => [] },
])('$name: the connection is ended in time', async ({ sent }) => {
  using client = await connectH2(gate.https)
  client.send(...sent())
  const isOver = ({ type }: { type: number }) => (type === TYPE.goAway ? true : undefined)
  await client.first(isOver, 20_000)
})

test('a body that does not come is refused, and other streams of the connection are answered', async () => {
  using client = await connectH2(gate.https)
  client.send(headers(1, literals(chat()), FLAG.endHeaders), data(1, '{', 0), headers(3, literals(models())))
  await client.first(({ stream, flags }) => (stream === 3 && flags & FLAG.endStream ? true : undefined))
  const ended = ({ stream, type, flags }: (typeof client.frames)[number]) =>
    type === TYPE.goAway || (stream === 1 && (type === TYPE.reset || flags & FLAG.endStream)) ? true : undefined
  await client.first(ended, 20_000)
})

/** Frames of one round of a flood; `round` counts from 0. `mayStay`: they cost the server next to nothing. */
type Flood = {
  readonly name: string
  readonly make: (round: number) => readonly Buffer[]
  readonly mayStay?: boolean
}

const odd = (round: number) => 2 * round + 1
const GET_BLOCK = () => literals(models())

const FLOODS: readonly Flood[] = [
  {
    name: 'requests that are reset at once',
    make: (round) => [headers(odd(round), GET_BLOCK()), reset(odd(round), 8)],
  },
  {
    name: 'requests that the server must reset',
    make: (round) => [headers(odd(round), GET_BLOCK()), windowUpdate(odd(round), 0)],
  },
  {
    name: 'requests that are malformed',
    make: (round) => [headers(odd(round), literals([...models(), ['connection', 'close']]))],
  },
  {
    name: 'CONTINUATION without an end',
    make: (round) =>
      round === 0 ? [headers(1, GET_BLOCK(), FLAG.endStream)] : [continuation(1, literals([[`x-${round}`, 'a']]), 0)],
  },
  {
    name: 'empty CONTINUATION without an end',
    make: (round) => (round === 0 ? [headers(1, GET_BLOCK(), FLAG.endStream)] : [continuation(1, Buffer.of(), 0)]),
  },
  { name: 'PING', make: () => [ping('flood')] },
  { name: 'SETTINGS', make: () => [settings()] },
  { name: 'SETTINGS that change the windows', make: (round) => [settings([4, 65_535 - (round % 2)])] },
  {
    name: 'empty DATA',
    make: (round) => (round === 0 ? [headers(1, literals(chat()), FLAG.endHeaders)] : [data(1, '', 0)]),
  },
  { name: 'PRIORITY', make: (round) => [priority(odd(round), 0)], mayStay: true },
  { name: 'WINDOW_UPDATE', make: () => [windowUpdate(0, 1)], mayStay: true },
  { name: 'frames of an unknown type', make: () => [frame(0x42, 0, 0, Buffer.alloc(8))], mayStay: true },
]

const ROUNDS = 30_000
const ROUNDS_AT_ONCE = 250
const MOST_RSS_BYTES = 600 * 2 ** 20

test.each(someOf(FLOODS, 3))('a flood of $name: others are served meanwhile', async (row) => {
  const { mayStay = false } = row
  const other = connectHttp2(gate.https, { rejectUnauthorized: false, servername: 'localhost' })
  using flood = await connectH2(gate.https)
  flood.socket.pause() // who floods does not read
  try {
    const sent = pour(flood, row)
    const statuses = new Set<number>()
    for (let asked = 0; asked < 5; asked += 1) statuses.add(await statusOver(other))
    const rounds = await sent
    statuses.add(await statusOver(other))
    expect([...statuses]).toEqual([200])
    if (!mayStay) expect(rounds).toBeLessThan(ROUNDS)
    expect(gate.process.exitCode).toBeNull()
    expect(await rssBytes()).toBeLessThan(MOST_RSS_BYTES)
  } finally {
    other.destroy()
  }
})

/** @returns how many rounds went out before the connection was ended, or the other side read no more */
async function pour(client: H2Client, { make, mayStay = false }: Flood): Promise<number> {
  for (let round = 0; round < ROUNDS; round += ROUNDS_AT_ONCE) {
    if (client.isClosed() || !client.socket.writable) return round
    const bytes = Buffer.concat(Array.from({ length: ROUNDS_AT_ONCE }, (_, i) => make(round + i)).flat())
    if (client.socket.write(bytes)) continue
    const isDrained = await new Promise<boolean>((resolve) => {
      const [drained, closed] = [() => end(true), () => end(false)]
      const end = (isDrained: boolean) => {
        client.socket.off('drain', drained).off('close', closed)
        resolve(isDrained)
      }
      client.socket.on('drain', drained).on('close', closed)
    })
    if (!isDrained) return round
  }
  client.socket.resume()
  if (mayStay) return (await outcomeOf(client, [])).kind === 'ignored' ? ROUNDS : ROUNDS - 1
  await client.first(({ type }) => (type === TYPE.goAway ? true : undefined))
  return ROUNDS - 1
}

function statusOver(session: ReturnType<typeof connectHttp2>): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = session.request({ ':path': '/v1/models', authorization: `Bearer ${gate.key}` })
    asked.on('response', (fields) => resolve(Number(fields[':status'])))
    asked.on('error', reject)
    asked.resume()
  })
}

async function rssBytes(): Promise<number> {
  const status = await readFile(`/proc/${gate.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024
}

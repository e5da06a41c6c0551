import { request } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { CLIENTS, type Client, type ClientName, heardIn } from '../faults/clients.ts'
import type { UpstreamDialect } from '../faults/fault-table.ts'
import { asList, SPEECHES, type Speech } from '../faults/speech.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// A client goes away after each piece of an answer, whatever the two dialects. The upstream is a backend that takes one
// request at a time: were one turn not given back, the next client would wait for it in vain.

const TOKEN = 'a-system-token-for-tests'
const UPSTREAMS = Object.keys(SPEECHES) as UpstreamDialect[]
const CLIENT_NAMES = Object.keys(CLIENTS) as ClientName[]

type Play = {
  readonly name: string
  readonly model: string
  readonly client: ClientName
  readonly upstream: UpstreamDialect
  readonly isStream: boolean
  /** How many pieces of the answer the upstream sends before the client leaves; -1: not even its headers. */
  readonly pieces: number
}
type Outcome = { readonly closedMs: number; readonly heard: number }
type LedgerRow = { readonly model: string; readonly outcome: string; readonly output: number }

const speechFor = (client: ClientName, upstream: UpstreamDialect): Speech =>
  client === 'google as a list' && upstream === 'google' ? asList(SPEECHES.google) : SPEECHES[upstream]

/** All but the last piece, after which the answer is complete. */
function playsOf(client: ClientName, upstream: UpstreamDialect): readonly Play[] {
  const { frames } = speechFor(client, upstream)
  const counts = (most: number) => Array.from({ length: most + 1 }, (_, at) => at - 1)
  const play = (isStream: boolean, pieces: number): Play => ({
    name: `${client} from ${upstream}, ${isStream ? 'stream' : 'whole'}, after ${pieces} pieces`,
    model: `${UPSTREAMS.indexOf(upstream)}-${CLIENT_NAMES.indexOf(client)}-${isStream ? 's' : 'w'}${pieces + 1}`,
    client,
    upstream,
    isStream,
    pieces,
  })
  const whole = client === 'google as a list' ? [] : counts(2).map((pieces) => play(false, pieces))
  return [...counts(frames.length - 1).map((pieces) => play(true, pieces)), ...whole]
}

/** In `npm test` two clients of each upstream: one whose bytes pass, and one that is translated for. */
const PLAYS = UPSTREAMS.flatMap((upstream, at) => {
  const clients = isLong ? CLIENT_NAMES : [upstream, CLIENT_NAMES[(at + 2) % CLIENT_NAMES.length] ?? 'anthropic']
  return clients.flatMap((client) => playsOf(client, upstream))
})
const byModel = new Map(PLAYS.map((play) => [play.model, play]))
const outcomes = new Map<string, Outcome>()
const rows: LedgerRow[] = []

/** What the upstream tells of a request: that it has sent its pieces, and when its connection was closed. */
const signals = new Map(
  PLAYS.map(({ model }) => [model, { sent: Promise.withResolvers<void>(), closed: Promise.withResolvers<number>() }]),
)
const signalsOf = (model: string) => {
  const found = signals.get(model)
  if (found === undefined) throw new Error(`no play ${model}`)
  return found
}
const wasAskedElsewhere: string[] = []

let place: ReturnType<typeof temporaryDirectory>
let upstream: Awaited<ReturnType<typeof startPiecemeal>>
let inFlight: number
beforeAll(
  async () => {
    place = temporaryDirectory()
    upstream = await startPiecemeal()
    place.write('declared.json', JSON.stringify(configOf(upstream.port)))
    const gate = await startDaemon({ GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }, place.path)
    await Promise.all(
      UPSTREAMS.map(async (dialect) => {
        for (const play of PLAYS) if (play.upstream === dialect) outcomes.set(play.model, await left(gate, play))
      }),
    )
    const metrics = await fetch(`${gate.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
    inFlight = Number(/^gate_requests_in_flight (\d+)/m.exec(await metrics.text())?.[1]) - 1
    await gate.stop()
    const database = openDatabase(place.file('gate.db'))
    rows.push(...database.prepare<[], LedgerRow>('SELECT model, outcome, output_tokens AS output FROM usage').all())
    database.close()
  },
  isLong ? 600_000 : 60_000,
)
afterAll(async () => {
  await upstream?.close()
  place?.remove()
})

function configOf(port: number): object {
  const backends = UPSTREAMS.map((dialect) => {
    const dialects = Object.fromEntries(
      UPSTREAMS.map((one) => [one.replace('-', '_'), one === dialect ? 'native' : 'translate']),
    )
    const base_url = `http://127.0.0.1:${port}/${dialect}/v1`
    return [dialect, { provider: 'custom', base_url, models: [], dialects, max_concurrent: 1, wait_timeout: '60s' }]
  })
  const other = { provider: 'custom', base_url: `http://127.0.0.1:${port}/other/v1`, models: [] }
  const models = PLAYS.map(({ model, upstream: dialect }) => {
    const targets = [
      { upstream: dialect, model },
      { upstream: 'other', model },
    ]
    return [model, { targets }]
  })
  return { backends: Object.fromEntries(backends), upstreams: { other }, models: Object.fromEntries(models) }
}

/** One client, which leaves when all that was sent has been shown to it. */
async function left(gate: Daemon, { model, client, upstream: dialect, isStream, pieces }: Play): Promise<Outcome> {
  const { path, body }: Client = CLIENTS[client]
  const { sent, closed } = signalsOf(model)
  const awaited = isStream ? piecesShown(speechFor(client, dialect), pieces) : ''
  const shown = Promise.withResolvers<void>()
  if (awaited === '') shown.resolve()
  let raw = ''
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const outgoing = request(gate.url + path(model, isStream), { method: 'POST', headers, agent: false }, (response) => {
    response.setEncoding('utf8')
    response.on('data', (text: string) => {
      raw += text
      if (heardIn(client, raw, false).text === awaited) shown.resolve()
    })
    response.on('error', () => {})
  })
  outgoing.on('error', () => {})
  outgoing.end(JSON.stringify(body(model, isStream)))
  await sent.promise
  await shown.promise
  const leftAt = performance.now()
  outgoing.destroy()
  const { text, json } = isStream ? heardIn(client, raw, false) : { text: '', json: '' }
  const heard = (text === '' ? 0 : text === 'Hel' ? 1 : 2) + (json === '' ? 0 : 1)
  return { closedMs: (await closed.promise) - leftAt, heard }
}

/** The text that a client gets of the first pieces. */
function piecesShown({ frames }: Speech, pieces: number): string {
  const shown = frames.slice(0, Math.max(0, pieces)).filter(([mark]) => mark === 'content').length
  return shown === 0 ? '' : shown === 1 ? 'Hel' : 'Hello'
}

/** An upstream that sends as many pieces of an answer as its play says, and then waits. */
async function startPiecemeal() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? 0)
      if (head === -1 || text.length < head + 4 + length) return
      const target = text.split(' ', 2)[1] ?? ''
      if (text.startsWith('GET ')) {
        const list = '{"data":[],"models":[]}' // the daemon asks whether the engine answers
        socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${list.length}\r\n\r\n${list}`)
        return
      }
      const model = /\/models\/([^:]+):/.exec(target)?.[1] ?? JSON.parse(text.slice(head + 4)).model
      if (target.startsWith('/other/')) wasAskedElsewhere.push(model)
      const { sent, closed } = signalsOf(model)
      socket.on('close', () => closed.resolve(performance.now()))
      const play = byModel.get(model)
      if (play !== undefined) socket.write(bytesOf(play), () => sent.resolve())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    close(): Promise<void> {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function bytesOf({ client, upstream: dialect, isStream, pieces }: Play): string {
  if (pieces < 0) return ''
  const { frames, streamType, whole } = speechFor(client, dialect)
  const type = isStream ? streamType : 'application/json'
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`
  const parts = isStream
    ? frames.slice(0, pieces).map(([, frame]) => frame)
    : [whole.slice(0, whole.length / 2)].slice(0, pieces)
  return head + parts.map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`).join('')
}

test.each(PLAYS)('$name: nothing goes on, and what was delivered is on the books', ({ model }) => {
  const { heard } = outcomes.get(model) as Outcome
  const own = rows.filter((row) => row.model === model)
  expect(own).toEqual([{ model, outcome: 'cancelled', output: expect.any(Number) }])
  expect(own[0]?.output).toBeGreaterThanOrEqual(heard)
})

test('no other target was asked, and nothing is in flight', () => {
  expect(wasAskedElsewhere).toEqual([])
  expect(inFlight).toBe(0)
  const times = [...outcomes.values()].map(({ closedMs }) => closedMs).sort((a, b) => a - b)
  const [median, last] = [times[Math.floor(times.length / 2)] ?? 0, times.at(-1) ?? 0]
  if (isLong)
    console.log(
      `${times.length} clients left; connections closed after ${median.toFixed(1)} ms (median), ${last.toFixed(1)} ms (longest)`,
    )
})

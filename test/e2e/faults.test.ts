import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { CLIENTS, type Client, type ClientName, type Heard, heardIn } from '../faults/clients.ts'
import { type FaultRow, ROWS, type UpstreamDialect } from '../faults/fault-table.ts'
import { LONG, startFaultyUpstream } from '../faults/faulty-upstream.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// docs/faults.md, row by row: a daemon, upstreams that fail at a byte, clients of every dialect. All at once, in
// beforeAll, since the rows in which an upstream hangs take time; each test looks at what came of its own.

const TOKEN = 'a-system-token-for-tests'
const UPSTREAMS = ['openai-chat', 'openai-responses', 'anthropic', 'google', 'ollama'] as const
const CLIENT_NAMES = Object.keys(CLIENTS) as ClientName[]
const AT_ONCE = 60

type Play = {
  readonly name: string
  /** What the client asks for; its first target has the same name at its upstream. */
  readonly model: string
  readonly row: FaultRow
  readonly client: ClientName
  readonly upstream: UpstreamDialect
  readonly hasFallback: boolean
}
type Outcome = {
  readonly status: number
  readonly raw: string
  readonly requestId: string
  /** Of the first target, as `gatectl route explain` says it. */
  readonly health: string
  readonly isCut: boolean
}
type LedgerRow = { readonly target: string; readonly outcome: string; readonly output: number }

const dialectOf = (client: ClientName) => (client === 'google as a list' ? 'google' : client)
const isPassed = (client: ClientName, upstream: UpstreamDialect) => dialectOf(client) === upstream

function fits({ form, how, upstreams = UPSTREAMS }: FaultRow, client: ClientName, upstream: UpstreamDialect): boolean {
  if (form === 'whole' && client === 'google as a list') return false
  return upstreams.includes(upstream) && (how === undefined || (how === 'passed') === isPassed(client, upstream))
}

/** Every pair in the long run; else one in which bytes pass, and one that is translated, each row's turn another. */
function pairsOf(row: FaultRow, at: number) {
  const pairs = CLIENT_NAMES.flatMap((client) => UPSTREAMS.map((upstream) => ({ client, upstream }))).filter((pair) =>
    fits(row, pair.client, pair.upstream),
  )
  if (isLong) return pairs
  const passed = pairs.filter(({ client, upstream }) => isPassed(client, upstream))
  const translated = pairs.filter(({ client, upstream }) => !isPassed(client, upstream))
  return [passed, translated].flatMap((some) => some[(at * 7) % some.length] ?? [])
}

const PLAYS: readonly Play[] = ROWS.flatMap((row, at) =>
  pairsOf(row, at).flatMap(({ client, upstream }, pair) =>
    [false, true].map((hasFallback) => ({
      name: `${row.form}, ${row.stage}: ${row.fault} (${client} to ${upstream}${hasFallback ? ', with a fallback' : ''})`,
      model: `f${at}-${pair}-${hasFallback ? 'two' : 'one'}`,
      row,
      client,
      upstream,
      hasFallback,
    })),
  ),
)
const byModel = new Map(PLAYS.map((play) => [play.model, play]))
const heardBy = new Map(PLAYS.map(({ model }) => [model, Promise.withResolvers<void>()]))
const outcomes = new Map<string, Outcome>()
const ledger = new Map<string, LedgerRow[]>()

let place: ReturnType<typeof temporaryDirectory>
let upstream: Awaited<ReturnType<typeof startFaultyUpstream>>
let inFlight: number
beforeAll(async () => {
  place = temporaryDirectory()
  upstream = await startFaultyUpstream((model) => ({
    row: byModel.get(model)?.row ?? null,
    heard: heardBy.get(model)?.promise ?? Promise.resolve(),
  }))
  place.write('declared.json', JSON.stringify(configOf()))
  const gate = await startDaemon({ GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }, place.path)
  const waiting = [...PLAYS]
  const work = async () => {
    for (let play = waiting.shift(); play !== undefined; play = waiting.shift()) {
      outcomes.set(play.model, await played(gate, play))
      if (isLong && play.hasFallback && play.row.fate.next) await earnRetry(gate)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const metrics = await fetch(`${gate.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  inFlight = Number(/^gate_requests_in_flight (\d+)/m.exec(await metrics.text())?.[1]) - 1
  await gate.stop()
  const database = openDatabase(place.file('gate.db'))
  const rows = database
    .prepare<[], LedgerRow & { id: string }>(
      'SELECT request_id AS id, target_model AS target, outcome, output_tokens AS output FROM usage ORDER BY request_id, attempt',
    )
    .all()
  for (const { id, ...row } of rows) ledger.set(id, [...(ledger.get(id) ?? []), row])
  database.close()
}, 600_000)
afterAll(async () => {
  await upstream?.close()
  place?.remove()
})

/** Upstreams that hang have a short patience, and only for what they do: others may take as long as the machine does. */
function configOf(): object {
  const upstreams = UPSTREAMS.flatMap((dialect) => {
    const dialects = Object.fromEntries(
      UPSTREAMS.map((one) => [one.replace('-', '_'), one === dialect ? 'native' : 'translate']),
    )
    const common = { provider: 'custom', base_url: upstream.urlOf(dialect), models: [], dialects }
    return [
      [dialect, { ...common, timeout: '60s', idle_timeout: '60s' }],
      [`${dialect}-slow`, { ...common, timeout: '500ms', idle_timeout: '60s' }],
      [`${dialect}-silent`, { ...common, timeout: '60s', idle_timeout: '500ms' }],
    ]
  })
  const models = PLAYS.map(({ model, upstream: dialect, row, hasFallback }) => {
    const hasNoHead = row.stage === 'before headers' || row.stage === 'in headers'
    const hangs = row.fault === 'slow' || (row.fault === 'stall' && hasNoHead)
    const suffix = hangs ? '-slow' : row.fault === 'stall' ? '-silent' : ''
    const first = { upstream: `${dialect}${suffix}`, model }
    const next = { upstream: dialect, model: `${model}-next` }
    return [model, { targets: hasFallback ? [first, next] : [first] }]
  })
  return {
    upstreams: { echo: { provider: 'echo' }, ...Object.fromEntries(upstreams) },
    models: Object.fromEntries(models),
  }
}

async function played(gate: Daemon, { model, client, row }: Play): Promise<Outcome> {
  const { promise: _, resolve: heard } = heardBy.get(model) ?? Promise.withResolvers<void>()
  if (row.fate.text === '') heard()
  const { path, body }: Client = CLIENTS[client]
  const isStream = row.form === 'stream'
  const answered = await new Promise<Omit<Outcome, 'health'>>((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const url = gate.url + path(model, isStream)
    const outgoing = request(url, { method: 'POST', headers, agent: false }, (response) => {
      let raw = ''
      const end = (isCut: boolean) =>
        resolve({
          status: response.statusCode ?? 0,
          raw,
          requestId: String(response.headers['x-request-id']),
          isCut,
        })
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        raw += text
        if (isStream && response.statusCode === 200 && heardIn(client, raw, false).text === row.fate.text) heard()
      })
      response.on('end', () => end(false))
      response.on('error', () => end(true))
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify(body(model, isStream)))
  })
  return { ...answered, health: await healthOf(model) }
}

/** One request in five may be tried again, and here it is more: so others are needed, which go well. */
async function earnRetry({ url }: Daemon): Promise<void> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  for (let i = 0; i < 5; i += 1) {
    const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: chatBody('hi') })
    await answer.text()
  }
}

function healthOf(model: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { socketPath: place.file('admin.sock'), method: 'POST', path: '/v1/route', agent: false }
    const outgoing = request(options, (response) => {
      let text = ''
      response.on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () => {
        const targets: { model: string; why: string }[] = JSON.parse(text).targets
        resolve(targets.find((target) => target.model === model)?.why ?? text)
      })
    })
    outgoing.on('error', reject)
    outgoing.end(JSON.stringify({ model }))
  })
}

const SAYS: Readonly<Record<string, RegExp>> = {
  UPSTREAM_TIMEOUT: /did not answer in time/,
  UPSTREAM_TRUNCATED: /before it(?:s answer)? was complete/,
  UPSTREAM_FAILED: /./,
}

test.each(PLAYS)('$name', ({ model, row, client, hasFallback }) => {
  const { fate } = row
  const { status, raw, requestId, health, isCut } = outcomes.get(model) as Outcome
  const isMadeGood = hasFallback && fate.next
  const isWell = isMadeGood || fate.code === null
  expect(isCut, 'the end is told, not a broken connection').toBe(false)
  expect(status, raw.slice(0, 500)).toBe(isMadeGood ? 200 : fate.status)
  const heard = status === 200 ? heardOf(client, row.form, raw) : null
  if (isWell) {
    expect(heard).toMatchObject({ text: isMadeGood ? 'Hello' : textOf(fate.text), ends: ['done'] })
    expect(JSON.parse(heard?.json ?? '')).toEqual({ city: 'Oslo' })
  } else if (heard !== null) {
    expect(heard).toMatchObject({ text: fate.text, ends: ['error'] })
    expect(heard.message).toMatch(row.fault === 'error' ? /out of memory/ : (SAYS[fate.code ?? ''] ?? /./))
  } else {
    const { error } = JSON.parse(raw)
    const message = typeof error === 'string' ? error : error.message
    // a reset may take back what was sent before it
    if (row.fault !== 'reset') expect(message).toMatch(SAYS[fate.code ?? ''] ?? /./)
    if (row.fault === 'error') expect(message).toMatch(/out of memory/)
  }
  expect(upstream.askedFor(model), 'no target is asked twice').toBe(1)
  expect(upstream.askedFor(`${model}-next`)).toBe(isMadeGood ? 1 : 0)
  const rows = ledger.get(requestId) ?? []
  expect(rows.map(({ target, outcome }) => [target, outcome])).toEqual([
    [model, fate.ledger],
    ...(isMadeGood ? [[`${model}-next`, 'ok']] : []),
  ])
  if (fate.text !== '') expect(rows[0]?.output, 'what was delivered is on the books').toBeGreaterThan(0)
  expect(health.startsWith('well'), health).toBe(fate.ledger === 'ok')
})

test('nothing is in flight when all is over', () => expect(inFlight).toBe(0))

function heardOf(client: ClientName, form: FaultRow['form'], raw: string): Heard {
  if (form === 'stream') return heardIn(client, raw, true)
  const heard: Heard = { text: '', json: '', ends: ['done'], message: '' }
  const { whole }: Client = CLIENTS[client]
  whole.call(CLIENTS[client], heard, JSON.parse(raw))
  return { ...heard, ends: ['done'] }
}

const textOf = (text: FaultRow['fate']['text']) => (text === 'long' ? `Hel${LONG}lo` : text)

import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import type { Backends } from '../../../../daemon/backends/backends.ts'
import { Answer } from '../../../../daemon/gateway/answer.ts'
import { type AttemptsParts, attempts } from '../../../../daemon/gateway/attempts.ts'
import { conclude } from '../../../../daemon/gateway/conclude.ts'
import type { Job } from '../../../../daemon/gateway/job.ts'
import { retryAfterMs } from '../../../../daemon/gateway/retry-after.ts'
import { createHeldTime } from '../../../../daemon/meter/held-time.ts'
import type { UsageRow } from '../../../../daemon/meter/usage.ts'
import { openAiChat } from '../../../../daemon/translate/openai-chat/dialect.ts'
import type { ForwardRequest } from '../../../../daemon/upstream/forward.ts'
import { createRedactor } from '../../../../daemon/upstream/redactor.ts'
import type { Upstream } from '../../../../daemon/upstream/upstream.ts'
import { GateError } from '../../../../schemas/words/errors.ts'
import { budgetsOf, PAYER } from '../../../support/budgets.ts'
import { NO_BACKENDS } from '../../../support/data-plane.ts'
import { completion, DONE, frame } from '../../../support/fake-upstream.ts'

type Handler = Parameters<ForwardRequest['dispatcher']['dispatch']>[1]
type Controller = Parameters<NonNullable<Handler['onRequestStart']>>[0]

/** undici's side of one request: a test calls the handler as undici would. */
class FakeConnection implements Controller {
  readonly rawHeaders = null
  readonly rawTrailers = null
  aborted = false
  paused = false
  reason: Error | null = null
  readonly path: string
  readonly #handler: Handler
  constructor(handler: Handler, path: string) {
    this.#handler = handler
    this.path = path
    handler.onRequestStart?.(this, {})
  }
  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#handler.onResponseError?.(this, reason)
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  head(status: number, headers: Record<string, string>): this {
    this.#handler.onResponseStart?.(this, status, headers)
    return this
  }
  data(bytes: string | Buffer): this {
    this.#handler.onResponseData?.(this, typeof bytes === 'string' ? Buffer.from(bytes) : bytes)
    return this
  }
  end(): void {
    this.#handler.onResponseEnd?.(this, {})
  }
  break(error: Error): void {
    this.#handler.onResponseError?.(this, error)
  }
  json(status: number, value: object, headers: Record<string, string> = {}): void {
    this.head(status, { 'content-type': 'application/json', ...headers })
      .data(JSON.stringify(value))
      .end()
  }
  stream(text = ''): this {
    this.head(200, { 'content-type': 'text/event-stream' })
    return text === '' ? this : this.data(text)
  }
}

/** The client's end of a ServerResponse, as far as an answer uses it. */
class FakeResponse extends EventEmitter {
  headersSent = false
  writableFinished = false
  writableLength = 0
  writableNeedDrain = false
  status = 0
  headers: string[] = []
  text = ''
  destroyed = false
  isSlow = false
  writeHead(status: number, headers: string[]): void {
    this.headersSent = true
    this.status = status
    this.headers = headers
  }
  flushHeaders(): void {}
  write(chunk: Buffer): boolean {
    this.text += chunk.toString()
    return !this.isSlow
  }
  end(chunk?: Buffer): void {
    this.text += chunk?.toString() ?? ''
    this.writableFinished = true
    this.emit('close')
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function harness(
  options: { readonly stream?: boolean; readonly turnAt?: Backends['turnAt']; readonly hold?: Job['hold'] } = {},
) {
  const response = new FakeResponse()
  const connections: FakeConnection[] = []
  const rows: UsageRow[] = []
  const health: string[] = []
  const released: [string, boolean][] = []
  const lines: string[] = []
  const settled = Promise.withResolvers<void>()
  settled.resolve()
  const books = { settle: settled.promise }
  const parts: AttemptsParts = {
    dialects: { all: [openAiChat] },
    retries: { request: () => {}, retry: () => true },
    nodeId: () => null,
    backends: {
      isAsleep: () => false,
      turnAt:
        options.turnAt ??
        ((name) => ({
          kind: 'granted',
          wait: null,
          mayRestart: false,
          release: (broke) => void released.push([name, broke]),
        })),
    },
    upstreams: { get: (name) => (name === 'gone' ? undefined : upstreamOf(name, connections)) },
    health: {
      succeeded: (target) => void health.push(`${target.upstream} succeeded`),
      failed: (target, ms) => void health.push(`${target.upstream} failed ${ms}`),
      undecided: () => {},
      begins: () => {},
      ends: () => {},
    },
    priceOf: () => null,
    longestAnswerOf: () => null,
    factsOf: () => ({}),
    budgets: budgetsOf(),
    heldTime: createHeldTime(() => 0),
    ledger: { settle: (row) => books.settle.then(() => void rows.push(row)) },
    checker: { check: async () => ({ kind: 'unchecked' }) },
    telemetry: { tells: () => true, providerOf: (upstream) => upstream },
    metrics: { attempt: () => {} },
    log: (_, message) => void lines.push(message),
    now: () => 1_000,
    monotonic: () => 0,
  }
  const answer = new Answer(response as unknown as ServerResponse, 'req_1', openAiChat, 1_000)
  const body = Buffer.from(JSON.stringify({ model: 'm', messages: [], stream: options.stream === true }))
  const [endpoint] = openAiChat.endpoints
  if (endpoint === undefined) throw new Error('no endpoint')
  const job: Job = {
    answer,
    keyId: 'k',
    allowed: null,
    payer: PAYER,
    unheeded: [],
    category: '',
    dialect: openAiChat,
    call: { endpoint, param: '', url: endpoint.path, headers: { 'user-agent': 'u', cookie: 'c' }, body },
    asked: { model: 'm', stream: options.stream === true },
    hold: options.hold ?? (() => {}),
  }
  return {
    response,
    connections,
    rows,
    health,
    released,
    lines,
    answer,
    books,
    run: (...upstreams: string[]) =>
      attempts(
        parts,
        job,
        upstreams.map((upstream) => ({ upstream, model: 'm', weight: 1 })),
      ).then((conclusion) => {
        conclude(
          answer,
          conclusion,
          () => Date.UTC(2026, 0, 1),
          (name) => ({ table: 'upstreams', provider: name === 'peer' ? 'peer' : 'custom' }),
        )
        return conclusion
      }),
    /** The connection of attempt number `at`, once it is there. */
    at: (at: number) => vi.waitUntil(() => connections[at], { interval: 1, timeout: 15_000 }),
  }
}

function upstreamOf(name: string, connections: FakeConnection[]): Upstream {
  return {
    name,
    table: 'upstreams',
    provider: 'custom',
    grades: { 'openai-chat': 'native' },
    gradeOrigins: () => ({}),
    isSet: () => false,
    learn: () => {},
    tuning: { parameters: [], systemPrefixes: [] },
    toolArguments: 'check',
    prices: new Map(),
    perHour: 0,
    baseUrl: `http://${name}/v1`,
    basePath: '/v1',
    addVersion: null,
    keys: { take: () => ({ kind: 'key', index: 0 }), refused: () => false, waitMs: () => 0 },
    credential: () => ['authorization', `Bearer key-of-${name}`],
    redactor: createRedactor(`key-of-${name}`),
    newConnection: null,
    headersTimeoutMs: 1_000,
    idleTimeoutMs: 1_000,
    lists: openAiChat,
    ask: null,
    configuredModels: [],
    close: async () => {},
    dispatcher: {
      dispatch(request, handler) {
        connections.push(new FakeConnection(handler, request.path))
        return true
      },
    },
  }
}

test('a whole answer: sent on at once, on the books first', async () => {
  const h = harness()
  const hold = Promise.withResolvers<void>()
  h.books.settle = hold.promise
  const run = h.run('one')
  ;(await h.at(0)).json(200, completion('hi'))
  await Promise.resolve()
  expect(h.response.headersSent).toBe(false)
  hold.resolve()
  expect(await run).toMatchObject({ kind: 'ended', end: { kind: 'answered' } })
  expect(h.response.text).toContain('"hi"')
  expect(h.rows).toMatchObject([
    { attempt: 1, upstream: 'one', outcome: 'ok', status: 200, inputTokens: 7, estimated: false },
  ])
  expect(h.released).toEqual([['one', false]])
})

test('the end of a stream waits for the books, its beginning does not', async () => {
  const h = harness({ stream: true })
  const hold = Promise.withResolvers<void>()
  h.books.settle = hold.promise
  const run = h.run('one')
  const connection = (await h.at(0)).stream(frame({ content: 'a' }))
  expect(h.response.text).toContain('"a"')
  connection.data(frame({}, 'stop')).data(DONE)
  await Promise.resolve()
  expect(h.response.text).not.toContain('[DONE]')
  hold.resolve()
  await run
  expect(h.response.text).toContain('[DONE]')
  expect(h.rows).toMatchObject([{ outcome: 'ok', estimated: true, outputTokens: 1 }])
})

test('a stream that was not asked for is watched all the same', async () => {
  const h = harness()
  const run = h.run('one')
  const usage = { prompt_tokens: 5, completion_tokens: 6 }
  ;(await h.at(0)).stream(frame({ content: 'a' }) + frame({}, 'stop') + frame({}, null, { choices: [], usage }) + DONE)
  await run
  expect(h.rows).toMatchObject([{ outcome: 'ok', inputTokens: 5, outputTokens: 6, estimated: false }])
})

const reset = () => Object.assign(new Error('reset'), { code: 'ECONNRESET' })
const timeout = () => Object.assign(new Error('late'), { code: 'UND_ERR_HEADERS_TIMEOUT' })

test.each<{ name: string; stream?: boolean; act: (c: FakeConnection) => void; outcome: string; broke: boolean }>([
  { name: 'is not there', act: (c) => c.break(reset()), outcome: 'failed', broke: true },
  { name: 'hangs', act: (c) => c.break(timeout()), outcome: 'failed', broke: true },
  {
    name: 'breaks off its answer',
    act: (c) => c.head(200, {}).data('{').break(reset()),
    outcome: 'failed',
    broke: true,
  },
  { name: 'answers 500', act: (c) => c.json(500, {}), outcome: 'refused', broke: false },
  { name: 'answers 429', act: (c) => c.json(429, {}, { 'retry-after': '7' }), outcome: 'refused', broke: false },
  {
    name: 'begins its stream with an error',
    stream: true,
    act: (c) => void c.stream('data: {"error":{"message":"x"}}\n\n'),
    outcome: 'refused',
    broke: false,
  },
  {
    name: 'ends its stream before a frame',
    stream: true,
    act: (c) => c.stream(': ping\n\n').end(),
    outcome: 'failed',
    broke: true,
  },
])('an upstream that $name is made good by the next', async ({ stream = false, act, outcome, broke }) => {
  const h = harness({ stream })
  const run = h.run('one', 'two')
  act(await h.at(0))
  const second = await h.at(1)
  if (stream) second.stream(frame({ content: 'hi' }) + frame({}, 'stop') + DONE)
  else second.json(200, completion('hi'))
  await run
  expect(h.response.status).toBe(200)
  expect(h.response.text).toContain('"hi"')
  expect(h.rows.map((row) => [row.attempt, row.outcome])).toEqual([
    [1, outcome],
    [2, 'ok'],
  ])
  expect(h.released[0]).toEqual(['one', broke])
  expect(h.lines).toEqual(['attempt failed'])
})

test.each<{ name: string; stream?: boolean; act: (c: FakeConnection) => void }>([
  { name: 'a whole answer', act: (c) => c.json(200, completion('a long answer')) },
  { name: 'a stream', stream: true, act: (c) => void c.stream(frame({ role: 'assistant' })) },
  { name: 'an error', act: (c) => c.json(500, {}) },
])('A4: $name for which there is no room is refused, and is no failure of the upstream', async ({ stream, act }) => {
  const h = harness({ stream: stream === true, hold: () => refuseWhen(true) })
  const run = h.run('one', 'two')
  act(await h.at(0))
  await run
  expect([h.response.status, h.response.text]).toEqual([429, expect.stringContaining('too much is kept')])
  expect(h.health).toEqual([])
  expect(h.released).toEqual([['one', false]])
  expect(h.connections[0]?.aborted).toBe(true)
})

test.each([completion('hi'), completion('x'.repeat(2 ** 21))])(
  'an answer of any length that is no stream, when pings have begun one, is made good by the next',
  async (answer) => {
    const h = harness({ stream: true })
    h.answer.start(200, { 'content-type': 'text/event-stream' })
    const run = h.run('one', 'two')
    ;(await h.at(0)).json(200, answer)
    ;(await h.at(1)).stream(frame({ content: 'hi' })).data(DONE)
    await run
    expect(h.response.text).toBe(frame({ content: 'hi' }) + DONE)
    expect(h.rows.map(({ outcome }) => outcome)).toEqual(['failed', 'ok'])
  },
)

test('room that runs out in the middle of a frame, when pings have begun the answer, is told of in a frame', async () => {
  let isFull = false
  const h = harness({ stream: true, hold: () => refuseWhen(isFull) })
  h.answer.start(200, { 'content-type': 'text/event-stream' })
  const run = h.run('one', 'two')
  const connection = await h.at(0)
  connection.stream('data: {"choices":')
  isFull = true
  connection.data('[]')
  await run
  expect(h.response.text).toContain('too much is kept')
  expect(h.rows).toMatchObject([{ outcome: 'failed', status: 0 }])
})

test('room that runs out in the middle of an answer cuts it off, and is no failure of the upstream', async () => {
  let isFull = false
  const h = harness({ stream: true, hold: () => refuseWhen(isFull) })
  const run = h.run('one', 'two')
  const connection = await h.at(0)
  connection.head(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
  connection.data(gzipSync(frame({ content: 'a' })))
  await vi.waitUntil(() => h.response.text.includes('"a"'), { interval: 1, timeout: 15_000 })
  isFull = true
  connection.data(gzipSync(frame({ content: 'b' })))
  await run
  expect(h.response.text).toContain('too much is kept')
  expect(h.rows).toMatchObject([{ outcome: 'truncated', status: 200 }])
  expect([h.health, h.released]).toEqual([[], [['one', false]]])
})

function refuseWhen(isFull: boolean): void {
  if (isFull) throw new GateError('TOO_MANY_REQUESTS', 'too much is kept', { retryAfterS: 1 })
}

test.each([
  { name: 'EMFILE', error: Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }) },
  { name: 'ENFILE', error: Object.assign(new Error('connect ENFILE'), { code: 'ENFILE' }) },
  { name: 'EMFILE as a cause', error: new Error('x', { cause: Object.assign(new Error('y'), { code: 'EMFILE' }) }) },
])(
  'B12: $name is no failure of the upstream, nor of its backend, and the client is told to come back',
  async ({ error }) => {
    const h = harness()
    const run = h.run('one', 'two')
    ;(await h.at(0)).break(error)
    await run
    expect(h.response.status).toBe(503)
    expect(h.response.text).toContain('"code":"overloaded"')
    expect(h.response.headers).toContain('retry-after')
    expect(h.health).toEqual([])
    expect(h.released).toEqual([['one', false]])
    expect(h.rows).toMatchObject([{ outcome: 'failed', status: 0 }])
  },
)

test.each<{ name: string; act: (c: FakeConnection) => void; status: number; said: string }>([
  { name: 'answers 400', act: (c) => c.json(400, { error: { message: 'too hot' } }), status: 400, said: 'too hot' },
  {
    name: 'breaks off its stream',
    act: (c) => c.stream(frame({ content: 'a' })).break(reset()),
    status: 200,
    said: 'upstream_truncated',
  },
  {
    name: 'reports an error inside its stream',
    act: (c) => void c.stream(frame({ content: 'a' })).data('data: {"error":"full"}\n\n'),
    status: 200,
    said: 'full',
  },
])('an upstream that $name is not made good by another', async ({ act, status, said }) => {
  const h = harness({ stream: true })
  const run = h.run('one', 'two')
  act(await h.at(0))
  await run
  expect(h.connections).toHaveLength(1)
  expect(h.response.status).toBe(status)
  expect(h.response.text).toContain(said)
  expect(h.response.text).not.toContain('[DONE]')
})

test.each<{ name: string; before: (c: FakeConnection) => void }>([
  { name: 'before the answer', before: () => {} },
  { name: 'after its head', before: (c) => void c.head(200, { 'content-type': 'text/event-stream' }) },
  { name: 'B15: in mid-stream', before: (c) => void c.stream(frame({ content: 'a' })) },
  { name: 'in the middle of a frame', before: (c) => void c.stream(frame({ content: 'a' })).data('data: {"ch') },
  { name: 'while a whole answer arrives', before: (c) => void c.head(200, {}).data('{"id"') },
  { name: 'while an error arrives', before: (c) => void c.head(500, {}).data('{"er') },
])(
  'a client that leaves $name ends the attempt as cancelled, and is no failure of the upstream',
  async ({ before }) => {
    const h = harness({ stream: true })
    const run = h.run('one', 'two')
    const connection = await h.at(0)
    before(connection)
    h.response.destroy()
    await run
    expect(connection.aborted).toBe(true)
    expect(h.connections).toHaveLength(1)
    expect(h.rows).toMatchObject([{ outcome: 'cancelled' }])
    expect(h.released).toEqual([['one', false]])
    expect(h.health).toEqual([])
    expect(h.lines).toEqual([])
  },
)

test('a client that left before it was sent on reaches no upstream with a body', async () => {
  const h = harness()
  h.response.destroy()
  await h.run('one')
  expect(h.connections.every(({ aborted }) => aborted)).toBe(true)
  expect(h.rows).toMatchObject([{ outcome: 'cancelled' }])
})

test('a client that leaves while it waits for its turn has no row', async () => {
  const h = harness({ turnAt: async () => ({ kind: 'gone' }) })
  expect(await h.run('one')).toEqual({ kind: 'gone' })
  expect(h.rows).toEqual([])
})

test('a slow client slows the upstream down', async () => {
  const h = harness({ stream: true })
  h.response.isSlow = true
  const run = h.run('one')
  const connection = (await h.at(0)).stream(frame({ content: 'a' }))
  expect(connection.paused).toBe(true)
  h.response.isSlow = false
  h.response.emit('drain')
  expect(connection.paused).toBe(false)
  connection.data(DONE)
  await run
})

test.each([
  {
    name: 'refuses',
    first: { kind: 'refused', reason: 'down', error: new GateError('BACKEND_DOWN', 'down') } as const,
  },
])('a backend that $name a turn is passed over; the refusal is told when there is no other', async ({ first }) => {
  const turnAt: Backends['turnAt'] = (name, caller) => (name === 'down' ? first : NO_BACKENDS.turnAt(name, caller))
  const both = harness({ turnAt })
  const run = both.run('down', 'two')
  ;(await both.at(0)).json(200, completion('hi'))
  await run
  expect(both.rows).toMatchObject([{ attempt: 1, upstream: 'two' }])
  await expect(harness({ turnAt }).run('down')).rejects.toBe(first.error)
})

test('an engine that was lost unnoticed is asked for once more', async () => {
  const turnAt: Backends['turnAt'] = () => ({ kind: 'granted', wait: null, mayRestart: true, release: () => {} })
  const h = harness({ turnAt })
  const run = h.run('one')
  ;(await h.at(0)).break(reset())
  ;(await h.at(1)).json(200, completion('hi'))
  await run
  expect(h.rows.map((row) => [row.attempt, row.upstream, row.outcome])).toEqual([
    [1, 'one', 'failed'],
    [2, 'one', 'ok'],
  ])
})

test('upstreams that were just removed are told so', async () => {
  await expect(harness().run('gone')).rejects.toMatchObject({ code: 'NOT_READY' })
})

const whole = frame({ content: 'hi' }) + frame({}, 'stop') + DONE

test.each([
  { name: 'B1: of no type', headers: {} },
  { name: 'called JSON', headers: { 'content-type': 'application/json' } },
  { name: 'called Text/Event-Stream', headers: { 'content-type': 'Text/Event-Stream' } },
  { name: 'that begins with a comment and a BOM', headers: {}, lead: '\ufeff: hello\n\n' },
  { name: 'B1: called text', headers: { 'content-type': 'text/plain; charset=utf-8' } },
  { name: 'B1: that begins with blank lines', headers: {}, lead: '\r\n\n' },
  { name: 'B1: that begins with an id', headers: { 'content-type': 'application/octet-stream' }, lead: 'id: 1\n' },
  { name: 'B1: that begins with a time to wait', headers: {}, lead: 'retry: 100\n' },
])('a stream $name is passed on as one', async ({ headers, lead = '' }) => {
  const h = harness({ stream: true })
  const run = h.run('one')
  const connection = (await h.at(0)).head(200, headers as Record<string, string>).data(lead + frame({ content: 'hi' }))
  expect(h.response.text).toContain('"hi"')
  expect(h.response.headers.join().toLowerCase()).toContain('text/event-stream')
  connection.data(frame({}, 'stop') + DONE)
  await run
  expect(h.rows).toMatchObject([{ outcome: 'ok' }])
})

test.each(['\n', ' ', '\r\n\r\n'])('B1: a first chunk of blanks (%j) decides nothing', async (blank) => {
  const h = harness({ stream: true })
  const run = h.run('one')
  ;(await h.at(0)).head(200, {}).data(blank).data(blank).data(whole)
  await run
  expect(h.response.text).toBe(blank + blank + whole)
  expect(h.rows).toMatchObject([{ outcome: 'ok' }])
})

test.each(['', '\n\n'])('B1: a whole answer that is called a stream is passed on as what it is (%j)', async (lead) => {
  const h = harness()
  const run = h.run('one')
  ;(await h.at(0))
    .stream()
    .data(lead)
    .data(JSON.stringify(completion('hi')))
    .end()
  await run
  expect(h.response.headers).toContain('application/json')
  expect(h.rows).toMatchObject([{ outcome: 'ok', inputTokens: 7, estimated: false }])
})

test.each([
  { ends: 'with what only Python calls JSON', end: '{"logprob":NaN,"x":-Infinity}}\n', passes: true },
  { ends: 'in the middle', end: '{"logprob":', passes: false },
  { ends: 'with the bracket of a list', end: '[1]', passes: false },
])('a whole answer of unknown length that ends $ends', async ({ end, passes }) => {
  const h = harness()
  const run = h.run('one')
  const whole = `${JSON.stringify(completion('hi')).slice(0, -1)},"more":${end}`
  ;(await h.at(0)).head(200, { 'content-type': 'application/json' }).data(whole).end()
  await run
  if (passes) expect(h.response.text).toBe(whole)
  expect(h.response.status).toBe(passes ? 200 : 502)
})

test('B2: a whole answer without choices that complains of nothing is passed on', async () => {
  const h = harness()
  const run = h.run('one', 'two')
  ;(await h.at(0)).json(200, { request_id: 'deferred' })
  await run
  expect(h.response.text).toContain('deferred')
  expect(h.rows).toMatchObject([{ outcome: 'ok' }])
})

test.each<{ name: string; type?: string; body: string }>([
  { name: 'an error that is called a stream', type: 'text/event-stream', body: '{"error":{"message":"full"}}' },
  { name: 'nothing that is called a stream', type: 'text/event-stream', body: '' },
  { name: 'the page of a proxy', type: 'text/html', body: '<html>sign in' },
  { name: 'an empty answer', body: '' },
  { name: 'an empty object', body: '{}' },
  { name: 'null', body: 'null' },
  { name: 'half of an answer', body: '{"choices":[{"error":' },
  { name: 'a list of errors', body: '[{"error":{"code":500,"message":"full"}}]' },
  { name: 'a message and nothing else', body: '{"message":"full"}' },
  { name: 'a detail and nothing else', body: '{"detail":"full"}' },
  { name: 'the type error', body: '{"type":"error","message":"full"}' },
  { name: 'the number of an error', body: '{"error":503}' },
  { name: 'no choices beside an empty error', body: '{"choices":null,"error":""}' },
  { name: 'choices that are null', body: '{"id":"x","choices" : null}' },
  { name: 'a choice that is an error', body: '{"choices":[{"finish_reason":"error","error":{"message":"full"}}]}' },
])('B2: $name as a whole answer is made good by the next', async ({ type = 'application/json', body }) => {
  const h = harness()
  const run = h.run('one', 'two')
  ;(await h.at(0)).head(200, { 'content-type': type }).data(body).end()
  ;(await h.at(1)).json(200, completion('hi'))
  await run
  expect(h.response.text).toContain('"hi"')
  expect(h.rows.map((row) => row.outcome)).toEqual([expect.stringMatching(/refused|failed/), 'ok'])
})

test.each([
  { name: 'an error', act: (c: FakeConnection) => void c.data('data: {"error":"full"}\n\n') },
  { name: 'an error in a choice', act: (c: FakeConnection) => void c.data('data: {"choices":[{"error":"full"}]}\n\n') },
  { name: 'the type error', act: (c: FakeConnection) => void c.data('data: {"type":"error","message":"full"}\n\n') },
  { name: 'a reset', act: (c: FakeConnection) => c.break(reset()) },
])('B4: $name before the first content is made good also when pings have begun the answer', async ({ act }) => {
  const h = harness({ stream: true })
  const run = h.run('one', 'two')
  h.answer.start(200, { 'content-type': 'text/event-stream' })
  act((await h.at(0)).stream(frame({ role: 'assistant', content: '' })))
  ;(await h.at(1)).stream(whole)
  await run
  expect(h.response.text).toBe(whole)
})

test('B4: an upstream that breaks off before any content, when pings have begun the answer, is told of in a frame', async () => {
  const h = harness({ stream: true })
  const run = h.run('one')
  h.answer.start(200, { 'content-type': 'text/event-stream' })
  ;(await h.at(0)).stream('data: {"choices').break(reset())
  await run
  expect(h.response.text).toContain('upstream_truncated')
  expect(h.response.destroyed).toBe(false)
})

test.each([
  {
    name: 'B2: a JSON answer that is an error',
    act: (c: FakeConnection) => c.json(200, { error: { message: 'full' } }),
  },
  {
    name: 'an object of the kind error',
    act: (c: FakeConnection) => void c.stream('data: {"object":"error","message":"full"}\n\n'),
  },
  {
    name: 'an event of the type error',
    act: (c: FakeConnection) => void c.stream('event: error\ndata: {"message":"full"}\n\n'),
  },
  {
    name: 'no choices and an error',
    act: (c: FakeConnection) => void c.stream('data: {"choices":null,"error":"full"}\n\n'),
  },
  { name: 'nothing but [DONE]', act: (c: FakeConnection) => c.stream(DONE).end() },
  {
    name: 'B4: a role and then an error',
    act: (c: FakeConnection) =>
      void c.stream(frame({ role: 'assistant', content: '' })).data('data: {"error":"full"}\n\n'),
  },
  {
    name: 'a role and then a reset',
    act: (c: FakeConnection) => c.stream(frame({ role: 'assistant', content: '' })).break(reset()),
  },
  { name: 'a role and then the end', act: (c: FakeConnection) => c.stream(frame({ role: 'assistant' })).end() },
])('$name inside of a success is made good by the next', async ({ act }) => {
  const h = harness({ stream: true })
  const run = h.run('one', 'two')
  act(await h.at(0))
  ;(await h.at(1)).stream(whole)
  await run
  expect(h.response.text).toBe(whole)
  expect(h.rows.map((row) => row.outcome)).toEqual([expect.stringMatching(/refused|failed/), 'ok'])
})

test.each(['""', '{}', 'false', 'null'])('B2: an empty error (%s) beside content is none', async (error) => {
  const h = harness({ stream: true })
  const run = h.run('one', 'two')
  const chunk = frame({ content: 'hi' }).replace('"choices"', `"error":${error},"choices"`)
  ;(await h.at(0)).stream(chunk + frame({}, 'stop') + DONE)
  await run
  expect(h.rows).toMatchObject([{ outcome: 'ok' }])
})

const ELSEWHERE = [302, 307, 402, 405, 407, 409, 410, 421, 423, 424, 425, 451, 498, 499, 500, 520, 526, 529, 999]

test.each([400, 406, 413, 414, 415, 422, 431])(
  'B5: a %i is about the request, and tried nowhere else',
  async (status) => {
    const h = harness()
    const run = h.run('one', 'two')
    ;(await h.at(0)).json(status, { error: { message: 'no' } })
    await run
    expect(h.connections).toHaveLength(1)
    expect(h.response.status).toBe(status)
    expect(h.health).toEqual(['one succeeded'])
  },
)

test.each(ELSEWHERE)('B5: a %i is made good by the next', async (status) => {
  const h = harness()
  const run = h.run('one', 'two')
  ;(await h.at(0)).json(status, {})
  ;(await h.at(1)).json(200, completion('hi'))
  await run
  expect(h.response.status).toBe(200)
})

test.each([
  { name: 'B5: a 413 as HTML', status: 413, type: 'text/html', body: '<h1>no</h1>', told: 413, says: 'answered 413' },
  {
    name: 'a 400 as text',
    status: 400,
    type: 'text/plain; charset=utf-8',
    body: 'too hot',
    told: 400,
    says: 'too hot',
  },
  {
    name: 'a 422 as problem+json',
    status: 422,
    type: 'application/problem+json',
    body: '{"detail":"bad"}',
    told: 422,
    says: 'bad',
  },
  { name: 'a 500 as text', status: 500, type: 'text/plain', body: 'oops', told: 502, says: 'answered 500' },
  { name: 'a 999', status: 999, type: 'application/json', body: '{}', told: 502, says: 'answered 999' },
  { name: 'B5: a 400 as JSON of no type', status: 400, body: '{"error":{"message":"bad"}}', told: 400, says: 'bad' },
  { name: 'B5: a 400 as text of no type', status: 400, body: 'bad', told: 400, says: 'answered 400: bad' },
  { name: 'B5: a 400 as text/json', status: 400, type: 'text/json', body: '{"error":"bad"}', told: 400, says: 'bad' },
  {
    name: 'B5: a 422 as JSON of a vendor',
    status: 422,
    type: 'application/vnd.api+json; charset=utf-8',
    body: '{"errors":[{"detail":"bad"}]}',
    told: 422,
    says: 'bad',
  },
  { name: 'B5: a 400 of nothing', status: 400, type: 'application/json', body: '', told: 400, says: 'answered 400' },
  { name: 'a 429 as JSON of no type', status: 429, body: '{"error":{"message":"slow"}}', told: 429, says: 'slow' },
  { name: 'B5: a 407', status: 407, type: 'text/html', body: 'proxy', told: 502, says: 'credentials (407)' },
  { name: 'B5: a redirect', status: 302, type: 'text/html', body: '', told: 502, says: 'answered 302' },
])('$name is told as it is meant', async ({ status, type, body, told, says }) => {
  const h = harness()
  const run = h.run('one')
  ;(await h.at(0))
    .head(status, type === undefined ? {} : { 'content-type': type })
    .data(body)
    .end()
  await run
  expect(h.response.status).toBe(told)
  expect(h.response.text).toContain(says)
  expect(h.response.headers).toContain('content-type')
})

test.each([
  ['one', 'set upstreams.one.api_key'],
  ['peer', 'ask that gateway for an invitation for this one'],
])('who is refused by "%s" is told: %s', async (upstream, says) => {
  const h = harness()
  const run = h.run(upstream)
  ;(await h.at(0)).head(403, {}).data('{}').end()
  await run
  expect([h.response.status, h.response.text]).toEqual([502, expect.stringContaining(says)])
})

test.each([
  { name: 'B6: as a date', headers: { 'retry-after': 'Thu, 01 Jan 2026 00:01:30 GMT' }, told: '90', restMs: null },
  { name: 'in milliseconds', headers: { 'retry-after-ms': '2500', 'retry-after': '9' }, told: '3', restMs: 2_500 },
  { name: 'in seconds', headers: { 'retry-after': '7' }, told: '7', restMs: 7_000 },
  { name: 'as a date that is over', headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }, told: '0', restMs: 0 },
  { name: 'as nonsense', headers: { 'retry-after': 'soon' }, told: '1', restMs: null },
  { name: 'B6: as a negative number', headers: { 'retry-after': '-5' }, told: '1', restMs: null },
  { name: 'B6: in parts of a second', headers: { 'retry-after': '1.5' }, told: '2', restMs: 1_500 },
  { name: 'B6: as a number with a unit', headers: { 'retry-after': '10s' }, told: '1', restMs: null },
])('a wait asked for $name is kept, and told in seconds', async ({ name, headers, told, restMs }) => {
  const h = harness()
  const run = h.run('one')
  ;(await h.at(0)).json(429, {}, headers as Record<string, string>)
  await run
  expect(h.response.headers[h.response.headers.indexOf('retry-after') + 1]).toBe(told)
  if (name !== 'B6: as a date') expect(h.health).toEqual([`one failed ${restMs}`])
})

test.each([
  { name: 'as a date of RFC 9110', asked: 'Thu, 01 Jan 2026 00:01:30 GMT', ms: 90_000 },
  { name: 'as a date of RFC 850', asked: 'Thursday, 01-Jan-26 00:01:30 GMT', ms: 90_000 },
  { name: 'as a date of asctime', asked: 'Thu Jan  1 00:01:30 2026', ms: 90_000 },
  { name: 'twice', asked: ['7', '9'], ms: 7_000 },
  { name: 'as a date that cannot be', asked: 'Thu, 99 Foo 2026', ms: null },
  { name: 'as nothing', asked: '', ms: null },
])('B6: a wait asked for $name', ({ asked, ms }) => {
  expect(retryAfterMs({ 'retry-after': asked }, Date.UTC(2026, 0, 1))).toBe(ms)
})

test.each([502, 503, 529])(
  'B6: a wait asked for with a %i reaches the client, whatever the type of its body',
  async (status) => {
    const h = harness()
    const run = h.run('one')
    ;(await h.at(0)).head(status, { 'content-type': 'text/html', 'retry-after': '30' }).data('<h1>down').end()
    await run
    expect(h.response.status).toBe(502)
    expect(h.response.headers[h.response.headers.indexOf('retry-after') + 1]).toBe('30')
  },
)

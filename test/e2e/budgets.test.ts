import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterEach, expect, test } from 'vitest'
import type { BudgetInfo } from '../../schemas/api/budgets.ts'
import { openDatabase } from '../../store/sqlite/database.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { gatectl as runGatectl } from '../support/gatectl-process.ts'
import { startSlowUpstream } from '../support/slow-upstream.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// Money, with the real daemon: what is spent is what the usage log says, whatever kills it.

const TOKEN = 'a-system-token-for-tests'
const ENV = { GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
/** Each answer has 10 tokens of 1 000 micro-dollars. */
const COST = 10_000
const PRICES = [{ model: 'm', input: 1_000_000_000, output: 1_000_000_000 }]
const MONTH = { window: 'month', limit: '1 USD' }

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** Answers every route of OpenAI's API, as a stream where that is asked for. */
async function startUpstream() {
  const upstream = await startFakeUpstream(async ({ path, body }, response) => {
    const usage = { prompt_tokens: 0, completion_tokens: 10, total_tokens: 10 }
    const message = { role: 'assistant', content: 'hi' }
    const head = { id: 'x', created: 1, model: 'm' }
    if (path.endsWith('/embeddings'))
      return sendJson(response, 200, {
        object: 'list',
        model: 'm',
        data: [{ object: 'embedding', index: 0, embedding: [0] }],
        usage: { prompt_tokens: 10, total_tokens: 10 },
      })
    if (!body.includes('"stream":true')) {
      const choices = [{ index: 0, message, text: 'hi', finish_reason: 'stop' }]
      return sendJson(response, 200, { ...head, object: 'chat.completion', choices, usage })
    }
    const chunk = (choices: object[], more: object = {}) =>
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices, ...more })}\n\n`
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let i = 0; i < 10; i += 1) {
      response.write(chunk([{ index: 0, delta: { content: 'x' }, finish_reason: null }]))
      await new Promise((resolve) => setImmediate(resolve))
    }
    response.end(`${chunk([{ index: 0, delta: {}, finish_reason: 'stop' }])}${chunk([], { usage })}data: [DONE]\n\n`)
  })
  closing.push(upstream.close)
  return upstream.url
}

async function start(budgets: object, url?: string, env: Readonly<Record<string, string>> = {}) {
  const place = temporaryDirectory()
  closing.push(place.remove)
  const box = { provider: 'custom', base_url: url ?? (await startUpstream()), models: ['m'], prices: PRICES }
  place.write('declared.json', JSON.stringify({ upstreams: { box }, budgets }))
  const again = async (): Promise<Daemon> => {
    const daemon = await startDaemon({ ...ENV, ...env }, place.path)
    closing.push(daemon.kill)
    return daemon
  }
  return { place, again, daemon: await again() }
}

async function budgetOf(daemon: Daemon, name = 'month'): Promise<BudgetInfo['pots'][number]> {
  const answer = await fetch(`${daemon.url}/api/admin/budgets/${name}`, { headers: HEADERS })
  const { pots } = (await answer.json()) as BudgetInfo
  const [pot] = pots
  return pot ?? expect.unreachable('the budget has a pot')
}

/** What the usage log adds up to. Only once the daemon is stopped. */
function sumIn(file: string): number {
  const database = openDatabase(file)
  const sum = database.prepare<[], { sum: number }>('SELECT SUM(cost_microdollars) AS sum FROM usage').get()?.sum ?? 0
  database.close()
  return sum
}

const messages = [{ role: 'user', content: 'hi' }]
const ROUTES: readonly (readonly [string, object])[] = [
  ['/v1/chat/completions', { messages, max_tokens: 10 }],
  ['/v1/chat/completions', { messages, max_tokens: 10, stream: true }],
  ['/v1/completions', { prompt: 'hi', max_tokens: 10 }],
  ['/v1/responses', { input: 'hi', max_output_tokens: 10 }],
  ['/v1/responses', { input: 'hi', max_output_tokens: 10, stream: true }],
  ['/v1/messages', { messages, max_tokens: 10 }],
  ['/v1/messages', { messages, max_tokens: 10, stream: true }],
  [
    '/v1beta/models/m:generateContent',
    { contents: [{ parts: [{ text: 'hi' }] }], generationConfig: { maxOutputTokens: 10 } },
  ],
  ['/api/chat', { messages, options: { num_predict: 10 } }],
  ['/v1/embeddings', { input: 'hi' }],
]

/** Routes that pass, whose answers may have usage as well. */
const PASSED: readonly (readonly [string, object])[] = [
  ['/v1/rerank', { query: 'hi', documents: ['a', 'b'] }],
  ['/v1/moderations', { input: 'hi' }],
  ['/v1/images/generations', { prompt: 'a dot' }],
  ['/v1/audio/speech', { input: 'hi', voice: 'x' }],
  ['/v1/responses/compact', { input: 'hi' }],
]

function postForm(daemon: Daemon, path: string): Promise<Response> {
  const body = new FormData()
  body.set('model', 'm')
  body.set('file', new Blob(['sound']), 'a.wav')
  return fetch(daemon.url + path, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body })
}

const post = (daemon: Daemon, [path, body]: readonly [string, object], signal?: AbortSignal) =>
  fetch(daemon.url + path, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ model: 'm', ...body }),
    ...(signal !== undefined && { signal }),
  })

test('200 parallel requests on every route, streams cut off at random, with 1 USD left: nothing is overspent', async () => {
  const { daemon, place } = await start({ month: MONTH })
  let random = 7
  const next = () => {
    random = (random * 16_807) % 2_147_483_647
    return random
  }
  const asks = Array.from({ length: 200 }, async (_, i) => {
    const route = ROUTES[i % ROUTES.length] ?? expect.unreachable('there are routes')
    const cut = new AbortController()
    const answer = await post(daemon, route, cut.signal)
    if (next() % 3 === 0) {
      cut.abort()
      return 'cut'
    }
    await answer.text().catch(() => '')
    return String(answer.status)
  })
  const ends = await Promise.all(asks)
  expect(new Set(ends)).toEqual(new Set(['200', '429', 'cut']))
  await until(async () => (await budgetOf(daemon)).reserved_microdollars === 0)
  const { spent_microdollars: spent } = await budgetOf(daemon)
  expect(spent).toBeGreaterThan(0)
  expect(spent).toBeLessThanOrEqual(1_000_000)
  expect(await daemon.stop()).toBe(0)
  expect(sumIn(place.file('gate.db'))).toBe(spent)
}, 60_000)

test('every route that can cost is booked, and refused when nothing is left', async () => {
  const { daemon, place } = await start({ month: { window: 'month', limit: '1000 USD' } })
  const asks = [
    ...[...ROUTES, ...PASSED].map((route) => ({ path: route[0], ask: () => post(daemon, route) })),
    ...['/v1/audio/transcriptions', '/v1/images/edits'].map((path) => ({ path, ask: () => postForm(daemon, path) })),
  ]
  const free: string[] = []
  for (const { path, ask } of asks) {
    const { spent_microdollars: before } = await budgetOf(daemon)
    const answer = await ask()
    await answer.text()
    await until(async () => (await budgetOf(daemon)).reserved_microdollars === 0)
    if ((await budgetOf(daemon)).spent_microdollars === before) free.push(`${path} ${answer.status}`)
  }
  expect(free).toEqual([])
  const body = JSON.stringify({ amount: '-1000 USD' })
  await fetch(`${daemon.url}/api/admin/budgets/month/refill`, { method: 'POST', headers: HEADERS, body })
  for (const { path, ask } of asks) {
    const answer = await ask()
    await answer.text()
    expect([path, answer.status]).toEqual([path, 429])
  }
  const { spent_microdollars: spent } = await budgetOf(daemon)
  expect(await daemon.stop()).toBe(0)
  expect(sumIn(place.file('gate.db'))).toBe(spent)
}, 60_000)

const KILLS = sampled(10, 100)

test(`kill -9 during load, ${KILLS} times: nothing is under-counted, and the usage log adds up to the budget`, async () => {
  const { again, place, daemon: first } = await start({ month: { window: 'month', limit: '100000 USD' } })
  let answered = 0
  let daemon = first
  for (let kill = 0; kill < KILLS; kill += 1) {
    const { url } = daemon
    const clients = Array.from({ length: 8 }, async () => {
      for (;;) {
        const answer = await fetch(`${url}/v1/chat/completions`, {
          method: 'POST',
          headers: HEADERS,
          body: JSON.stringify({ model: 'm', messages, max_tokens: 10 }),
        }).then(
          async (response) => response.ok && (await response.text()).endsWith('}'),
          () => null,
        )
        if (answer === null) return
        if (answer) answered += 1
      }
    })
    const killAt = answered + 20 + ((kill * 37) % 100)
    while (answered < killAt) await new Promise((resolve) => setImmediate(resolve))
    await daemon.kill()
    await Promise.all(clients.map((client) => client.catch(() => {})))
    daemon = await again()
    expect((await budgetOf(daemon)).spent_microdollars).toBeGreaterThanOrEqual(answered * COST)
  }
  await until(async () => (await budgetOf(daemon)).reserved_microdollars === 0)
  const { spent_microdollars: spent } = await budgetOf(daemon)
  expect(await daemon.stop()).toBe(0)
  expect(sumIn(place.file('gate.db'))).toBe(spent)
  expect(answered).toBeGreaterThanOrEqual(KILLS * 20)
}, 600_000)

test('the official SDKs do not try again when a budget is spent', async () => {
  const { daemon } = await start({ month: { window: 'month', limit: '0.01 USD' } })
  let asked = 0
  const counting: typeof fetch = (input, init) => {
    asked += 1
    return fetch(input, init)
  }
  const openai = new OpenAI({ baseURL: `${daemon.url}/v1`, apiKey: TOKEN, fetch: counting })
  const anthropic = new Anthropic({ baseURL: daemon.url, apiKey: TOKEN, fetch: counting })
  const chat = () =>
    openai.chat.completions.create({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] })
  await chat()
  asked = 0
  await expect(chat()).rejects.toMatchObject({ status: 429, code: 'insufficient_quota' })
  await expect(openai.responses.create({ model: 'm', input: 'hi' })).rejects.toMatchObject({ status: 429 })
  await expect(
    anthropic.messages.create({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] }),
  ).rejects.toMatchObject({ status: 429, error: { error: { type: 'billing_error' } } })
  expect(asked).toBe(3)
}, 60_000)

test.each([
  {
    path: '/v1/chat/completions',
    body: { messages, stream: true, max_tokens: 10 },
    told: /"code":"insufficient_quota"/,
  },
  {
    path: '/v1/messages',
    body: { messages, stream: true, max_tokens: 10 },
    told: /event: error\ndata: .*billing_error/,
  },
])(
  'a stream on $path ends when an operator takes its money',
  async ({ path, body, told }) => {
    const slow = await startSlowUpstream()
    closing.push(slow.close)
    const { daemon } = await start({ month: MONTH }, slow.url)
    const asked = post(daemon, [path, body])
    const answer = await slow.next()
    answer.say('Hello')
    const stream = await asked
    const taken = await fetch(`${daemon.url}/api/admin/budgets/month/refill`, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify({ amount: '-1 USD' }),
    })
    expect(taken.status).toBe(200)
    const takenAt = performance.now()
    expect(await stream.text()).toMatch(told)
    expect(performance.now() - takenAt).toBeLessThan(5_000)
    expect((await post(daemon, [path, body])).status).toBe(429)
  },
  60_000,
)

test('gatectl makes, shows, refills and removes budgets of the running daemon', async () => {
  const { daemon, place } = await start({})
  const gatectl = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runGatectl([...args, '--socket', place.file('admin.sock')])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    return stdout
  }
  expect(await gatectl('budget', 'list')).toMatch(/^no budgets/)
  expect(await gatectl('budget', 'set', 'team', '0.01', '--window', 'day', '--scope', 'each-key')).toMatch(
    /^team: 0\.01 USD a day \(UTC\), each-key, hard, overdraft 0 USD\n/,
  )
  const [chat] = ROUTES
  if (chat === undefined) return expect.unreachable('there are routes')
  expect((await post(daemon, chat)).status).toBe(200)
  expect((await post(daemon, chat)).status).toBe(429)
  expect(await gatectl('budget', 'list')).toMatch(/team +each-key +0\.01 USD a day +0\.01 USD \(system\) +100 %/)
  expect(await gatectl('budget', 'refill', 'team', '0.02', '--for', 'system')).toMatch(
    /system +0\.01 USD +0\.00 USD +0\.02 USD +0\.02 USD/,
  )
  expect((await post(daemon, chat)).status).toBe(200)
  expect(await gatectl('budget', 'set', 'team', '0.50 USD', '--soft')).toMatch(/soft/)
  expect(await gatectl('budget', 'show', 'team')).toMatch(/no end/)
  await gatectl('budget', 'remove', 'team')
  expect(await gatectl('budget', 'list')).toMatch(/^no budgets/)
}, 60_000)

test('a key whose budget is gone is refused until it is there again, and no budget that keys name is removed', async () => {
  const { daemon, place } = await start({})
  const gatectl = (...args: readonly string[]) => runGatectl([...args, '--socket', place.file('admin.sock')])
  const set = ['budget', 'set', 'own', '1', '--window', 'day', '--scope', 'attached']
  await gatectl(...set)
  const made = await gatectl('token', 'create', '--name', 'k', '--scopes', 'chat:write', '--budgets', 'own')
  const authorization = `Bearer ${made.stdout.trim()}`
  const statusNow = async () => {
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] })
    const answer = await fetch(`${daemon.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...HEADERS, authorization },
      body,
    })
    return [answer.status, await answer.text()]
  }
  expect(await statusNow()).toEqual([200, expect.any(String)])
  const removed = await gatectl('budget', 'remove', 'own')
  expect([removed.code, removed.stderr]).toEqual([
    1,
    expect.stringContaining('the key "k" is bound by the budget "own"'),
  ])
  expect((await gatectl('budget', 'set', 'own', '1', '--scope', 'team:red')).code).toBe(1)
  expect((await gatectl('config', 'unset', 'budgets.own')).code).toBe(0)
  expect(await statusNow()).toEqual([403, expect.stringContaining('which does not exist')])
  await gatectl(...set)
  expect(await statusNow()).toEqual([200, expect.any(String)])
  expect((await gatectl('token', 'change', 'k', '--budgets', '')).code).toBe(0)
  expect((await gatectl('budget', 'remove', 'own')).code).toBe(0)
}, 60_000)

// What batches cost: held while an upstream works on them, booked when they have ended, whoever asks for them.
import { toFile } from 'openai'
import { afterEach, expect, test } from 'vitest'
import { createBatchLooks } from '../../../../daemon/gateway/objects/batch-looks.ts'
import { createObjects, type ObjectStore } from '../../../../daemon/gateway/objects/known.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { openDatabase } from '../../../../store/sqlite/database.ts'
import { openHoldStore } from '../../../../store/sqlite/hold-store.ts'
import { openObjectStore } from '../../../../store/sqlite/object-store.ts'
import { memoryHolds, PAYER } from '../../../support/budgets.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const MILLION = 1_000_000
/** A dollar for each token of an answer, half of it in a batch. */
const PRICES = ['gpt', 'claude'].map((model) => ({ model, input: 0, output: MILLION * MILLION }))
const month = { window: 'month', zone: 'UTC', scope: 'global', soft: false, overdraft: '0 USD' }

/** One account at a provider; a batch becomes what the test says. */
async function startAccount() {
  let batch: Record<string, unknown> = {}
  let results = ''
  let asked = 0
  const upstream = await startFakeUpstream(({ path }, response) => {
    if (path.endsWith('/results')) {
      response.writeHead(200, { 'content-type': 'application/x-jsonl' }).end(results)
      return
    }
    if (path.endsWith('/files')) return sendJson(response, 200, { id: 'file-1', object: 'file' })
    if (response.req.method === 'GET') asked += 1
    sendJson(response, 200, batch)
  })
  closing.push(upstream.close)
  return {
    url: upstream.url,
    asked: () => asked,
    becomes(next: object, lines: readonly object[] = []) {
      batch = { id: 'batch-1', ...next }
      results = lines.map((line) => JSON.stringify(line)).join('\n')
    },
  }
}

async function start(budget: object, options: Parameters<typeof startDataPlane>[1] = {}) {
  const account = await startAccount()
  const place = temporaryDirectory()
  const objects = openObjectStore(place.file('objects.db'))
  closing.push(() => {
    objects.close()
    place.remove()
  })
  const upstreams = {
    openai: { provider: 'openai', base_url: `${account.url}/v1`, api_key: 'sk', models: ['gpt'], prices: PRICES },
    claude: { provider: 'anthropic', base_url: `${account.url}/v1`, api_key: 'sk', models: ['claude'], prices: PRICES },
  }
  const holds = options.holds ?? memoryHolds()
  const begin = async () => {
    const plane = await startDataPlane(
      { upstreams, budgets: { b: { ...month, ...budget } } },
      { objects, ...options, holds },
    )
    closing.push(plane.stop)
    return plane
  }
  const plane = await begin()
  const call = async (path: string, body?: object, url = plane.url) => {
    const answer = await fetch(url + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${KEY}`,
        'content-type': 'application/json',
        'anthropic-version': '2023-06-01',
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: answer.status, text: await answer.text(), headers: answer.headers }
  }
  const pot = ({ budgets }: Pick<typeof plane, 'budgets'> = plane) => {
    const [one] = budgets.pots.all()
    return { spent: one?.now.spent, reserved: one?.now.reserved }
  }
  /** Sends a file with the requests of a batch. */
  const sendFile = (requests: readonly object[]) => sendText(requests.map(lineOf).join('\n'))
  const sendText = async (text: string) => {
    const form = new FormData()
    form.set('purpose', 'batch')
    form.set('file', await toFile(Buffer.from(text), 'a.jsonl'))
    const headers = { authorization: `Bearer ${KEY}` }
    const answer = await fetch(`${plane.url}/v1/files`, { method: 'POST', headers, body: form })
    expect(answer.status).toBe(200)
  }
  return { account, plane, begin, call, pot, sendFile, sendText, objects }
}

const lineOf = (body: object, n = 0) => JSON.stringify({ custom_id: `${n}`, method: 'POST', url: '/v1/x', body })
const message = (max_tokens: number) => ({
  custom_id: 'a',
  params: { model: 'claude', max_tokens, messages: [{ role: 'user', content: 'hi' }] },
})
const MESSAGES = '/v1/messages/batches'
const succeeded = (output_tokens: number) => ({
  custom_id: 'a',
  result: { type: 'succeeded', message: { model: 'claude', usage: { input_tokens: 1, output_tokens } } },
})
const running = { type: 'message_batch', processing_status: 'in_progress' }
const ended = { type: 'message_batch', processing_status: 'ended', request_counts: { succeeded: 1 } }
const ofFile = { input_file_id: 'file-1', endpoint: '/v1/responses', completion_window: '24h' }
const DOLLAR = 1_000_000

test.each([
  { scope: 'global' },
  { scope: 'model:claude' },
  { scope: 'provider:anthropic' },
  { scope: 'provider:claude' },
])(
  'a batch of messages holds what it can cost, of a budget of $scope, until its results were read',
  async ({ scope }) => {
    const { account, call, pot, plane } = await start({ limit: '100 USD', scope })
    account.becomes(running)
    expect((await call(MESSAGES, { requests: [message(10), message(30)] })).status).toBe(200)
    expect(pot()).toEqual({ spent: 0, reserved: 20 * DOLLAR })
    await call(`${MESSAGES}/batch-1`)
    expect(pot()).toEqual({ spent: 0, reserved: 20 * DOLLAR })
    account.becomes(ended, [succeeded(4), succeeded(6)])
    await call(`${MESSAGES}/batch-1/results`)
    expect(pot()).toEqual({ spent: 5 * DOLLAR, reserved: 0 })
    expect(plane.rows.reduce((sum, { costMicrodollars }) => sum + costMicrodollars, 0)).toBe(5 * DOLLAR)
  },
)

test('a batch that can cost more than is left is not sent, also where nothing else is reserved', async () => {
  const { account, call, pot } = await start({ limit: '10 USD' })
  account.becomes(running)
  const refused = await call(MESSAGES, { requests: [message(15), message(6)] })
  expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('this one may cost 10.50 USD')])
  expect(pot()).toEqual({ spent: 0, reserved: 0 })
  expect((await call(MESSAGES, { requests: [message(20)] })).status).toBe(200)
})

test.each([{ scope: 'model:gpt' }, { scope: 'provider:openai' }, { scope: 'each-model' }])(
  'the requests of a file that went up are counted in a budget of $scope',
  async ({ scope }) => {
    const { account, call, plane, sendFile } = await start({ limit: '10 USD', scope })
    await sendFile([
      { model: 'gpt', max_tokens: 4 },
      { model: 'gpt', max_completion_tokens: 6 },
    ])
    account.becomes({ object: 'batch', status: 'validating' })
    expect((await call('/v1/batches', ofFile)).status).toBe(200)
    expect(plane.budgets.pots.all().map(({ now }) => now.reserved)).toContain(5 * DOLLAR)
    expect((await call('/v1/batches', ofFile)).status).toBe(200)
    expect((await call('/v1/batches', ofFile)).status).toBe(429)
  },
)

const dear = lineOf({ model: 'gpt', max_tokens: 20 })
test.each([
  { what: 'as usual', text: dear },
  { what: 'after spaces', text: `  \t${dear}` },
  { what: 'after a byte order mark', text: `\uFEFF${dear}` },
  { what: 'with a name that is escaped', text: dear.replace('custom_id', 'custom\\u005fid') },
  { what: 'with what is not JSON, but may be taken', text: dear.replace('"0"', '"0","x":NaN') },
  { what: 'two in a line', text: `${dear}\r${dear}` },
  { what: 'in a line that is too long to be kept', text: dear.replace('"0"', `"${'0'.repeat(4 * 2 ** 20)}"`) },
  {
    what: 'after 100 models that there are not',
    text: [...Array.from({ length: 100 }, (_, n) => lineOf({ model: `none-${n}` }, n)), dear].join('\n'),
  },
  { what: 'in a file whose requests are forgotten', text: dear, isForgotten: true },
])('a batch $what is refused where a budget has less than it can cost', async ({ text, isForgotten = false }) => {
  for (const scope of ['global', 'model:gpt']) {
    const { account, call, pot, sendText } = await start(
      { limit: '9 USD', scope },
      { holds: isForgotten ? { ...memoryHolds(), partsOfFile: () => [] } : memoryHolds() },
    )
    await sendText(text)
    account.becomes({ object: 'batch', status: 'validating' })
    expect((await call('/v1/batches', ofFile)).status).toBe(429)
    expect(pot().reserved ?? 0).toBe(0)
  }
})

test('what could not be read is held for after a restart too, and a budget that refuses unknown prices refuses it', async () => {
  const { account, begin, call, pot, sendText } = await start({ limit: '100000 USD', scope: 'model:gpt' })
  await sendText(dear.replace('"0"', '"0","x":NaN'))
  account.becomes({ object: 'batch', status: 'validating' })
  expect((await call('/v1/batches', ofFile)).status).toBe(200)
  const held = pot().reserved
  expect(held).toBe(4_096 * DOLLAR) // one answer as long as usual, half of a dollar for each token
  expect(pot(await begin()).reserved).toBe(held)
  const strict = await start({ limit: '100000 USD', unknown_price: 'refuse' })
  await strict.sendText(dear.replace('"0"', '"0","x":NaN'))
  expect((await strict.call('/v1/batches', ofFile)).status).toBeGreaterThanOrEqual(400)
})

test('a key has 500 batches under way at most, and the next takes nothing from any of them', async () => {
  const holds = memoryHolds()
  const { account, call, plane } = await start({ limit: '1000 USD' }, { holds })
  account.becomes(running)
  expect((await call(MESSAGES, { requests: [message(1)] })).status).toBe(200)
  const [first] = holds.all()
  if (first === undefined) throw new Error('a batch is held')
  await plane.stop()
  for (let n = 1; n < 500; n++) holds.put({ ...first, id: `batch-${n + 1}` })
  const again = await start({ limit: '1000 USD' }, { holds })
  again.account.becomes({ ...running, id: 'batch-new' })
  const refused = await again.call(MESSAGES, { requests: [message(1)] })
  expect([refused.status, refused.text]).toEqual([429, expect.stringContaining('500 batches under way')])
  expect(holds.all().length).toBe(500)
})

test.each([
  { status: 'failed', counts: { total: 1, completed: 0 }, spent: 0 },
  { status: 'cancelled', counts: { total: 4, completed: 1 }, spent: 1 * DOLLAR },
  { status: 'expired', counts: { total: 4, completed: 0 }, spent: 0 },
  { status: 'completed', counts: { total: 4, completed: 4 }, spent: 4 * DOLLAR },
])(
  'an OpenAI batch that is $status and does not say what it has used is estimated',
  async ({ status, counts, spent }) => {
    const { account, call, pot, plane, sendFile } = await start({ limit: '10 USD' })
    await sendFile(Array.from({ length: 4 }, () => ({ model: 'gpt', max_output_tokens: 2 })))
    account.becomes({ object: 'batch', status: 'in_progress' })
    await call('/v1/batches', ofFile)
    expect(pot()).toEqual({ spent: 0, reserved: 4 * DOLLAR })
    account.becomes({ object: 'batch', status, request_counts: counts })
    await call('/v1/batches/batch-1')
    expect(pot()).toEqual({ spent, reserved: 0 })
    const rows = plane.rows.filter(({ requestId }) => requestId === 'openai batch-1')
    expect(rows.every(({ estimated }) => estimated)).toBe(true)
    await call('/v1/batches/batch-1')
    expect(pot().spent).toBe(spent)
  },
)

test('after a restart the same is held, and a configuration that begins a budget anew holds it too', async () => {
  const place = temporaryDirectory()
  const database = openDatabase(place.file('gate.db'))
  closing.push(() => {
    database.close()
    place.remove()
  })
  const { account, call, begin, pot, sendFile } = await start({ limit: '10 USD' }, { holds: openHoldStore(database) })
  await sendFile([{ model: 'gpt', max_tokens: 8 }])
  account.becomes({ object: 'batch', status: 'in_progress' })
  await call('/v1/batches', ofFile)
  const again = await begin()
  expect(pot(again)).toEqual({ spent: 0, reserved: 4 * DOLLAR })
  again.budgets.apply({ b: { ...month, limit: '10 USD', window: 'day', unknown_price: 'count-as-0' } as never })
  again.holds.restore()
  expect(pot(again)).toEqual({ spent: 0, reserved: 4 * DOLLAR })
  account.becomes({ object: 'batch', status: 'completed', model: 'gpt', usage: { input_tokens: 1, output_tokens: 6 } })
  await call('/v1/batches/batch-1', undefined, again.url)
  expect(pot(again)).toEqual({ spent: 3 * DOLLAR, reserved: 0 })
  expect(openHoldStore(database).all()).toEqual([])
})

/** The looks at what a data plane holds for. */
function looksOf(plane: Awaited<ReturnType<typeof startDataPlane>>, objects: ObjectStore, now: () => number) {
  return createBatchLooks({
    ...{ budgets: plane.budgets, holds: plane.holds, upstreams: plane.upstreams, dialects: DIALECTS, now },
    objects: createObjects(objects, now),
    ledger: { settle: async (row) => void plane.rows.push(row), refusal: () => null },
    metrics: { attempt: () => {} },
    priceOf: () => ({ input: 0, output: MILLION * MILLION }),
    payerOf: () => PAYER,
    log: () => {},
  })
}

test('a batch that its client never asks for is asked for, counted once, and given up after two days', async () => {
  const { account, call, plane, pot, objects } = await start({ limit: '100 USD' })
  account.becomes(running)
  await call(MESSAGES, { requests: [message(40)] })
  let laterMs = 0
  const looks = looksOf(plane, objects, () => Date.now() + laterMs)
  await looks.look()
  expect(account.asked()).toBe(0) // it is too young
  laterMs = 61_000
  await looks.look()
  await looks.look()
  expect(account.asked()).toBe(1)
  laterMs = 600_000
  account.becomes(ended, [succeeded(4)])
  await looks.look()
  expect(pot()).toEqual({ spent: 2 * DOLLAR, reserved: 0 })
  await call(`${MESSAGES}/batch-1/results`)
  expect(plane.rows.filter(({ requestId }) => requestId === 'claude batch-1')).toHaveLength(1)
  account.becomes(running)
  await call(MESSAGES, { requests: [message(40)] })
  expect(pot().reserved).toBe(20 * DOLLAR)
  plane.passTime(2 * 86_400_000 + 1)
  await looks.look()
  expect(plane.holds.all()).toEqual([])
  await looks.stop()
})

test('so is a batch of OpenAI, which says itself what it has used', async () => {
  const { account, call, plane, pot, objects, sendFile } = await start({ limit: '100 USD' })
  await sendFile([{ model: 'gpt', max_tokens: 8 }])
  account.becomes({ object: 'batch', status: 'in_progress' })
  await call('/v1/batches', ofFile)
  expect(pot()).toEqual({ spent: 0, reserved: 4 * DOLLAR })
  account.becomes({ object: 'batch', status: 'completed', model: 'gpt', usage: { input_tokens: 1, output_tokens: 6 } })
  const looks = looksOf(plane, objects, () => Date.now() + 61_000)
  await looks.look()
  expect(pot()).toEqual({ spent: 3 * DOLLAR, reserved: 0 })
  await looks.stop()
})

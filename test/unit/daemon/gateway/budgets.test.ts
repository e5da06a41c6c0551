import { afterEach, describe, expect, test } from 'vitest'
import { until } from '../../../support/daemon.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

// Money on its way through the whole data plane: an upstream whose answers cost 10 000 micro-dollars each.

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const PRICE = { model: 'm', input: 0, output: 1_000_000_000 }
const ANSWER = {
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 10, total_tokens: 11 },
}
const month = { window: 'month', zone: 'UTC', scope: 'global', soft: false, overdraft: '0 USD' }

async function start(budgets: object, price: object = PRICE, prices: readonly object[] = [price], models: object = {}) {
  const gate = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  let isHeld = false
  const upstream = await startFakeUpstream(async (_, response) => {
    reached.resolve()
    if (isHeld) await gate.promise
    sendJson(response, 200, ANSWER)
  })
  closing.push(upstream.close)
  const plane = await startDataPlane({
    upstreams: { box: { provider: 'custom', base_url: upstream.url, models: ['m', 'free'], prices } },
    budgets,
    models,
  })
  closing.push(plane.stop)
  const ask = (model = 'm', fields: object = { max_tokens: 10 }, path = '/v1/chat/completions') =>
    fetch(`${plane.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...fields }),
    })
  return {
    plane,
    ask,
    reached,
    hold: () => {
      isHeld = true
      return gate.resolve
    },
  }
}

describe('a hard budget', () => {
  test('for three answers admits three of 100 parallel requests', async () => {
    const { ask, plane } = await start({ b: { ...month, limit: '0.03 USD' } })
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask()))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(3)
    expect(statuses.filter((status) => status === 429)).toHaveLength(97)
    expect(plane.rows.reduce((sum, row) => sum + row.costMicrodollars, 0)).toBe(30_000)
    const [pot] = plane.budgets.pots.all()
    expect(pot?.now).toMatchObject({ spent: 30_000, reserved: 0 })
  })

  test.each([
    { path: '/v1/chat/completions', told: { error: { type: 'insufficient_quota', code: 'insufficient_quota' } } },
    { path: '/v1/messages', told: { type: 'error', error: { type: 'billing_error' } } },
  ])('that is spent is told on $path, and no client is to try again', async ({ path, told }) => {
    const { ask } = await start({ b: { ...month, limit: '0.01 USD' } })
    expect((await ask()).status).toBe(200)
    const refused = await ask('m', { max_tokens: 10 }, path)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('x-should-retry')).toBe('false')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    const body = (await refused.json()) as { error: { message: string } }
    expect(body).toMatchObject(told)
    expect(body.error.message).toMatch(
      /^budget "b" is spent: 0\.01 USD of 0\.01 USD; it begins anew at \d{4}-\d\d-01T00:00:00Z, and an operator can add/,
    )
  })

  test('lets models go on that cost nothing', async () => {
    const { ask } = await start({ b: { ...month, limit: '0.01 USD' } }, PRICE, [
      PRICE,
      { model: 'free', input: 0, output: 0 },
    ])
    expect((await ask()).status).toBe(200)
    expect((await ask()).status).toBe(429)
    expect((await ask('free')).status).toBe(200)
  })

  test('lets one request begin that may cost more than is left, but not a second one beside it', async () => {
    const { ask, hold, reached } = await start({ b: { ...month, limit: '0.02 USD' } })
    const letGo = hold()
    const first = ask('m', { max_tokens: 1_000 })
    await reached.promise
    const second = await ask()
    expect(second.status).toBe(429)
    expect(second.headers.get('x-should-retry')).toBe(null)
    letGo()
    expect((await first).status).toBe(200)
  })

  test('is given back what an attempt did not cost', async () => {
    const { ask, plane } = await start({ b: { ...month, limit: '1 USD' } })
    for (let i = 0; i < 5; i += 1) expect((await ask('m', { max_tokens: 100 })).status).toBe(200)
    expect(plane.budgets.pots.all()[0]?.now).toMatchObject({ spent: 50_000, reserved: 0 })
  })
})

test.each([
  { name: 'a model by the name of its upstream before it', first: 'm', second: 'box/m' },
  { name: 'a model behind a virtual one', first: 'fast', second: 'm' },
  { name: 'a virtual model after the model itself', first: 'm', second: 'fast' },
])('a budget of a model counts $name', async ({ first, second }) => {
  const { ask, plane } = await start({ b: { ...month, scope: 'model:m', limit: '0.01 USD' } }, PRICE, [PRICE], {
    fast: { targets: [{ upstream: 'box', model: 'm' }] },
  })
  expect((await ask(first)).status).toBe(200)
  expect((await ask(second)).status).toBe(429)
  expect(plane.budgets.pots.all()[0]?.now).toMatchObject({ spent: 10_000, reserved: 0 })
})

test('a soft budget refuses nothing', async () => {
  const { ask } = await start({ b: { ...month, limit: '0.01 USD', soft: true } })
  for (let i = 0; i < 3; i += 1) expect((await ask()).status).toBe(200)
})

test('a model of which no price is known is refused where the budget says so', async () => {
  const { ask } = await start({ b: { ...month, limit: '1 USD', unknown_price: 'refuse' } })
  const refused = await ask('free')
  expect(refused.status).toBe(403)
  expect(await refused.json()).toMatchObject({ error: { code: 'price_unknown' } })
})

describe('a backend that is paid by the hour', () => {
  const HOUR_MS = 3_600_000

  async function startBackend(budget: object) {
    let heldMs = 0
    const gates: (() => void)[] = []
    const upstream = await startFakeUpstream(async (_, response) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      sendJson(response, 200, ANSWER)
    })
    closing.push(upstream.close)
    const backend = { provider: 'vllm', base_url: upstream.url, models: ['m'], price_per_hour: '0.90 USD' }
    const plane = await startDataPlane(
      { backends: { gpu: backend }, budgets: { b: { ...month, ...budget } } },
      { heldNow: () => heldMs },
    )
    closing.push(plane.stop)
    const ask = () =>
      fetch(`${plane.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
      })
    const reached = (count: number) => until(() => gates.length === count)
    return { plane, ask, gates, reached, pass: (ms: number) => (heldMs += ms) }
  }

  test('books its time on the requests that share it; the rows add up to what the budget has spent', async () => {
    const { plane, ask, gates, reached, pass } = await startBackend({ limit: '10 USD' })
    const first = ask()
    await reached(1)
    pass(HOUR_MS)
    const second = ask()
    await reached(2)
    pass(HOUR_MS)
    gates[0]?.()
    await (await first).text()
    await until(() => plane.rows.length === 1)
    pass(HOUR_MS)
    gates[1]?.()
    await (await second).text()
    await until(() => plane.rows.length === 2)
    expect(plane.rows.map(({ costMicrodollars }) => costMicrodollars)).toEqual([1_350_000, 1_350_000])
    expect(plane.rows.every(({ unpriced }) => !unpriced)).toBe(true)
    const [pot] = plane.budgets.pots.all()
    expect(pot?.now).toMatchObject({ spent: 2_700_000, reserved: 0 })
    const idle = ask()
    await reached(3)
    gates[2]?.()
    expect((await idle).status).toBe(200)
    expect(plane.rows.at(-1)?.costMicrodollars).toBe(0)
  })

  test('is reserved for a minute, and refused when the budget is spent', async () => {
    const { plane, ask, gates, reached, pass } = await startBackend({ limit: '0.50 USD' })
    const first = ask()
    await reached(1)
    expect(plane.budgets.pots.all()[0]?.now.reserved).toBe(15_000)
    pass(HOUR_MS)
    gates[0]?.()
    expect((await first).status).toBe(200)
    expect((await ask()).status).toBe(429)
  })
})

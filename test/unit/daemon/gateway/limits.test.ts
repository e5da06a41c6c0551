import { afterEach, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { completion, sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'

// Limits as clients see them, through the whole data plane.

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(limit: object) {
  const held = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const upstream = await startFakeUpstream(async ({ body }, response) => {
    reached.resolve()
    if (body.includes('wait')) await held.promise
    sendJson(response, 200, completion('hi'), {
      'x-ratelimit-limit-requests': '9999',
      'x-ratelimit-remaining-tokens': '1',
    })
  })
  closing.push(upstream.close)
  const plane = await startDataPlane(
    { upstreams: { box: { provider: 'custom', base_url: upstream.url, models: ['m'] } }, limits: { l: limit } },
    { healthNow: () => 0 },
  )
  closing.push(plane.stop)
  const ask = (path = '/v1/chat/completions', content = 'hi') =>
    fetch(`${plane.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], max_tokens: 10 }),
    })
  return { ask, reached: reached.promise, letGo: held.resolve }
}

test('clients of OpenAI are told what is left, and never what their operator has left elsewhere', async () => {
  const { ask } = await start({ requests_per_minute: 2 })
  const told = async () => {
    const { status, headers } = await ask()
    return [status, ...['limit', 'remaining', 'reset'].map((what) => headers.get(`x-ratelimit-${what}-requests`))]
  }
  expect(await told()).toEqual([200, '2', '1', '30s'])
  expect(await told()).toEqual([200, '2', '0', '1m0s'])
  const refused = await ask()
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30'])
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0')
  expect(refused.headers.get('x-ratelimit-remaining-tokens')).toBe(null)
  expect(refused.headers.get('x-should-retry')).toBe(null)
  expect(await refused.json()).toMatchObject({
    error: {
      type: 'rate_limit_error',
      message: 'limit "l" allows 2 requests per minute for each key; try again in 30 s',
    },
  })
})

test("clients of Anthropic get Anthropic's headers", async () => {
  const { ask } = await start({ requests_per_minute: 1, tokens_per_minute: 1_000 })
  const { status, headers } = await ask('/v1/messages')
  expect(status).toBe(200)
  expect(headers.get('anthropic-ratelimit-requests-limit')).toBe('1')
  expect(headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
  expect(headers.get('anthropic-ratelimit-requests-reset')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  expect(headers.get('anthropic-ratelimit-tokens-limit')).toBe('1000')
  const refused = await ask('/v1/messages')
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60'])
  expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error' } })
})

test('requests at a time: the second is let in when the first has ended', async () => {
  const { ask, reached, letGo } = await start({ concurrent: 1 })
  const first = ask(undefined, 'wait')
  await reached
  expect((await ask()).status).toBe(429)
  letGo()
  expect((await first).status).toBe(200)
  expect((await ask()).status).toBe(200)
})

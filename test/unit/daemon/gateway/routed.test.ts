import { afterEach, expect, test } from 'vitest'
import { createRetryBudget } from '../../../../daemon/route/retry-budget.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  completion,
  type FakeUpstream,
  type Seen,
  sendJson,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'

// Where requests go when targets fail: the whole data plane, and an upstream that does what its model is called.

type Behaviour = Parameters<typeof startFakeUpstream>[0]

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(behave: Behaviour, config: (upstream: FakeUpstream) => object, options: object = {}) {
  const upstream = await startFakeUpstream(behave)
  closing.push(upstream.close)
  const plane = await startDataPlane(config(upstream), options)
  closing.push(plane.stop)
  const ask = (model: string, fields: object = {}) =>
    fetch(`${plane.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...fields }),
    })
  return { upstream, plane, ask }
}

const modelOf = ({ body }: Seen): string => JSON.parse(body).model

async function answerOf(answer: Promise<Response>): Promise<string> {
  const { choices } = (await (await answer).json()) as { choices?: { message: { content: string } }[] }
  return choices?.[0]?.message.content ?? 'none'
}

test('half-open: after its rest one request tries a target, others go on to the next, and success closes', async () => {
  let time = 0
  let isBroken = true
  const probe = Promise.withResolvers<void>()
  const probed = Promise.withResolvers<void>()
  const { upstream, ask } = await start(
    async (seen, response) => {
      const model = modelOf(seen)
      if (model === 'first' && isBroken) return sendJson(response, 500, { error: { message: 'no memory' } })
      if (model === 'first') {
        probed.resolve()
        await probe.promise
      }
      sendJson(response, 200, completion(model))
    },
    ({ url }) => ({
      upstreams: { box: { provider: 'custom', base_url: url, models: ['first', 'second'] } },
      models: { m: { targets: ['first', 'second'].map((model) => ({ upstream: 'box', model })) } },
    }),
    { healthNow: () => time },
  )
  const asked = () => upstream.seen.filter((seen) => modelOf(seen) === 'first').length
  expect(await answerOf(ask('m'))).toBe('second')
  expect(await answerOf(ask('m'))).toBe('second')
  expect(asked()).toBe(1)
  isBroken = false
  time += 1_000
  const held = answerOf(ask('m'))
  await probed.promise
  const others = await Promise.all([1, 2, 3].map(() => answerOf(ask('m'))))
  expect(others).toEqual(['second', 'second', 'second'])
  expect(asked()).toBe(2)
  probe.resolve()
  expect(await held).toBe('first')
  expect(await Promise.all([1, 2, 3].map(() => answerOf(ask('m'))))).toEqual(['first', 'first', 'first'])
})

const THREE = ['a', 'b', 'c'].map((model) => ({ upstream: 'box', model }))
const threeTargets = ({ url }: FakeUpstream) => ({
  upstreams: { box: { provider: 'custom', base_url: url, models: ['a', 'b', 'c'] } },
  models: { m: { targets: THREE } },
})

test('when everything fails there are no more further attempts than the budget allows, and the log says so', async () => {
  const budget = createRetryBudget(() => 0)
  const { upstream, plane, ask } = await start(
    (_, response) => sendJson(response, 500, { error: { message: 'no memory' } }),
    threeTargets,
    { parts: { retries: budget } },
  )
  const requests = 80
  for (let i = 0; i < requests; i += 1) expect((await ask('m')).status).toBe(500)
  const further = upstream.seen.length - requests
  expect(further).toBeGreaterThanOrEqual(100)
  expect(further).toBeLessThanOrEqual(100 + requests / 5)
  const said = plane.lines.filter(({ message }) => message === 'no further target is tried: too many requests fail')
  expect(said.length).toBeGreaterThan(0)
  expect(said[0]?.fields).toMatchObject({ upstream: 'box' })
})

test('what a client does wrong is tried nowhere else, and costs nothing of the budget', async () => {
  let retries = 0
  const retry = () => {
    retries += 1
    return true
  }
  const { upstream, ask } = await start(
    (_, response) => sendJson(response, 400, { error: { message: 'no such field' } }),
    threeTargets,
    { parts: { retries: { request: () => {}, retry } } },
  )
  expect((await ask('m')).status).toBe(400)
  expect([upstream.seen.length, retries]).toEqual([1, 0])
})

test.each([
  { path: '/v1/chat/completions', fields: { messages: [{ role: 'user', content: 'hi' }] } },
  { path: '/v1/responses', fields: { input: 'hi' } },
])('a provider that routes by itself is told what is not for Gate: $path', async ({ path, fields }) => {
  const { upstream, plane } = await start(
    (_, response) => sendJson(response, 200, completion('hi')),
    ({ url }) => ({
      upstreams: {
        router: {
          provider: 'openrouter',
          base_url: url,
          models: ['one', 'two'],
          api_key: 'k',
          dialects: { openai_responses: 'translate' },
        },
        box: { provider: 'custom', base_url: url, models: ['three'] },
      },
    }),
  )
  const provider = { order: ['router', 'deepinfra'], only: ['router'], ignore: ['x'], zdr: true, sort: 'price' }
  const answer = await fetch(plane.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'one', ...fields, provider, models: ['two', 'three', 'their/own'] }),
  })
  expect([answer.status, answer.headers.get('x-gate-dropped')]).toEqual([200, null])
  expect(JSON.parse(upstream.seen[0]?.body ?? '')).toMatchObject({
    model: 'one',
    provider: { order: ['deepinfra'], ignore: ['x'], zdr: true, sort: 'price' },
    models: ['two', 'their/own'],
  })
  expect(JSON.parse(upstream.seen[0]?.body ?? '').provider).not.toHaveProperty('only')
})

test('embeddings go where their request says, and are sent without saying so', async () => {
  const list = { object: 'list', model: 'e', data: [{ object: 'embedding', index: 0, embedding: [1] }] }
  const { upstream, plane } = await start(
    (_, response) => sendJson(response, 200, { ...list, usage: { prompt_tokens: 1, total_tokens: 1 } }),
    ({ url }) => ({
      upstreams: {
        one: { provider: 'custom', base_url: `${url}/one`, models: ['e'] },
        two: { provider: 'custom', base_url: `${url}/two`, models: ['e'] },
      },
      models: { e: { targets: ['one', 'two'].map((name) => ({ upstream: name })) } },
    }),
  )
  const answer = await fetch(`${plane.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'e', input: 'hi', provider: { only: ['two'] } }),
  })
  expect(answer.status).toBe(200)
  const asked = upstream.seen.find(({ path }) => path.endsWith('/embeddings'))
  expect([asked?.path, JSON.parse(asked?.body ?? '')]).toEqual(['/v1/two/embeddings', { model: 'e', input: 'hi' }])
})

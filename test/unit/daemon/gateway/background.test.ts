import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { sendJson, startFakeUpstream } from '../../../support/fake-upstream.ts'
import { type SlowUpstream, startSlowUpstream } from '../../../support/slow-upstream.ts'
import { ofSdk, openProblems } from '../../../wire/open-responses.ts'
import { problemsOf, type Shape } from '../../../wire/schemas.ts'

// Responses that run in the background, for OpenAI's own client, on an upstream of another dialect.

let upstream: SlowUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
let client: OpenAI
const model = 'slow/gpt'

beforeAll(async () => {
  upstream = await startSlowUpstream()
  gate = await startDataPlane({
    server: { max_background: 4 },
    upstreams: { slow: { provider: 'custom', base_url: upstream.url, models: ['gpt'] } },
  })
  client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gate?.stop()
  await upstream?.close()
})

type Event = OpenAI.Responses.ResponseStreamEvent

async function eventsOf(stream: AsyncIterable<Event>): Promise<readonly Event[]> {
  const events: Event[] = []
  for await (const event of stream) events.push(event)
  return events
}

/** By the types of the SDK, and by the Open Responses document. */
const problems = (shape: Shape, value: object): readonly string[] => [
  ...problemsOf(shape, JSON.parse(JSON.stringify(value), ofSdk)),
  ...openProblems(value),
]

const textOf = (events: readonly Event[]): string =>
  events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('')

/** Asks until a response has some state. */
async function until(id: string, isSo: (response: OpenAI.Responses.Response) => boolean) {
  for (;;) {
    const response = await client.responses.retrieve(id)
    if (isSo(response)) return response
  }
}

describe('a response in the background', () => {
  test('is answered at once, asked for until it is complete, and metered', async () => {
    const before = gate.rows.length
    const first = await client.responses.create({ model, input: 'Hi', background: true, metadata: { a: 'b' } })
    expect(first).toMatchObject({ status: 'queued', background: true, output: [], metadata: { a: 'b' } })
    expect(problems('openai:Response', first)).toEqual([])
    const answer = await upstream.next()
    expect(JSON.parse(answer.seen.body)).not.toHaveProperty('background')
    answer.say('Hel')
    const running = await until(first.id, ({ status }) => status === 'in_progress')
    expect(problems('openai:Response', running)).toEqual([])
    const items = await client.responses.inputItems.list(first.id)
    expect(items.data).toMatchObject([{ role: 'user', content: [{ text: 'Hi' }] }])
    answer.say('lo')
    answer.end()
    const done = await until(first.id, ({ status }) => status === 'completed')
    expect(done).toMatchObject({ id: first.id, background: true, output_text: 'Hello', usage: { total_tokens: 10 } })
    expect(problems('openai:Response', done)).toEqual([])
    expect(gate.rows.slice(before)).toMatchObject([{ status: 200, inputTokens: 7, outputTokens: 3 }])
  })

  test('is streamed, and followed again from any event, while it runs and after', async () => {
    const stream = await client.responses.create({ model, input: 'Hi', background: true, stream: true })
    const answer = await upstream.next()
    answer.say('one ')
    const seen: Event[] = []
    for await (const event of stream) {
      seen.push(event)
      if (event.type === 'response.output_text.delta') break // the connection is closed
    }
    expect(seen.map(({ type }) => type).slice(0, 3)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ])
    expect(seen.map(({ sequence_number }) => sequence_number)).toEqual(seen.map((_, index) => index))
    for (const event of seen) expect(problems('openai:ResponseStreamEvent', event)).toEqual([])
    const [created] = seen
    if (created?.type !== 'response.created') throw new Error('not created')
    const { id } = created.response
    const last = seen.at(-1)?.sequence_number ?? 0
    const rest = client.responses.retrieve(id, { stream: true, starting_after: last }).then(eventsOf)
    const all = client.responses.retrieve(id, { stream: true }).then(eventsOf)
    answer.say('two')
    answer.end()
    expect(textOf(await rest)).toBe('two')
    expect((await rest)[0]?.sequence_number).toBe(last + 1)
    expect(await all).toEqual([...seen, ...(await rest)])
    const after = await eventsOf(await client.responses.retrieve(id, { stream: true, starting_after: last }))
    expect(after).toEqual(await rest)
    expect(after.at(-1)?.type).toBe('response.completed')
    const helped = await client.responses.stream({ response_id: id }).finalResponse()
    expect(helped).toMatchObject({ id, status: 'completed', output_text: 'one two' })
  })

  test('is followed from an event that has not come yet, and after its end there is nothing more', async () => {
    const { id } = await client.responses.create({ model, input: 'Hi', background: true })
    const answer = await upstream.next()
    answer.say('one ')
    await until(id, ({ output_text }) => output_text === '' || output_text === 'one ')
    const all = client.responses.retrieve(id, { stream: true }).then(eventsOf)
    const later = await client.responses.retrieve(id, { stream: true, starting_after: 8 })
    for (const word of ['two ', 'three ', 'four ', 'five ']) answer.say(word)
    answer.end()
    const rest = await eventsOf(later)
    expect(rest[0]?.sequence_number).toBe(9)
    expect(rest).toEqual((await all).slice(9))
    for (const after of [rest.at(-1)?.sequence_number ?? 0, 100_000]) {
      expect(await eventsOf(await client.responses.retrieve(id, { stream: true, starting_after: after }))).toEqual([])
    }
  })

  test('is cancelled: its upstream is let go, and it stays so', async () => {
    const { id } = await client.responses.create({ model, input: 'Hi', background: true })
    const answer = await upstream.next()
    answer.say('half')
    const following = client.responses.retrieve(id, { stream: true }).then(eventsOf)
    await until(id, ({ status }) => status === 'in_progress')
    expect(await client.responses.cancel(id)).toMatchObject({ id, status: 'cancelled' })
    await answer.closed
    const followed = await following
    expect(followed.at(-1)).toMatchObject({ type: 'response.incomplete', response: { status: 'cancelled' } })
    for (const event of followed) expect(problems('openai:ResponseStreamEvent', event)).toEqual([])
    expect(await client.responses.retrieve(id)).toMatchObject({ status: 'cancelled' })
    expect(await client.responses.cancel(id)).toMatchObject({ status: 'cancelled' })
    const other = await client.responses.create({ model, input: 'Hi', background: true })
    const going = client.responses.create({ model, input: 'more', previous_response_id: other.id })
    await expect(going).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
    await client.responses.cancel(other.id)
    await (await upstream.next()).closed
  })

  test('is deleted while it runs', async () => {
    const { id } = await client.responses.create({ model, input: 'Hi', background: true })
    const answer = await upstream.next()
    await client.responses.delete(id)
    await answer.closed
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({ status: 404 })
  })

  test('fails when its upstream breaks off, and goes on from what came', async () => {
    const { id } = await client.responses.create({ model, input: 'Hi', background: true })
    const answer = await upstream.next()
    answer.say('half')
    await until(id, ({ status }) => status === 'in_progress')
    answer.breakOff()
    const failed = await until(id, ({ status }) => status !== 'in_progress')
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'server_error' }, output_text: 'half' })
    expect(problems('openai:Response', failed)).toEqual([])
  })

  test.each([
    { name: 'that is not stored', asked: { store: false }, status: 400, param: 'store' },
    { name: 'of an unknown model', asked: { model: 'none' }, status: 404, param: 'model' },
  ])('$name is refused at once', async ({ asked, status, param }) => {
    const refused = client.responses.create({ model, input: 'Hi', background: true, ...asked })
    await expect(refused).rejects.toMatchObject({ status, param })
  })

  test('is one of a bounded number', async () => {
    const ask = () => client.responses.create({ model, input: 'Hi', background: true })
    const running = [await ask(), await ask()]
    await expect(ask()).rejects.toMatchObject({ status: 429, headers: expect.anything() })
    for (const { id } of running) await client.responses.cancel(id)
    const { id } = await ask()
    await client.responses.cancel(id)
    for (const _ of [...running, id]) await (await upstream.next()).closed
  })

  test('cannot be one that ran in front', async () => {
    const asking = client.responses.create({ model, input: 'Hi', stream: true }).then(eventsOf)
    const answer = await upstream.next()
    answer.say('front')
    answer.end()
    const last = (await asking).at(-1)
    if (last?.type !== 'response.completed') throw new Error('not completed')
    await expect(client.responses.cancel(last.response.id)).rejects.toMatchObject({ status: 400 })
  })
})

test('an upstream that knows responses itself is asked in front, and answers under the id that was told', async () => {
  const asked: unknown[] = []
  const native = await startFakeUpstream(({ body }, response) => {
    asked.push(JSON.parse(body))
    // one that streams nothing, although it is asked to
    const message = { id: 'msg_up', type: 'message', status: 'completed', role: 'assistant' }
    const content = [{ type: 'output_text', text: 'native', annotations: [], logprobs: [] }]
    sendJson(response, 200, {
      id: 'resp_up',
      object: 'response',
      status: 'completed',
      background: false,
      error: null,
      output: [{ ...message, content }],
      usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    })
  })
  const own = await startDataPlane({
    upstreams: {
      up: { provider: 'custom', base_url: native.url, models: ['gpt'], dialects: { openai_responses: 'native' } },
    },
  })
  try {
    const sdk = new OpenAI({ apiKey: KEY, baseURL: `${own.url}/v1`, maxRetries: 0 })
    const { id } = await sdk.responses.create({ model: 'up/gpt', input: 'Hi', background: true })
    let response = await sdk.responses.retrieve(id)
    while (response.status === 'queued') response = await sdk.responses.retrieve(id)
    expect(response).toMatchObject({ id, status: 'completed', background: true, output: [{ id: 'msg_up' }] })
    expect(asked).toMatchObject([{ stream: true }])
    expect(asked[0]).not.toHaveProperty('background')
  } finally {
    await own.stop()
    await native.close()
  }
})

test('none runs where none may', async () => {
  const own = await startDataPlane({ server: { max_background: 0 }, upstreams: { echo: { provider: 'echo' } } })
  try {
    const sdk = new OpenAI({ apiKey: KEY, baseURL: `${own.url}/v1`, maxRetries: 0 })
    const refused = sdk.responses.create({ model: 'echo/echo', input: 'Hi', background: true })
    await expect(refused).rejects.toMatchObject({ status: 400, param: 'background' })
  } finally {
    await own.stop()
  }
})

test('what still runs when Gate stops, or when its key is revoked, has failed', async () => {
  const own = await startDataPlane({
    upstreams: { slow: { provider: 'custom', base_url: upstream.url, models: ['gpt'] } },
  })
  const { token, record } = own.tokens.create('revoked', ['admin'], null)
  const sdk = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${own.url}/v1`, maxRetries: 0 })
  const revoked = await sdk(token).responses.create({ model, input: 'Hi', background: true })
  const first = await upstream.next()
  own.tokens.revoke(record.id)
  await first.closed
  expect(own.kept.of(record.id).find(revoked.id)).toMatchObject({
    response: { status: 'failed', error: { message: 'the key was revoked' } },
  })
  const { id } = await sdk(KEY).responses.create({ model, input: 'Hi', background: true })
  const second = await upstream.next()
  await own.stop()
  await second.closed
  expect(own.kept.of(own.rows.at(-1)?.keyId ?? '').find(id)).toMatchObject({
    response: { status: 'failed', error: { message: 'Gate is stopping' } },
  })
})

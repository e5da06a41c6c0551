import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BLOCK_BYTES, Blocks } from '../../../../daemon/gateway/blocks.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { type SlowUpstream, startSlowUpstream } from '../../../support/slow-upstream.ts'

// Streams that go on without their client, which comes back for the rest.

let upstream: SlowUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>

async function start(server: object = {}): Promise<void> {
  upstream = await startSlowUpstream()
  gate = await startDataPlane({
    server: { resume_streams: '1h', ...server },
    upstreams: { slow: { provider: 'custom', base_url: upstream.url, models: ['gpt'] } },
  })
}
beforeEach(() => start())
afterEach(async () => {
  await gate.stop()
  await upstream.close()
})

const DOORS: Readonly<Record<string, (conversation: string) => readonly [path: string, body: object]>> = {
  'openai-chat': () => ['/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }], stream: true }],
  responses: () => ['/v1/responses', { input: 'Hi', stream: true, store: false }],
  anthropic: () => ['/v1/messages', { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 9, stream: true }],
  google: () => [
    '/v1beta/models/slow%2Fgpt:streamGenerateContent?alt=sse',
    { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] },
  ],
  ollama: () => ['/api/chat', { messages: [{ role: 'user', content: 'Hi' }] }],
}

/** A stream of a conversation, read as far as a test wants. */
async function ask(door: string, conversation: string, key = KEY) {
  const [path, body] = DOORS[door]?.(conversation) ?? ['', {}]
  const going = new AbortController()
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'x-conversation-id': conversation,
  }
  const named = path.includes('/models/') ? body : { model: 'slow/gpt', ...body }
  const asked = fetch(gate.url + path, { method: 'POST', headers, body: JSON.stringify(named), signal: going.signal })
  const answer = await upstream.next()
  return { answer, leave: () => going.abort(), response: () => asked }
}

/** The bytes of a stream until it has said something. */
async function readUntil(response: Response, text: string): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const reader = response.body?.getReader()
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) throw new Error(`no ${text} in ${Buffer.concat(pieces)}`)
    pieces.push(value)
    const all = Buffer.concat(pieces)
    if (all.includes(text)) return all
  }
}

const resumed = (conversation: string, offset: number | string, key = KEY) =>
  fetch(`${gate.url}/v1/streams/${conversation}?offset=${offset}`, { headers: { authorization: `Bearer ${key}` } })

describe.each(Object.keys(DOORS))('a stream of %s', (door) => {
  test('goes on without its client, which gets the rest byte for byte', async () => {
    const { answer, leave, response } = await ask(door, 'c1')
    answer.say('first')
    const seen = await readUntil(await response(), 'first')
    leave()
    answer.say('second')
    const again = await resumed('c1', seen.length)
    expect(again.headers.get('content-type')).toBe((await response()).headers.get('content-type'))
    answer.say('third')
    answer.end()
    const rest = Buffer.from(await again.arrayBuffer())
    expect(rest.toString()).toContain('second')
    expect(rest.toString()).toContain('third')
    const whole = Buffer.from(await (await resumed('c1', 0)).arrayBuffer())
    expect(Buffer.concat([seen, rest]).equals(whole)).toBe(true)
    expect(gate.rows).toMatchObject([{ status: 200, inputTokens: 7, outputTokens: 3 }])
  })
})

test('a client that stays gets what it always gets', async () => {
  const { answer, response } = await ask('openai-chat', 'c1')
  answer.say('all')
  answer.end()
  const got = await response()
  expect(got.headers.get('x-request-id')).toMatch(/^req_/)
  expect(await got.text()).toMatch(/all[\s\S]*\[DONE\]\n\n$/)
})

test('a stream that fails before it begins is an error with its status', async () => {
  const { answer, response } = await ask('openai-chat', 'c1')
  answer.breakOff()
  expect((await response()).status).toBe(502)
  expect((await resumed('c1', 0)).status).toBe(502)
})

test('a stream of responses that fails before it begins has its error as the body, as without a recording', async () => {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const asked = client.responses.create({ model: 'slow/gpt', input: 'Hi', stream: true })
  const refused = expect(asked).rejects.toMatchObject({ status: 502, type: 'upstream_error' })
  const answer = await upstream.next()
  answer.breakOff()
  await refused
})

test('a stream of responses is found by the id of its response, from any event', async () => {
  const client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const asked = client.responses.create({ model: 'slow/gpt', input: 'Hi', stream: true })
  const answer = await upstream.next()
  answer.say('one ')
  const stream = await asked
  let last = -1
  let id = ''
  for await (const event of stream) {
    last = event.sequence_number
    if (event.type === 'response.created') id = event.response.id
    if (event.type === 'response.output_text.delta') break
  }
  expect(await client.responses.retrieve(id)).toMatchObject({ id, status: 'in_progress', background: false })
  await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 })
  const rest = await client.responses.retrieve(id, { stream: true, starting_after: last })
  answer.say('two')
  answer.end()
  const types: string[] = []
  for await (const event of rest) types.push(event.type)
  expect(types[0]).toBe('response.output_text.delta')
  expect(types.at(-1)).toBe('response.completed')
  expect(await client.responses.retrieve(id)).toMatchObject({ id, status: 'completed', output_text: 'one two' })
})

test('another key finds nothing, and nothing is found under another name or from nowhere', async () => {
  const { token } = gate.tokens.create('other', ['admin'], null)
  const { answer, response } = await ask('openai-chat', 'c1')
  answer.say('mine')
  const seen = await readUntil(await response(), 'mine')
  expect((await resumed('c1', 0, token)).status).toBe(404)
  expect((await resumed('c2', 0)).status).toBe(404)
  expect((await resumed('c1', seen.length + 1)).status).toBe(404)
  expect((await resumed('c1', 'x')).status).toBe(400)
  expect((await resumed('%', 0)).status).toBe(400)
})

test.each([
  { name: 'with bytes beyond ASCII', conversation: 'ü' },
  { name: 'with the bytes of UTF-8', conversation: Buffer.from('ü').toString('latin1') },
  { name: 'that is too long', conversation: 'x'.repeat(201) },
])('a name of a conversation $name is refused, and the refusal names the header', async ({ conversation }) => {
  const [path, body] = DOORS['openai-chat']?.('') ?? ['', {}]
  const answer = await fetch(gate.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${KEY}`,
      'content-type': 'application/json',
      'x-conversation-id': conversation,
    },
    body: JSON.stringify({ model: 'slow/gpt', ...body }),
  })
  expect(answer.status).toBe(400)
  expect(await answer.json()).toMatchObject({ error: { param: 'x-conversation-id' } })
  expect((await resumed(encodeURIComponent(conversation), 0)).status).toBe(400)
  expect(upstream.seen).toEqual([])
})

test('of two streams of a conversation the last is found, and the other ends with its client', async () => {
  const first = await ask('openai-chat', 'c1')
  first.answer.say('old')
  await readUntil(await first.response(), 'old')
  const second = await ask('openai-chat', 'c1')
  second.answer.say('new')
  await readUntil(await second.response(), 'new')
  first.leave()
  await first.answer.closed
  second.leave()
  second.answer.end()
  expect(await (await resumed('c1', 0)).text()).toContain('new')
})

describe('without its client, a stream ends', () => {
  test('when its time is over', async () => {
    await gate.stop()
    await upstream.close()
    await start({ resume_streams: '1ms' })
    const { answer, leave, response } = await ask('openai-chat', 'c1')
    answer.say('first')
    await readUntil(await response(), 'first')
    leave()
    await answer.closed
  })

  test('when more has come than it could be told, and what is kept is bounded', async () => {
    await gate.stop()
    await upstream.close()
    await start({ max_recorded: '256KiB' })
    const { answer, leave, response } = await ask('openai-chat', 'c1')
    answer.say('first')
    await readUntil(await response(), 'first')
    leave()
    let isClosed = false
    void answer.closed.then(() => {
      isClosed = true
    })
    while (!isClosed) {
      answer.say('x'.repeat(1_000))
      await new Promise(setImmediate)
    }
    expect((await resumed('c1', 0)).status).toBe(404)
  })
})

describe('when all streams take too much', () => {
  async function said(conversation: string, key: string, end: boolean): Promise<() => void> {
    const { answer, leave, response } = await ask('openai-chat', conversation, key)
    answer.say('x'.repeat(9_000))
    if (end) answer.end()
    await (end ? (await response()).text() : readUntil(await response(), 'xxx'))
    return leave
  }
  const isThere = async (conversation: string, key: string) => {
    const { status, body } = await resumed(conversation, 0, key)
    await body?.cancel()
    return status === 200
  }

  test('those of the key that has most go first, what has ended before what goes on', async () => {
    await gate.stop()
    await upstream.close()
    await start({ max_recorded: '128KiB' })
    const { token } = gate.tokens.create('modest', ['admin'], null)
    await said('modest', token, true)
    await said('open', KEY, false)
    for (let count = 0; count < 12; count += 1) await said(`c${count}`, KEY, true)
    expect(await isThere('modest', token)).toBe(true)
    expect(await isThere('c0', KEY)).toBe(false)
    expect(await isThere('c11', KEY)).toBe(true)
    expect(await isThere('open', KEY)).toBe(true)
  })
})

test('without server.resume_streams a stream ends with its client', async () => {
  await gate.stop()
  await upstream.close()
  await start({ resume_streams: '0s' })
  const { answer, leave, response } = await ask('openai-chat', 'c1')
  answer.say('first')
  await readUntil(await response(), 'first')
  leave()
  await answer.closed
  expect((await resumed('c1', 0)).status).toBe(404)
})

test('blocks give back any byte that is kept, and room for what is not', () => {
  let taken = 0
  const count = (bytes: number) => {
    taken += bytes
  }
  const blocks = new Blocks(count)
  const all = Buffer.from(Array.from({ length: 5 * BLOCK_BYTES + 7 }, (_, at) => at % 251))
  for (let at = 0; at < all.length; at += 1_001) blocks.append(all.subarray(at, at + 1_001))
  blocks.trim(2 * BLOCK_BYTES, all.length)
  const pieces: Buffer[] = []
  for (let at = blocks.from(); at < blocks.to(); at += pieces.at(-1)?.length ?? 0) pieces.push(blocks.at(at))
  expect(Buffer.concat(pieces).equals(all.subarray(blocks.from()))).toBe(true)
  expect(taken).toBe(Math.ceil((all.length - blocks.from()) / BLOCK_BYTES) * BLOCK_BYTES)
  blocks.clear()
  expect(taken).toBe(0)
  blocks.append(all)
  expect(blocks.at(blocks.to() - 3)).toEqual(all.subarray(-3))
})

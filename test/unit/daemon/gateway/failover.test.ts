import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import {
  DONE,
  type FakeUpstream,
  frame,
  type Seen,
  STREAM_HEADERS,
  startFakeUpstream,
} from '../../../support/fake-upstream.ts'
import { eventsIn, named } from '../../../support/json-names.ts'

// A text that breaks off at one target goes on at the next.

const WORDS = ['Once ', 'upon ', 'a ', 'time.\n\n', 'The ', 'end.']
const TEXT = WORDS.join('')

/** What the first upstream does: it says so many words, and then what `breaks` has it do. */
let words = 0
let breaks: (response: ServerResponse) => void
let before: readonly string[] = []
let second: (response: ServerResponse, rest: string) => void = (response) => response.destroy()
const seen: { readonly name: string; readonly body: unknown; readonly said: string }[] = []

const upstreams: FakeUpstream[] = []
let plane: Awaited<ReturnType<typeof startDataPlane>>

type Mock = {
  readonly path: string
  readonly answer: (response: ServerResponse, rest: string) => void
}

const event = (type: string, rest: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
const USAGE = { prompt_tokens: 20, completion_tokens: 4, total_tokens: 24 }

const chat: Mock = {
  path: '/v1/chat/completions',
  answer(response, rest) {
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ role: 'assistant', reasoning_content: 'Where was I?' }))
    for (const piece of rest.match(/.{1,5}/gs) ?? []) response.write(frame({ content: piece }))
    response.end(frame({}, 'stop', { usage: USAGE }) + DONE)
  },
}

const MOCKS: Readonly<Record<string, Mock>> = {
  first: {
    path: chat.path,
    answer(response) {
      response.writeHead(200, STREAM_HEADERS)
      response.write(frame({ role: 'assistant', content: '' }))
      for (const one of before) response.write(one)
      for (const word of WORDS.slice(0, words)) response.write(frame({ content: word }))
      breaks(response)
    },
  },
  chat,
  anthropic: {
    path: '/v1/messages',
    answer(response, rest) {
      const message = { id: 'msg_2', type: 'message', role: 'assistant', model: 'c', content: [], stop_reason: null }
      response.writeHead(200, STREAM_HEADERS)
      response.write(event('message_start', { message: { ...message, usage: { input_tokens: 20, output_tokens: 1 } } }))
      response.write(event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }))
      for (const text of rest.match(/.{1,5}/gs) ?? []) {
        response.write(event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }))
      }
      response.write(event('content_block_stop', { index: 0 }))
      response.write(event('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 4 } }))
      response.end(event('message_stop', {}))
    },
  },
  ollama: {
    path: '/api/chat',
    answer(response, rest) {
      const line = (content: string, more: object) =>
        `${JSON.stringify({ model: 'o', created_at: '2026-11-30T00:00:00Z', message: { role: 'assistant', content }, ...more })}\n`
      response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      for (const piece of rest.match(/.{1,5}/gs) ?? []) response.write(line(piece, { done: false }))
      response.end(line('', { done: true, done_reason: 'stop', prompt_eval_count: 20, eval_count: 4 }))
    },
  },
  scripted: { path: chat.path, answer: (response, rest) => second(response, rest) },
}

/** What the request ends with, when that is an answer. */
function saidIn({ messages }: { readonly messages: readonly { readonly role: string; readonly content: unknown }[] }) {
  const last = messages.at(-1)
  if (last?.role !== 'assistant') return ''
  return typeof last.content === 'string' ? last.content : named(last.content, 'text').join('')
}

/** What is left to say after what was said. */
const restOf = (said: string) =>
  TEXT.startsWith(said) ? TEXT.slice(said.length) : `<not after ${JSON.stringify(said)}>`

/** The first target comes first, however often it fails. */
const NEVER_RESTS = { succeeded() {}, failed() {}, undecided() {}, begins() {}, ends() {} }

beforeAll(async () => {
  const configs: Record<string, object> = {}
  const provider: Readonly<Record<string, string>> = { anthropic: 'anthropic', ollama: 'ollama' }
  for (const [name, mock] of Object.entries(MOCKS)) {
    const upstream = await startFakeUpstream((request: Seen, response) => {
      const body = JSON.parse(request.body)
      const said = saidIn(body)
      seen.push({ name, body, said })
      if (request.path === mock.path) mock.answer(response, restOf(said))
      else response.destroy()
    })
    upstreams.push(upstream)
    const base_url = name === 'ollama' ? upstream.url.replace('/v1', '/api') : upstream.url
    configs[name] = { provider: provider[name] ?? 'vllm', base_url, models: ['m'] }
    if (name === 'chat') {
      configs['llama'] = { provider: 'llama-cpp', base_url, models: ['m'] }
      configs['sglang'] = { provider: 'sglang', base_url, models: ['m'] }
      // none of these can go on with a text
      configs['other'] = { provider: 'custom', base_url, models: ['m'] }
      configs['openai'] = { provider: 'openai', base_url, models: ['m'] }
      configs['google'] = { provider: 'google', base_url, models: ['m'] }
    }
  }
  const to = (failover: string, ...targets: string[]) => ({
    failover,
    targets: targets.map((upstream) => ({ upstream, model: 'm' })),
  })
  const able = ['chat', 'anthropic', 'ollama', 'llama', 'sglang', 'scripted']
  plane = await startDataPlane(
    {
      upstreams: configs,
      models: {
        ...Object.fromEntries(
          [...able, 'other', 'openai', 'google'].map((name) => [`to-${name}`, to('mid-stream', 'first', name)]),
        ),
        'not-wanted': to('before-content', 'first', 'chat'),
        'past-others': to('mid-stream', 'first', 'other', 'google', 'chat'),
        'of-three': to('mid-stream', 'first', 'scripted', 'anthropic'),
      },
    },
    { parts: { health: NEVER_RESTS, retries: { request() {}, retry: () => true } } },
  )
})
afterAll(async () => {
  await plane.stop()
  for (const upstream of upstreams) await upstream.close()
})

type Client = {
  readonly name: string
  readonly path: (model: string) => string
  readonly body: (model: string, more: object) => object
  /** Where the text is, and how many tokens it took. */
  readonly text: string
  readonly tokens: string
  /** How often the stream begins, and ends well. */
  readonly begins: RegExp
  readonly ends: RegExp
  readonly fails: RegExp
}

const content = 'Tell me.'
const messages = [{ role: 'user', content }]
const CLIENTS: readonly Client[] = [
  {
    name: 'openai-chat',
    path: () => '/v1/chat/completions',
    body: (model, more) => ({ model, stream: true, messages, stream_options: { include_usage: true }, ...more }),
    text: 'content',
    tokens: 'completion_tokens',
    begins: /"role":"assistant"/g,
    ends: /\[DONE\]/g,
    fails: /"error":\{/g,
  },
  {
    name: 'anthropic',
    path: () => '/v1/messages',
    body: (model, more) => ({ model, max_tokens: 90, stream: true, messages, ...more }),
    text: 'text',
    tokens: 'output_tokens',
    begins: /event: message_start/g,
    ends: /event: message_stop/g,
    fails: /event: error/g,
  },
  {
    name: 'openai-responses',
    path: () => '/v1/responses',
    body: (model, more) => ({ model, stream: true, input: content, ...more }),
    text: 'delta',
    tokens: 'output_tokens',
    begins: /event: response\.created/g,
    ends: /event: response\.completed/g,
    fails: /event: response\.failed/g,
  },
  {
    name: 'google',
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: (_, more) => ({ contents: [{ role: 'user', parts: [{ text: content }] }], ...more }),
    text: 'text',
    tokens: 'candidatesTokenCount',
    begins: /^(?=data)/g,
    ends: /"finishReason":"STOP"/g,
    fails: /"error":\{/g,
  },
  {
    name: 'ollama',
    path: () => '/api/chat',
    body: (model, more) => ({ model, messages, ...more }),
    text: 'content',
    tokens: 'eval_count',
    begins: /^(?=\{)/g,
    ends: /"done":true/g,
    fails: /"error":/g,
  },
]

async function ask(client: Client, model: string, more: object = {}) {
  seen.length = 0
  plane.rows.length = 0
  const answer = await fetch(`${plane.url}${client.path(model)}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(client.body(model, more)),
  })
  const shown = await answer.text()
  const events = eventsIn(shown)
  const count = (pattern: RegExp) => shown.match(pattern)?.length ?? 0
  return {
    shown,
    status: answer.status,
    text: named(events, client.text).join(''),
    tokens: named(events, client.tokens).at(-1),
    marks: { begins: count(client.begins), ends: count(client.ends), fails: count(client.fails) },
  }
}

const cut = (response: ServerResponse) => void setImmediate(() => response.destroy())
const closed = (response: ServerResponse) => void response.end()
const reported = (response: ServerResponse) =>
  void response.end(`data: ${JSON.stringify({ error: { message: 'out of memory' } })}\n\n`)

const WELL = { begins: 1, ends: 1, fails: 0 }
const FAILED = { begins: 1, ends: 0, fails: 1 }

describe.each(CLIENTS)('a client of $name', (client) => {
  test.each(['chat', 'anthropic', 'ollama', 'llama', 'sglang'])(
    'reads on at %s, whenever the first breaks off',
    async (name) => {
      for (const [at, way] of [cut, closed, reported, cut, closed].entries()) {
        words = at + 1
        breaks = way
        const { status, text, tokens, marks } = await ask(client, `to-${name}`)
        expect({ status, text, marks }).toEqual({ status: 200, text: TEXT, marks: WELL })
        expect(seen.map(({ said }) => said)).toEqual(['', WORDS.slice(0, words).join('').trimEnd()])
        expect(plane.rows.map(({ attempt, upstream, outcome }) => ({ attempt, upstream, outcome }))).toEqual([
          { attempt: 1, upstream: 'first', outcome: 'truncated' },
          { attempt: 2, upstream: name, outcome: 'ok' },
        ])
        const [first, next] = plane.rows
        expect(tokens).toBe((first?.outputTokens ?? 0) + (next?.outputTokens ?? 0))
        expect(next?.outputTokens).toBe(4)
      }
    },
  )

  test.each(['other', 'openai', 'google'])('is told of the error where %s cannot go on', async (name) => {
    words = 2
    breaks = cut
    const { text, marks } = await ask(client, `to-${name}`)
    expect({ text, marks }).toEqual({ text: 'Once upon ', marks: FAILED })
    expect(plane.rows).toHaveLength(1)
  })

  test('is told of the error where it is not wanted', async () => {
    words = 2
    breaks = cut
    const { text, marks } = await ask(client, 'not-wanted')
    expect({ text, marks }).toEqual({ text: 'Once upon ', marks: FAILED })
    expect(seen).toHaveLength(1)
  })

  test('reads on at the third when the second breaks off, too, or is passed over', async () => {
    words = 1
    breaks = cut
    second = (response, rest) => {
      response.writeHead(200, STREAM_HEADERS)
      response.write(frame({ content: rest.slice(0, 8) }))
      cut(response)
    }
    const three = await ask(client, 'of-three')
    expect({ text: three.text, marks: three.marks }).toEqual({ text: TEXT, marks: WELL })
    expect(seen.map(({ said }) => said)).toEqual(['', 'Once', 'Once upon a'])
    expect(plane.rows.map(({ outcome }) => outcome)).toEqual(['truncated', 'truncated', 'ok'])
    const spent = plane.rows.reduce((sum, { outputTokens }) => sum + outputTokens, 0)
    expect(three.tokens).toBe(spent)

    second = (response) => void response.writeHead(400).end('{"error":{"message":"no"}}')
    const refused = await ask(client, 'of-three')
    expect({ text: refused.text, marks: refused.marks }).toEqual({ text: TEXT, marks: WELL })
    const passed = await ask(client, 'past-others')
    expect({ text: passed.text, marks: passed.marks }).toEqual({ text: TEXT, marks: WELL })
    expect(seen.map(({ name }) => name)).toEqual(['first', 'chat'])
  })

  test('is told of the first error when nobody can go on', async () => {
    words = 2
    breaks = reported
    second = (response) => void response.writeHead(500).end('no')
    const { text, marks, shown } = await ask(client, 'to-scripted')
    expect({ text, marks }).toEqual({ text: 'Once upon ', marks: FAILED })
    expect(shown).toContain('out of memory')
  })

  test('gets another answer when nothing was said', async () => {
    words = 0
    breaks = cut
    const { text, marks } = await ask(client, 'to-chat')
    expect({ isWhole: text.endsWith(TEXT), marks }).toEqual({ isWhole: true, marks: WELL }) // some show what was thought
    expect(seen.map(({ said }) => said)).toEqual(['', ''])
  })

  test('never reads on inside of a call that it was told of, or after it', async () => {
    const call = { index: 0, id: 'c', type: 'function', function: { name: 'look', arguments: '{"a":' } }
    words = 0
    breaks = cut
    before = [frame({ content: 'I look. ' }), frame({ tool_calls: [call] })]
    const inside = await ask(client, 'to-chat')
    before = [...before, frame({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] })]
    words = 1
    const after = await ask(client, 'to-chat')
    before = []
    const hasWholeCalls = ['google', 'ollama'].includes(client.name)
    for (const { text, marks } of hasWholeCalls ? [after] : [inside, after]) {
      expect({ isCut: text.startsWith('I look. '), marks }).toEqual({ isCut: true, marks: FAILED })
    }
    if (hasWholeCalls) expect(inside.marks).toEqual(WELL)
    expect(seen).toHaveLength(1)
  })
})

const [openai, anthropic] = CLIENTS
if (openai === undefined || anthropic === undefined) throw new Error('no clients')

test('a client that begins the answer itself has it gone on with', async () => {
  words = 1
  breaks = cut
  await ask(anthropic, 'to-chat', { messages: [...messages, { role: 'assistant', content: 'Well: ' }] })
  expect(seen.map(({ said }) => said.trimEnd())).toEqual(['Well:', 'Well: Once'])
})

test('who goes on is told how much is left to say, and neither to think nor to end the turn', async () => {
  words = 3
  breaks = cut
  await ask(anthropic, 'to-chat', { thinking: { type: 'enabled', budget_tokens: 1_024 }, max_tokens: 2_048 })
  const body = seen[1]?.body
  expect(body).toMatchObject({ max_tokens: 2_048 - 3, continue_final_message: true, add_generation_prompt: false })
  expect(JSON.stringify(body)).not.toContain('thinking')
})

test.each([{ n: 2 }, { logprobs: true }])(
  'an answer that is more than one text is not gone on with: %o',
  async (more) => {
    words = 2
    breaks = cut
    const { text, marks } = await ask(openai, 'to-chat', more)
    expect({ text, fails: marks.fails }).toEqual({ text: 'Once upon ', fails: 1 })
    expect(seen).toHaveLength(1)
  },
)

test('what thought about the text is not shown in the middle of it', async () => {
  words = 2
  breaks = cut
  const { shown } = await ask(openai, 'to-chat')
  expect(shown).not.toContain('Where was I?')
})

import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientModule, HAS_CLIENTS, NEEDS_CLIENTS } from '../clients/installed.ts'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { type FakeUpstream, STREAM_HEADERS, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { weatherAnswer } from '../support/weather-upstream.ts'
import { problemsOf } from '../wire/schemas.ts'

// The official client in front of an upstream of another dialect, and others in front of one of Google's; the upstreams
// refuse what the SDKs' types do not allow.

const SIGNATURE = 'c2lnbmVkIGJ5IEdvb2dsZQ=='

let chat: FakeUpstream
let gemini: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>

beforeAll(async () => {
  chat = await startFakeUpstream(weatherAnswer)
  gemini = await startFakeUpstream(answerGoogle)
  gate = await startDataPlane({
    upstreams: {
      openai: { provider: 'openai', base_url: chat.url, models: ['gpt', 'org/gpt'] },
      google: {
        provider: 'google',
        base_url: gemini.url.replace('/v1', '/v1beta'),
        models: ['gemini-3-pro'],
        api_key: 'key-of-the-upstream',
      },
    },
  })
})
afterAll(async () => {
  await gate?.stop()
  await chat?.close()
  await gemini?.close()
})

type Behaviour = Parameters<typeof startFakeUpstream>[0]

// the upstream that speaks generateContent: like Gemini 3, it refuses a call whose signature has not come back

type Part = { readonly functionCall?: object; readonly functionResponse?: object; readonly thoughtSignature?: string }

const isCall = ({ functionCall }: Part): boolean => functionCall !== undefined

const answerGoogle: Behaviour = ({ body, path, headers }, response) => {
  const asked = JSON.parse(body)
  const isCount = path.endsWith(':countTokens')
  const turns: readonly { readonly role?: string; readonly parts: readonly Part[] }[] = asked.contents ?? []
  const calls = turns.flatMap(({ role, parts }, at) => {
    const goesOn = role === 'model' && turns[at - 1]?.role === 'model' // the SDK keeps each part of a stream as a turn
    return goesOn
      ? []
      : ([...parts, ...(turns[at + 1]?.role === 'model' ? (turns[at + 1]?.parts ?? []) : [])].find(isCall) ?? [])
  })
  const problems = [
    ...problemsOf(isCount ? 'google:CountTokensRequest' : 'google:GenerateContentRequest', asked),
    ...(headers['x-goog-api-key'] === 'key-of-the-upstream' ? [] : ['no x-goog-api-key']),
    ...calls.flatMap((one) => (one.thoughtSignature === SIGNATURE ? [] : ['a call without its thought_signature'])),
  ]
  const refuse = (code: number, status: string, message: string, details: readonly object[] = []) =>
    sendJson(response, code, { error: { code, status, message, details } })
  if (problems.length > 0) return refuse(400, 'INVALID_ARGUMENT', problems.join('; '))
  if (isCount) return sendJson(response, 200, { totalTokens: 4_711 })
  if (body.includes('too often')) {
    const retry = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }
    return refuse(429, 'RESOURCE_EXHAUSTED', 'slower', [retry])
  }
  const isAnswered = turns.some(({ parts }) => parts.some(({ functionResponse }) => functionResponse !== undefined))
  const parts = isAnswered ? [{ text: '4 and 19' }] : GOOGLE_CALLS
  if (path.endsWith(':generateContent')) return sendJson(response, 200, content(parts, 'STOP'))
  const isList = !path.endsWith('?alt=sse')
  const frames = [...parts.map((part) => content([part])), content([{ text: '' }], 'STOP')].map((one) =>
    JSON.stringify(one),
  )
  response.writeHead(200, isList ? { 'content-type': 'application/json' } : STREAM_HEADERS)
  response.end(isList ? `[${frames.join('\n,\r\n')}\n]\n` : frames.map((frame) => `data: ${frame}\r\n\r\n`).join(''))
}

const GOOGLE_CALLS = [
  { text: 'Hm.', thought: true },
  { functionCall: { id: 'a', name: 'get_weather', args: { city: 'Oslo' } }, thoughtSignature: SIGNATURE },
  { functionCall: { id: 'b', name: 'get_weather', args: { city: 'Rome' } } },
]

function content(parts: readonly object[], finishReason?: string): object {
  const usageMetadata = { promptTokenCount: 21, candidatesTokenCount: 6, thoughtsTokenCount: 3, totalTokenCount: 30 }
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason !== undefined && { finishReason }) }
  return { candidates: [candidate], usageMetadata, modelVersion: 'gemini-3-pro', responseId: 'r1' }
}

describe.skipIf(!HAS_CLIENTS)(`@google/genai${NEEDS_CLIENTS}`, async () => {
  const { GoogleGenAI, ApiError } = HAS_CLIENTS ? await clientModule('@google/genai') : {}
  const client = () =>
    new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: gate.url, retryOptions: { attempts: 1 } } })

  const functionDeclarations = [
    {
      name: 'get_weather',
      description: 'weather of a city',
      parameters: { type: 'OBJECT', properties: { city: { type: 'STRING' } }, required: ['city'] },
    },
  ]
  const thinkingConfig = { includeThoughts: true, thinkingBudget: 1_024 }
  const config = { tools: [{ functionDeclarations }], thinkingConfig }
  const question = { role: 'user', parts: [{ text: 'Oslo and Rome?' }] }
  const results = (named: readonly { readonly id?: string; readonly name?: string }[]) => ({
    role: 'user',
    parts: named.map(({ id, name }) => ({ functionResponse: { id, name, response: { output: '4' } } })),
  })
  const CALLS = [
    { id: 'a', name: 'get_weather', args: { city: 'Oslo' } },
    { id: 'b', name: 'get_weather', args: { city: 'Rome' } },
  ]

  test.each(['gpt', 'org/gpt', 'gemini-3-pro'])('%s: two calls at once, thoughts, and their results', async (model) => {
    const first = await client().models.generateContent({ model, contents: [question], config })
    expect(first.functionCalls).toEqual(CALLS)
    expect(first.candidates[0].content.parts[0]).toEqual({ text: 'Hm.', thought: true })
    expect(first.usageMetadata).toMatchObject({ promptTokenCount: 21, totalTokenCount: 30 })
    const contents = [question, first.candidates[0].content, results(first.functionCalls)]
    const second = await client().models.generateContent({ model, contents, config })
    expect(second.text).toBe('4 and 19')
    expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 9, estimated: false, outcome: 'ok' })
  })

  test('vectors of texts', async () => {
    const vectors = await client().models.embedContent({ model: 'gpt', contents: ['one', 'two'] })
    expect(vectors.embeddings).toEqual([{ values: [0, 0.5] }, { values: [1, 0.5] }])
    expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 6, outputTokens: 0, estimated: false })
  })

  test.each(['gpt', 'gemini-3-pro'])('%s: the same as a chat of streams', async (model) => {
    const talk = client().chats.create({ model, config })
    const first = await talk.sendMessageStream({ message: 'Oslo and Rome?' })
    const calls: unknown[] = []
    let thought = ''
    for await (const part of first) {
      calls.push(...(part.functionCalls ?? []))
      for (const one of part.candidates[0].content.parts) if (one.thought) thought += one.text
    }
    expect(calls).toEqual(CALLS)
    expect(thought).toBe('Hm.')
    let text = ''
    const second = await talk.sendMessageStream({ message: results(CALLS).parts })
    for await (const part of second) text += part.text ?? ''
    expect(text).toBe('4 and 19')
    expect(talk.getHistory(true)).not.toHaveLength(0) // which is what the SDK takes for valid
    expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 9, estimated: false, outcome: 'ok' })
  })

  test('an image, a schema, and a limit', async () => {
    const parts = [{ inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }, { text: 'What is it?' }]
    const responseSchema = { type: 'OBJECT', properties: { n: { type: 'INTEGER' } } }
    const asked = { responseMimeType: 'application/json', responseSchema, maxOutputTokens: 9 }
    await client().models.generateContent({ model: 'gpt', contents: [{ role: 'user', parts }], config: asked })
    const sent = JSON.parse(chat.seen.at(-1)?.body ?? '')
    expect(sent.messages[0].content[0].image_url.url).toBe('data:image/png;base64,iVBORw0KGgo=')
    expect(sent.response_format.json_schema.schema).toEqual({ type: 'object', properties: { n: { type: 'integer' } } })
    expect(sent.max_completion_tokens).toBe(9)
  })

  test('an aborted stream ends at the upstream, too', async () => {
    const rows = gate.rows.length
    const abort = new AbortController()
    const stream = await client().models.generateContentStream({
      model: 'gpt',
      contents: 'go on for ever',
      config: { abortSignal: abort.signal },
    })
    const read = async () => {
      for await (const _ of stream) abort.abort()
    }
    await expect(read()).rejects.toThrow()
    await until(async () => chat.seen.at(-1)?.aborted === true && gate.rows.length > rows, 5_000)
    expect(gate.rows.at(-1)).toMatchObject({ outcome: 'cancelled' })
  })

  test.each([
    { name: '429', model: 'gpt', said: 'too often', status: 429, says: '"retryDelay":"7s"' },
    { name: "429 of Google's", model: 'gemini-3-pro', said: 'too often', status: 429, says: '"retryDelay":"7s"' },
    { name: '500', model: 'gpt', said: 'broken', status: 500, says: 'no memory' },
    { name: 'an unknown model', model: 'gtp', said: 'x', status: 404, says: 'NOT_FOUND' },
  ])('$name is an error in its own words', async ({ model, said, status, says }) => {
    const error = await client()
      .models.generateContent({ model, contents: said })
      .catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(error.status).toBe(status)
    expect(error.message).toContain(says)
    expect(problemsOf('google:ErrorResponse', JSON.parse(error.message))).toEqual([])
  })

  test('an error in a stream is thrown', async () => {
    const stream = await client().models.generateContentStream({ model: 'gpt', contents: 'this fails later' })
    const read = async () => {
      for await (const part of stream) expect(part.candidates).toHaveLength(1)
    }
    await expect(read()).rejects.toThrow('out of memory')
  })

  test('tokens are counted: here for a chat upstream, there for Google', async () => {
    const counted = await client().models.countTokens({ model: 'gpt', contents: [question] })
    expect(counted.totalTokens).toBeGreaterThan(2)
    const { totalTokens } = await client().models.countTokens({ model: 'gemini-3-pro', contents: [question] })
    expect(totalTokens).toBe(4_711)
  })

  test('models are listed, page by page', async () => {
    const ids: string[] = []
    for await (const { name } of await client().models.list({ config: { pageSize: 2 } })) ids.push(name)
    expect(ids).toEqual(['models/gpt', 'models/org/gpt', 'models/gemini-3-pro'])
    expect(await client().models.get({ model: 'org/gpt' })).toMatchObject({ name: 'models/org/gpt' })
  })
})

const generate = (model: string, method: string, text = 'Oslo and Rome?') =>
  fetch(`${gate.url}/v1beta/models/${model}:${method}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-api-key': KEY },
    body: JSON.stringify({ contents: [{ parts: [{ text }] }] }),
  })

test.each(['gpt', 'gemini-3-pro'])(
  '%s: without alt=sse a stream is a JSON list, also one that fails',
  async (model) => {
    const response = await generate(model, 'streamGenerateContent')
    expect(response.headers.get('content-type')).toContain('application/json')
    const parts = (await response.json()) as readonly unknown[]
    expect(parts.length).toBeGreaterThan(2)
    for (const part of parts) expect(problemsOf('google:GenerateContentResponse', part)).toEqual([])
    expect(parts.at(-1)).toMatchObject({ candidates: [{ finishReason: 'STOP' }] })
    const failed = await generate('gpt', 'streamGenerateContent', 'this fails later')
    expect(((await failed.json()) as readonly unknown[]).at(-1)).toMatchObject({ error: { message: 'out of memory' } })
  },
)

test('a key may be in the query, which stays here', async () => {
  const response = await fetch(`${gate.url}/v1beta/models/gemini-3-pro:generateContent?key=${KEY}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ contents: [{ parts: [{ text: 'hi' }] }] }),
  })
  expect(response.status).toBe(200)
  expect(gemini.seen.at(-1)?.path).toBe('/v1beta/models/gemini-3-pro:generateContent')
})

test('openai and a Google upstream: the signature of a call comes back, whole and streamed', async () => {
  const openai = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const tools = [{ type: 'function' as const, function: { name: 'get_weather', parameters } }]
  const asked: OpenAI.ChatCompletionMessageParam = { role: 'user', content: 'Oslo and Rome?' }
  const body = { model: 'gemini-3-pro', tools, messages: [asked] }
  const whole = (await openai.chat.completions.create(body)).choices[0]
  const streamed = (await openai.chat.completions.stream(body).finalChatCompletion()).choices[0]
  for (const choice of [whole, streamed]) {
    if (choice === undefined) throw new Error('no choice')
    expect(choice.finish_reason).toBe('tool_calls')
    const results = (choice.message.tool_calls ?? []).map(
      ({ id }): OpenAI.ChatCompletionMessageParam => ({ role: 'tool', tool_call_id: id, content: '4' }),
    )
    const messages = [asked, choice.message, ...results]
    const second = await openai.chat.completions.create({ ...body, messages })
    expect(second.choices[0]?.message.content).toBe('4 and 19')
  }
  const refusal = await openai.chat.completions
    .create({ ...body, messages: [{ role: 'user', content: 'too often' }] })
    .catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(OpenAI.RateLimitError)
  expect((refusal as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('retry-after')).toBe('7')
})

test('@anthropic-ai/sdk and a Google upstream: the signature of a thought comes back, whole and streamed', async () => {
  const claude = new Anthropic({ authToken: KEY, apiKey: null, baseURL: gate.url, maxRetries: 0 })
  const asked: Anthropic.MessageParam = { role: 'user', content: 'Oslo and Rome?' }
  const body = {
    model: 'gemini-3-pro',
    max_tokens: 4_096,
    thinking: { type: 'enabled', budget_tokens: 2_048 } as const,
    tools: [{ name: 'get_weather', input_schema: { type: 'object', properties: { city: {} } } } as const],
    messages: [asked],
  }
  for (const first of [await claude.messages.create(body), await claude.messages.stream(body).finalMessage()]) {
    expect(first.content).toMatchObject([
      { type: 'thinking', thinking: 'Hm.' },
      { type: 'tool_use', id: 'a' },
      { type: 'tool_use', id: 'b' },
    ])
    expect(first.stop_reason).toBe('tool_use')
    const results = ['a', 'b'].map(
      (id): Anthropic.ToolResultBlockParam => ({ type: 'tool_result', tool_use_id: id, content: '4' }),
    )
    const turn: Anthropic.MessageParam = { role: 'assistant', content: first.content as Anthropic.ContentBlockParam[] }
    const second = await claude.messages.create({
      ...body,
      messages: [asked, turn, { role: 'user', content: results }],
    })
    expect(second).toMatchObject({ content: [{ type: 'text', text: '4 and 19' }], stop_reason: 'end_turn' })
  }
})

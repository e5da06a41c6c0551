import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientModule, HAS_CLIENTS, NEEDS_CLIENTS } from '../clients/installed.ts'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { weatherAnswer } from '../support/weather-upstream.ts'
import { problemsOf } from '../wire/schemas.ts'

// The official client of Ollama's API, in front of an upstream that speaks chat completions and nothing else.

let chat: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>

beforeAll(async () => {
  chat = await startFakeUpstream(weatherAnswer)
  gate = await startDataPlane({ upstreams: { openai: { provider: 'openai', base_url: chat.url, models: ['gpt'] } } })
})
afterAll(async () => {
  await gate?.stop()
  await chat?.close()
})

describe.skipIf(!HAS_CLIENTS)(`ollama${NEEDS_CLIENTS}`, async () => {
  const { Ollama } = HAS_CLIENTS ? await clientModule('ollama') : {}
  const client = () => new Ollama({ host: gate.url, headers: { authorization: `Bearer ${KEY}` } })

  const parameters = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const tools = [{ type: 'function', function: { name: 'get_weather', description: 'weather of a city', parameters } }]
  const question = { role: 'user', content: 'Oslo and Rome?' }
  const result = { role: 'tool', tool_name: 'get_weather', content: '4' }

  test('two calls at once, thinking, and their results', async () => {
    const first = await client().chat({ model: 'gpt', messages: [question], tools, think: true })
    expect(problemsOf('ollama:ChatResponse', first)).toEqual([])
    expect(first.message.thinking).toBe('Hm.')
    expect(first.message.tool_calls).toMatchObject([
      { function: { name: 'get_weather', arguments: { city: 'Oslo' } } },
      { function: { name: 'get_weather', arguments: { city: 'Rome' } } },
    ])
    expect(first).toMatchObject({ done: true, prompt_eval_count: 21, eval_count: 9 })
    const messages = [question, first.message, result, result]
    const second = await client().chat({ model: 'gpt', messages, tools })
    expect(second.message.content).toBe('4 and 19')
    expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 21, outputTokens: 9, estimated: false, outcome: 'ok' })
  })

  test('vectors of texts, also by the older route', async () => {
    const vectors = await client().embed({ model: 'gpt', input: ['one', 'two'] })
    expect(vectors).toMatchObject({
      embeddings: [
        [0, 0.5],
        [1, 0.5],
      ],
      prompt_eval_count: 6,
    })
    expect(await client().embeddings({ model: 'gpt', prompt: 'one' })).toEqual({ embedding: [0, 0.5] })
    expect(gate.rows.at(-1)).toMatchObject({ inputTokens: 6, outputTokens: 0, estimated: false })
  })

  test('the same as a stream', async () => {
    const calls: unknown[] = []
    let thought = ''
    let text = ''
    let last: Record<string, unknown> = {}
    for await (const part of await client().chat({
      model: 'gpt',
      messages: [question],
      tools,
      think: true,
      stream: true,
    })) {
      expect(problemsOf('ollama:ChatResponse', part)).toEqual([])
      thought += part.message.thinking ?? ''
      text += part.message.content
      calls.push(...(part.message.tool_calls ?? []))
      last = part
    }
    expect([thought, text, calls.length]).toEqual(['Hm.', 'I look.', 2])
    expect(last).toMatchObject({ done: true, done_reason: 'stop', prompt_eval_count: 21, eval_count: 9 })
    expect(last['total_duration']).toBeGreaterThan(0)
  })

  test('an image, a schema, and options', async () => {
    const messages = [{ role: 'user', content: 'What is it?', images: ['iVBORw0KGgo='] }]
    const format = { type: 'object', properties: { n: { type: 'integer' } } }
    await client().chat({
      model: 'gpt',
      messages,
      format,
      options: { num_predict: 9, temperature: 0.5, num_ctx: 8_192 },
    })
    const sent = JSON.parse(chat.seen.at(-1)?.body ?? '')
    expect(sent.messages[0].content[1].image_url.url).toBe('data:image/png;base64,iVBORw0KGgo=')
    expect(sent.response_format.json_schema.schema).toEqual(format)
    expect(sent).toMatchObject({ max_completion_tokens: 9, temperature: 0.5 })
  })

  test('a prompt is completed, whole and streamed', async () => {
    const whole = await client().generate({ model: 'gpt', prompt: 'Why?', system: 'Be brief.' })
    expect(problemsOf('ollama:GenerateResponse', whole)).toEqual([])
    expect(whole).toMatchObject({ response: 'I look.', done: true })
    let text = ''
    for await (const part of await client().generate({ model: 'gpt', prompt: 'Why?', stream: true }))
      text += part.response
    expect(text).toBe('I look.')
  })

  test('an aborted stream ends at the upstream, too', async () => {
    const rows = gate.rows.length
    const messages = [{ role: 'user', content: 'go on for ever' }]
    const stream = await client().chat({ model: 'gpt', messages, stream: true })
    const read = async () => {
      for await (const _ of stream) stream.abort()
    }
    await expect(read()).rejects.toThrow()
    await until(async () => chat.seen.at(-1)?.aborted === true && gate.rows.length > rows, 5_000)
    expect(gate.rows.at(-1)).toMatchObject({ outcome: 'cancelled' })
  })

  test.each([
    { name: '429', model: 'gpt', said: 'too often', status: 429, says: 'slower' },
    { name: '500', model: 'gpt', said: 'broken', status: 500, says: 'no memory' },
    { name: 'an unknown model', model: 'gtp', said: 'x', status: 404, says: 'gpt' },
  ])('$name is an error in its own words', async ({ model, said, status, says }) => {
    const error = await client()
      .chat({ model, messages: [{ role: 'user', content: said }] })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ status_code: status, error: expect.stringContaining(says) })
  })

  test('an error in a stream is thrown', async () => {
    const messages = [{ role: 'user', content: 'this fails later' }]
    const stream = await client().chat({ model: 'gpt', messages, stream: true })
    const read = async () => {
      for await (const part of stream) expect(part.done).toBe(false)
    }
    await expect(read()).rejects.toThrow('out of memory')
  })

  test('models are listed and shown, and there is a version', async () => {
    const list = await client().list()
    expect(problemsOf('ollama:ListResponse', list)).toEqual([])
    expect(list.models.map(({ model }: { model: string }) => model)).toEqual(['gpt'])
    const shown = await client().show({ model: 'gpt' })
    expect(problemsOf('ollama:ShowResponse', shown)).toEqual([])
    expect(shown.capabilities).toContain('tools')
    expect(problemsOf('ollama:RunningResponse', await client().ps())).toEqual([])
    expect((await client().version()).version).toMatch(/^\d+\.\d+\.\d+$/)
    await expect(client().show({ model: 'gtp' })).rejects.toMatchObject({ status_code: 404 })
  })
})

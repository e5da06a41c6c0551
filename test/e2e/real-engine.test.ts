import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LlamaServer, prepareLlama, startLlama } from '../engine/llama-server.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { upstreamEnv } from '../support/fake-upstream.ts'

const llama = prepareLlama()
const title = llama.kind === 'ready' ? 'a real llama.cpp' : `a real llama.cpp (needs one: ${llama.reason})`

const PARAMETERS = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

describe.skipIf(llama.kind !== 'ready')(title, () => {
  let directory: string
  let engine: LlamaServer
  let gate: Daemon
  let client: OpenAI

  beforeAll(async () => {
    if (llama.kind !== 'ready') return
    directory = mkdtempSync(join(tmpdir(), 'gate-llama-'))
    engine = await startLlama(llama.root, directory)
    const env = upstreamEnv('engine', `${engine.url}/v1`, ['tiny'])
    gate = await startDaemon({ ...env, GATE_UPSTREAMS__ENGINE__PROVIDER: 'llama-cpp' })
    client = new OpenAI({ apiKey: gate.key, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  })
  afterAll(async () => {
    await gate?.stop()
    await engine?.stop()
    gate?.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  const model = 'engine/tiny'
  const user = (content: string) => [{ role: 'user' as const, content }]
  const weather: OpenAI.Chat.Completions.ChatCompletionTool = {
    type: 'function',
    function: {
      name: 'get_weather',
      parameters: PARAMETERS,
    },
  }

  test('its answer and its usage arrive, and the ledger has the same numbers', async () => {
    const { data: answer, response } = await client.chat.completions
      .create({ model, messages: user('hello') })
      .withResponse()
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: 'Gate speaks to a real engine.' },
    })
    const { prompt_tokens = 0, completion_tokens = 0 } = answer.usage ?? {}
    expect(completion_tokens).toBeGreaterThan(6)
    expect(await rowOf(response.headers.get('x-request-id') ?? '')).toEqual({
      input_tokens: prompt_tokens,
      output_tokens: completion_tokens,
      outcome: 'ok',
    })
  })

  test('the list of models says how long a context it was started with', async () => {
    const facts = async () => (await client.models.retrieve(model)) as object
    await until(async () => 'context_length' in (await facts()), 20_000)
    expect(await facts()).toMatchObject({ context_length: 8_192, architecture: { input_modalities: ['text'] } })
  })

  test('a client of responses has a tool called, streamed and by the id of what came before', async () => {
    const tools = [{ type: 'function' as const, ...weather.function, parameters: PARAMETERS, strict: false }]
    const asked = client.responses.stream({ model, tools, input: '#tool' })
    const first = await asked.finalResponse()
    const call = first.output.find(({ type }) => type === 'function_call')
    if (call?.type !== 'function_call') throw new Error(`no call: ${JSON.stringify(first.output)}`)
    expect(call.name).toBe('get_weather')
    expect(JSON.parse(call.arguments)).toEqual({ city: 'Paris' })
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'sunny' }
    const second = await client.responses.create({ model, tools, previous_response_id: first.id, input: [output] })
    expect(second).toMatchObject({ status: 'completed', previous_response_id: first.id })
    expect(second.usage?.input_tokens).toBeGreaterThan(first.usage?.input_tokens ?? 0)
  })

  test('a stream is the same text in pieces, with usage where it is asked for', async () => {
    const stream = await client.chat.completions.create({
      model,
      stream: true,
      stream_options: { include_usage: true },
      messages: user('hello'),
    })
    const chunks: OpenAI.Chat.Completions.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Gate speaks to a real engine.')
    expect(chunks.filter(({ usage }) => usage !== null && usage !== undefined)).toHaveLength(1)
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } })
  })

  test('a tool is called, and its result is answered', async () => {
    const first = await client.chat.completions.create({ model, messages: user('#tool'), tools: [weather] })
    const message = first.choices[0]?.message
    const call = message?.tool_calls?.[0]
    if (message === undefined || call?.type !== 'function') throw new Error(JSON.stringify(first))
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'Paris' })
    const result = { role: 'tool' as const, tool_call_id: call.id, content: '21 degrees' }
    const messages = [...user('#tool'), message, result]
    const second = await client.chat.completions.create({ model, messages, tools: [weather] })
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'It is sunny there!' } })
  })

  test('a streamed call has whole arguments', async () => {
    const runner = client.chat.completions.stream({ model, messages: user('#tool'), tools: [weather] })
    const { choices } = await runner.finalChatCompletion()
    const call = choices[0]?.message.tool_calls?.[0]
    expect(choices[0]?.finish_reason).toBe('tool_calls')
    expect(call).toMatchObject({ function: { name: 'get_weather', arguments: '{"city": "Paris"}' } })
  })

  test('reasoning is passed on apart from the answer', async () => {
    const answer = await client.chat.completions.create({ model, messages: user('#think') })
    expect(answer.choices[0]?.message).toMatchObject({
      content: 'What has keys but no locks?',
      reasoning_content: expect.stringContaining('The user wants riddles'),
    })
  })

  test("clients of Google's and Ollama's APIs are answered, and call a tool, in streams", async () => {
    const ask = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json', 'x-goog-api-key': gate.key }
      const answer = await fetch(`${gate.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return answer.text()
    }
    const google = (text: string) =>
      ask(`/v1beta/models/${model}:streamGenerateContent`, {
        contents: [{ parts: [{ text }] }],
        tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: weather.function.parameters }] }],
      })
    type Content = { readonly candidates: { readonly content: { readonly parts: { readonly text?: string }[] } }[] }
    const parts: readonly Content[] = JSON.parse(await google('hello'))
    const text = parts.flatMap(({ candidates }) => candidates[0]?.content.parts ?? []).map((part) => part.text)
    expect(text.join('')).toBe('Gate speaks to a real engine.')
    expect(await google('#tool')).toContain('"functionCall"')
    const ollama = async (content: string) => {
      const lines = await ask('/api/chat', { model, messages: user(content), tools: [weather] })
      return lines
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    }
    const said = await ollama('hello')
    expect(said.map(({ message }) => message.content).join('')).toBe('Gate speaks to a real engine.')
    expect(said.at(-1)).toMatchObject({ done: true, done_reason: 'stop', eval_count: expect.any(Number) })
    const calls = (await ollama('#tool')).flatMap(({ message }) => message.tool_calls ?? [])
    expect(calls).toMatchObject([{ function: { name: 'get_weather', arguments: { city: 'Paris' } } }])
  })

  test('a client that leaves frees the slot of the engine', async () => {
    for (let times = 0; times < 3; times++) {
      const stream = await client.chat.completions.create({
        model,
        stream: true,
        max_tokens: 15_000,
        messages: user('#count'),
      })
      for await (const _ of stream) break
      await until(async () => (await engine.busySlots()) === 0, 20_000)
    }
  })

  async function rowOf(id: string): Promise<unknown> {
    const database = new Database(join(gate.stateDirectory, 'gate.db'), { readonly: true })
    const select = database.prepare('SELECT input_tokens, output_tokens, outcome FROM usage WHERE request_id = ?')
    await until(() => select.get(id) !== undefined, 20_000)
    const row = select.get(id)
    database.close()
    return row
  }
})

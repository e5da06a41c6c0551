import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import Database from 'better-sqlite3'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LlamaServer, prepareLlama, startLlama } from '../engine/llama-server.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { upstreamEnv } from '../support/fake-upstream.ts'
import { gatectl } from '../support/gatectl.ts'
import { eventsOf } from '../wire/run.ts'
import { problemsOf } from '../wire/schemas.ts'
import { checkStream } from '../wire/streams.ts'

// What llama.cpp speaks itself, and answers oddly: official clients in front of it, slots that become free, and a cache
// that holds from turn to turn.

const llama = prepareLlama()
const title =
  llama.kind === 'ready' ? "a real llama.cpp's own dialects" : `a real llama.cpp (needs one: ${llama.reason})`

const model = 'engine/tiny'
const SCHEMA = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] }
const WEATHER = { name: 'get_weather', input_schema: SCHEMA }
const SAYS = 'Gate speaks to a real engine.'
const user = (content: string) => [{ role: 'user' as const, content }]

describe.skipIf(llama.kind !== 'ready')(title, () => {
  let directory: string
  let engine: LlamaServer
  let gate: Daemon
  let claude: Anthropic
  let openai: OpenAI

  beforeAll(async () => {
    if (llama.kind !== 'ready') return
    directory = mkdtempSync(join(tmpdir(), 'gate-llama-'))
    engine = await startLlama(llama.root, directory)
    const env = upstreamEnv('engine', `${engine.url}/v1`, ['tiny'])
    gate = await startDaemon({ ...env, GATE_UPSTREAMS__ENGINE__PROVIDER: 'llama-cpp' })
    claude = new Anthropic({ apiKey: gate.key, baseURL: gate.url, maxRetries: 0 })
    openai = new OpenAI({ apiKey: gate.key, baseURL: `${gate.url}/v1`, maxRetries: 0 })
  })
  afterAll(async () => {
    await gate?.stop()
    await engine?.stop()
    gate?.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  test('are found out, and shown with what is wrong with them', async () => {
    const env = { GATE_ADMIN_SOCKET: join(gate.stateDirectory, 'admin.sock') }
    await until(async () => (await gatectl(['upstream', 'list'], { env })).stdout.includes('(probed)'), 20_000)
    const { stdout } = await gatectl(['upstream', 'list'], { env })
    expect(stdout).toMatch(/ openai-chat native, openai-responses repair \(probed\), anthropic repair \(probed\)$/m)
    expect(stdout).toMatch(/^engine: openai-responses: .*response\.output_item\.added without output_index/m)
    expect(stdout).toMatch(/^engine: anthropic: errors have another shape/m)
  })

  test("Anthropic's client has text, thinking and a tool, in two turns", async () => {
    const whole = await claude.messages.create({ model, max_tokens: 64, messages: user('hello') })
    expect(whole).toMatchObject({ content: [{ type: 'text', text: SAYS }], stop_reason: 'end_turn' })
    expect(problemsOf('anthropic:Message', whole)).toEqual([])
    const cut = await claude.messages.create({ model, max_tokens: 3, messages: user('hello') })
    expect(cut).toMatchObject({ content: [{ text: 'Gate speaks to' }], stop_reason: 'max_tokens' })
    const thinking = { type: 'enabled' as const, budget_tokens: 1_024 }
    const thought = await claude.messages
      .stream({ model, max_tokens: 2_048, thinking, messages: user('#think') })
      .finalMessage()
    expect(thought.content).toMatchObject([
      { type: 'thinking', thinking: 'The user wants riddles\n' },
      { type: 'text', text: 'What has keys but no locks?' },
    ])
    const asked = { model, max_tokens: 64, tools: [WEATHER] }
    const first = await claude.messages.stream({ ...asked, messages: user('#tool') }).finalMessage()
    expect(first).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', input: { city: 'Paris' } }] })
    const id = first.content[0]?.type === 'tool_use' ? first.content[0].id : ''
    const result = { type: 'tool_result' as const, tool_use_id: id, content: '21 degrees' }
    const messages = [...user('#tool'), { role: 'assistant' as const, content: first.content }]
    const second = await claude.messages.create({
      ...asked,
      messages: [...messages, { role: 'user', content: [result] }],
    })
    expect(second).toMatchObject({ content: [{ text: 'It is sunny there!' }], stop_reason: 'end_turn' })
  })

  test("OpenAI's client of responses learns why an answer ended, and may leave out what items have", async () => {
    const input = [...user('hi'), { role: 'assistant' as const, content: 'hello' }, ...user('hello')]
    const whole = await openai.responses.create({ model, input })
    expect(whole).toMatchObject({ status: 'completed', output_text: SAYS })
    const cut = await openai.responses.stream({ model, input: 'hello', max_output_tokens: 3 }).finalResponse()
    expect(cut).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output_text: 'Gate speaks to',
    })
    const format = { type: 'json_schema' as const, name: 'a', schema: SCHEMA, strict: false }
    const { data, response } = await openai.responses
      .create({ model, input: 'hello', max_output_tokens: 40, text: { format } })
      .withResponse()
    expect(data.object).toBe('response') // what the engine would ignore there is said to it in chat completions
    expect(response.headers.get('x-gate-dropped')).toBeNull()
  })

  test.each([
    { path: '/v1/messages', dialect: 'anthropic', shape: 'anthropic:RawMessageStreamEvent' as const, said: user },
    {
      path: '/v1/responses',
      dialect: 'openai-responses',
      shape: 'openai:ResponseStreamEvent' as const,
      said: (text: string) => text,
    },
  ])('its streams at $path are as the types of the SDK have them', async ({ path, dialect, shape, said }) => {
    const tool =
      path === '/v1/messages' ? WEATHER : { type: 'function', name: 'get_weather', parameters: SCHEMA, strict: false }
    for (const text of ['hello', '#think', '#tool']) {
      const body = { model, stream: true, max_tokens: 64, tools: [tool], messages: said(text), input: said(text) }
      const { max_tokens, messages, input, ...rest } = body
      const own = path === '/v1/messages' ? { ...rest, max_tokens, messages } : { ...rest, input }
      const events = eventsOf(await (await post(path, own)).text())
      for (const { data } of events) expect(problemsOf(shape, withoutExtras(data))).toEqual([])
      checkStream[dialect]?.(events)
      expect(events.length).toBeGreaterThan(5)
    }
  })

  test('counts are those of the request itself, whichever the dialect', async () => {
    const asked = { model, system: 'Be brief.', messages: user('hello'), tools: [WEATHER] }
    const { usage } = await claude.messages.create({ ...asked, max_tokens: 64 })
    const { input_tokens } = await claude.messages.countTokens(asked)
    expect(input_tokens).toBe(usage.input_tokens + (usage.cache_read_input_tokens ?? 0))
    const schema = { format: { type: 'json_schema' as const, name: 'a', schema: SCHEMA, strict: false } }
    for (const text of [{}, { text: schema }]) {
      const response = await openai.responses.create({ model, input: 'hello', max_output_tokens: 40, ...text })
      const counted = await openai.responses.inputTokens.count({ model, input: 'hello', ...text })
      expect(counted.input_tokens).toBe(response.usage?.input_tokens)
    }
    const contents = [{ role: 'user', parts: [{ text: 'hello' }] }]
    const [answered, counted] = await Promise.all(
      ['generateContent', 'countTokens'].map(async (method) => {
        const answer = await post(`/v1beta/models/${model}:${method}`, { contents })
        return (await answer.json()) as { totalTokens?: number; usageMetadata?: { promptTokenCount: number } }
      }),
    )
    expect(counted?.totalTokens).toBe(answered?.usageMetadata?.promptTokenCount)
  })

  const many = { model, stream: true, max_tokens: 6_000, messages: user('#count') }
  const clients: readonly { readonly path: string; readonly body: object }[] = [
    { path: '/v1/chat/completions', body: many },
    { path: '/v1/messages', body: many },
    { path: '/v1/responses', body: { model, stream: true, input: '#count' } },
    {
      path: `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
      body: { contents: [{ parts: [{ text: '#count' }] }] },
    },
    { path: '/api/chat', body: { model, messages: user('#count') } },
  ]
  test('a client that leaves, after whichever chunk, frees the slot, and pays for what it got', async () => {
    const delivered = new Map<string, number>()
    const leaving = clients.flatMap((client) => [0, 1, 2, 5].map((chunks) => ({ ...client, chunks })))
    for (const { path, body, chunks } of leaving) {
      const leave = new AbortController()
      const answering = post(path, body, leave.signal)
      if (chunks === 0) {
        await until(async () => (await engine.busySlots()) > 0, 20_000)
        leave.abort()
        await answering.catch(() => {})
      } else {
        const answer = await answering
        const shown = await readChunks(answer, chunks)
        leave.abort()
        delivered.set(answer.headers.get('x-request-id') ?? '', shown.match(NUMBER)?.length ?? 0)
      }
      await until(async () => (await engine.busySlots()) === 0, 20_000)
    }
    await until(() => rows('cancelled').length === leaving.length, 20_000)
    const paid = new Map(rows('cancelled').map((row) => [row.request_id, row.output_tokens]))
    for (const [id, words] of delivered)
      expect(paid.get(id), JSON.stringify([...delivered])).toBeGreaterThanOrEqual(words)
  })

  test('the cache of an agent holds, although its first line changes from turn to turn', async () => {
    const cachedIn = async (topic: string, line: (turn: number) => string): Promise<readonly number[]> => {
      const rules = `Rules of ${topic}: ${`${topic} before all. `.repeat(60)}`
      const turn = async (number: number, messages: Anthropic.MessageParam[]) => {
        const first = line(number)
        const system = [...(first === '' ? [] : [first]), rules].map((text) => ({ type: 'text' as const, text }))
        const { usage, content } = await claude.messages.create({
          model,
          max_tokens: 64,
          system,
          tools: [WEATHER],
          messages,
        })
        return { cached: usage.cache_read_input_tokens ?? 0, all: usage.input_tokens, content }
      }
      const first = await turn(1, user('hello'))
      const more = [{ role: 'assistant' as const, content: first.content }, ...user('and now?')]
      const second = await turn(2, [...user('hello'), ...more])
      return [first.all + first.cached, second.cached]
    }
    const plain = await cachedIn('kakaka', () => '')
    const changing = await cachedIn('kekeke', (n) => `x-anthropic-billing-header: cc_version=2.1.${n}; cch=${n}${n};`)
    expect(changing).toEqual(plain)
    const [prompt = 0, cached = 0] = changing
    expect(cached).toBeGreaterThan(prompt * 0.95)
  })

  function post(path: string, body: object, signal: AbortSignal | null = null): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'x-api-key': gate.key }
    return fetch(`${gate.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal })
  }

  type Row = { readonly request_id: string; readonly output_tokens: number }
  function rows(outcome: string): readonly Row[] {
    const database = new Database(join(gate.stateDirectory, 'gate.db'), { readonly: true })
    const all = database.prepare('SELECT request_id, output_tokens FROM usage WHERE outcome = ?').all(outcome) as Row[]
    database.close()
    return all
  }
})

async function readChunks({ body }: Response, count: number): Promise<string> {
  const reader = body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let seen = 0; seen < count; seen++) text += decoder.decode((await reader?.read())?.value, { stream: true })
  return text
}

/** The words that the model counts in. */
const NUMBER = /\b(?:one|two|three|four|five|six|seven|eight|nine|ten)\b/g
/** What the Open Responses document wants, and OpenAI's types do not have. */
const EXTRA = new Set(['presence_penalty', 'frequency_penalty', 'store'])

function withoutExtras(data: unknown): unknown {
  return JSON.parse(JSON.stringify(data), (key, value) =>
    EXTRA.has(key) || (key === 'usage' && value === null) ? undefined : value,
  )
}

// A spent budget, as official clients with their own settings meet it: who asks again, and how often.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientModule, HAS_CLIENTS, NEEDS_CLIENTS } from '../clients/installed.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { sendJson, startFakeUpstream } from '../support/fake-upstream.ts'

let plane: Awaited<ReturnType<typeof startDataPlane>>
let upstream: Awaited<ReturnType<typeof startFakeUpstream>>

beforeAll(async () => {
  upstream = await startFakeUpstream((_, response) => {
    const message = { role: 'assistant', content: 'hi' }
    const usage = { prompt_tokens: 0, completion_tokens: 10, total_tokens: 10 }
    const choices = [{ index: 0, message, finish_reason: 'stop' }]
    sendJson(response, 200, { id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage })
  })
  const models = ['openai', 'anthropic', 'google', 'ollama', 'langchain', 'ai-openai', 'ai-anthropic', 'ai-google']
  plane = await startDataPlane({
    upstreams: {
      box: {
        provider: 'custom',
        base_url: upstream.url,
        models,
        prices: models.map((model) => ({ model, input: 0, output: 1_000_000_000 })),
      },
    },
    budgets: { month: { limit: '0.01 USD', window: 'month' } },
  })
  const spent = await fetch(`${plane.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'openai', messages: [{ role: 'user', content: 'hi' }], max_tokens: 10 }),
  })
  expect(spent.status).toBe(200)
})
afterAll(async () => {
  await plane?.stop()
  await upstream?.close()
})

/** Each client has a key of its own, whose name the log says. */
const keyOf = (name: string): string => plane.tokens.create(name, ['chat:write'], null).token

/** With the settings that each has by itself. */
const CLIENTS: readonly { readonly name: string; readonly asks: number; readonly ask: () => Promise<unknown> }[] = [
  {
    name: 'openai',
    asks: 1,
    async ask() {
      const { default: OpenAI } = await clientModule('openai')
      const openai = new OpenAI({ apiKey: keyOf('openai'), baseURL: `${plane.url}/v1` })
      return openai.chat.completions.create({ model: 'openai', messages: [{ role: 'user', content: 'hi' }] })
    },
  },
  {
    name: 'anthropic',
    asks: 1,
    async ask() {
      const { default: Anthropic } = await clientModule('@anthropic-ai/sdk')
      const anthropic = new Anthropic({ apiKey: keyOf('anthropic'), baseURL: plane.url })
      return anthropic.messages.create({
        model: 'anthropic',
        max_tokens: 10,
        messages: [{ role: 'user', content: 'hi' }],
      })
    },
  },
  {
    name: 'google',
    asks: 1,
    async ask() {
      const { GoogleGenAI } = await clientModule('@google/genai')
      const google = new GoogleGenAI({ apiKey: keyOf('google'), httpOptions: { baseUrl: plane.url } })
      return google.models.generateContent({ model: 'google', contents: 'hi' })
    },
  },
  {
    name: 'ollama',
    asks: 1,
    async ask() {
      const { Ollama } = await clientModule('ollama')
      const ollama = new Ollama({ host: plane.url, headers: { authorization: `Bearer ${keyOf('ollama')}` } })
      return ollama.chat({ model: 'ollama', messages: [{ role: 'user', content: 'hi' }] })
    },
  },
  {
    name: 'langchain',
    asks: 1,
    async ask() {
      const { ChatOpenAI } = await clientModule('@langchain/openai')
      const configuration = { baseURL: `${plane.url}/v1` }
      return new ChatOpenAI({ apiKey: keyOf('langchain'), configuration, model: 'langchain' }).invoke('hi')
    },
  },
  // it goes by the status alone, and asks twice more, within six seconds
  ...(['openai', 'anthropic', 'google'] as const).map((provider) => ({
    name: `ai-${provider}`,
    asks: 3,
    async ask() {
      const [{ generateText }, module] = [await clientModule('ai'), await clientModule(`@ai-sdk/${provider}`)]
      const { createOpenAI, createAnthropic, createGoogle } = module
      const create = createOpenAI ?? createAnthropic ?? createGoogle
      const baseURL = `${plane.url}${provider === 'google' ? '/v1beta' : '/v1'}`
      return generateText({
        model: create({ apiKey: keyOf(`ai-${provider}`), baseURL })(`ai-${provider}`),
        prompt: 'hi',
      })
    },
  })),
]

describe.skipIf(!HAS_CLIENTS)(`a spent budget${NEEDS_CLIENTS}`, () => {
  test('is told each client in its own words, and asked for again by the AI SDK alone', {
    timeout: 60_000,
  }, async () => {
    const asked = (name: string) => plane.lines.filter(({ fields }) => fields['key'] === name).length
    const told = await Promise.all(
      CLIENTS.map(({ ask }) =>
        ask().then(
          () => 'answered',
          (error: unknown) => String(error),
        ),
      ),
    )
    expect(told.filter((text) => !/budget \\*"month\\*" is spent/.test(text))).toEqual([])
    expect(Object.fromEntries(CLIENTS.map(({ name }) => [name, asked(name)]))).toEqual(
      Object.fromEntries(CLIENTS.map(({ name, asks }) => [name, asks])),
    )
  })
})

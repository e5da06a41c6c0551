import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'

let engine: Server
let silent: Server
let asked: number
let isSilent = true
let gate: Awaited<ReturnType<typeof startDataPlane>>

/** @returns the URL to put into a configuration */
const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
}

beforeAll(async () => {
  asked = 0
  engine = createServer((_, response) => {
    asked++
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ data: [{ id: 'qwen', max_model_len: 40_960 }, { id: 'not-configured' }] }))
  })
  silent = createServer((_, response) => {
    if (!isSilent) response.end(JSON.stringify({ data: [{ id: 'mute', max_model_len: 1_024 }] }))
  })
  const [engineUrl, silentUrl] = [await listening(engine), await listening(silent)]
  gate = await startDataPlane({
    upstreams: {
      vllm: { provider: 'vllm', base_url: engineUrl, models: ['qwen'] },
      openai: { provider: 'openai', api_key: 'sk-x', base_url: silentUrl, models: ['gpt-4.1'] },
      silent: { provider: 'vllm', base_url: silentUrl, models: ['mute'] },
    },
    models: {
      best: {
        targets: [
          { upstream: 'vllm', model: 'qwen' },
          { upstream: 'openai', model: 'gpt-4.1' },
        ],
      },
    },
  })
})
afterAll(async () => {
  silent.closeAllConnections()
  await gate.stop()
  engine.close()
  silent.close()
})

const get = async (path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(gate.url + path, { headers: { authorization: `Bearer ${KEY}`, ...headers } })
  return (await response.json()) as { readonly data: readonly Record<string, unknown>[] }
}
const model = async (id: string, headers = {}) => (await get(`/v1/models/${id}`, headers)) as object

test('the list is answered while upstreams are asked, and knows more once they have answered', async () => {
  const looking = gate.refresh() // waits for the silent ones
  const before = await get('/v1/models')
  expect(before.data.map(({ id }) => id)).toEqual(['best', 'qwen', 'gpt-4.1', 'mute'])
  await expect.poll(() => model('qwen')).toMatchObject({ context_length: 40_960, max_model_len: 40_960 })
  silent.closeAllConnections()
  await looking
  expect((await get('/v1/models')).data).toHaveLength(4)
})

test('a hosted model is known from the table, a virtual one as the least of its targets', async () => {
  expect(await model('gpt-4.1')).toMatchObject({
    context_length: 1_047_576,
    top_provider: { max_completion_tokens: 32_768 },
    architecture: { input_modalities: ['text', 'image', 'file'] },
    supported_parameters: ['tools', 'tool_choice'],
    pricing: { prompt: '0.000002', completion: '0.000008' },
  })
  expect(await model('best')).toMatchObject({ context_length: 40_960 })
  expect(await model('best')).not.toHaveProperty('pricing')
  expect(await model('mute')).not.toHaveProperty('context_length')
})

test("Anthropic's shape has the limits, too, and only where its version is sent", async () => {
  const version = { 'anthropic-version': '2023-06-01' }
  expect(await model('gpt-4.1', version)).toMatchObject({ max_input_tokens: 1_047_576, max_tokens: 32_768 })
  expect(await model('mute', version)).toMatchObject({ max_input_tokens: null, max_tokens: null })
  const { data } = await get('/v1/models?limit=1', version)
  expect(data).toMatchObject([{ id: 'best', type: 'model', max_input_tokens: 40_960 }])
  expect((await get('/v1/models?limit=1')).data).toHaveLength(1)
})

test("Google's shape has the limits, too", async () => {
  expect(await get('/v1beta/models/gpt-4.1')).toMatchObject({ inputTokenLimit: 1_047_576, outputTokenLimit: 32_768 })
  expect(await get('/v1beta/models/mute')).not.toHaveProperty('inputTokenLimit')
})

test('an engine that has answered is not asked again soon, one that has not is', async () => {
  const before = asked
  isSilent = false
  await gate.refresh()
  expect(asked).toBe(before)
  expect(await model('mute')).toMatchObject({ context_length: 1_024 })
})

// Routes of OpenAI's API whose requests only pass: its own SDK, through the data plane, against an upstream that says
// what it was sent.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAiCompletions, openAiMedia } from '../../../../daemon/translate/openai-chat/passed.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'

const SOUND = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7) % 256))
const PCM = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => (at * 13) % 251))

type Seen = { readonly path: string; readonly type: string; readonly body: Buffer }
let seen: Seen = { path: '', type: '', body: Buffer.alloc(0) }
const ANSWERS: Readonly<Record<string, { readonly type?: string; readonly says: string | Buffer }>> = {
  '/v1/embeddings': {
    says: '{"object":"list","data":[{"embedding":[0.5],"index":0}],"usage":{"prompt_tokens":5,"total_tokens":5}}',
  },
  '/v1/rerank': { says: '{"results":[{"index":0,"relevance_score":0.9}],"usage":{"total_tokens":12}}' },
  '/v1/moderations': { says: '{"id":"m","results":[{"flagged":false}]}' },
  '/v1/images/generations': {
    says: '{"created":1,"data":[{"b64_json":"AA=="}],"usage":{"input_tokens":3,"output_tokens":9}}',
  },
  '/v1/images/edits': { says: '{"created":1,"data":[{"b64_json":"AA=="}]}' },
  '/v1/audio/speech': { type: 'audio/pcm', says: PCM },
  '/v1/audio/transcriptions': { says: '{"text":"hello"}' },
  '/v1/completions': {
    type: 'text/event-stream',
    says:
      'data: {"choices":[{"index":0,"text":"Hi"}]}\n\n' +
      'data: {"choices":[{"index":0,"text":"","finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1}}\n\n' +
      'data: [DONE]\n\n',
  },
}
const TRANSCRIPT =
  'data: {"type":"transcript.text.delta","delta":"hel"}\n\n' +
  'data: {"type":"transcript.text.done","text":"hello","usage":{"type":"tokens","input_tokens":14,"output_tokens":45}}\n\n'

const upstream = createServer((request, response) => void answer(request, response))
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  const body = await buffer(request)
  seen = { path, type: request.headers['content-type'] ?? '', body }
  const isStream = path === '/v1/audio/transcriptions' && body.includes('name="stream"')
  const { type = 'application/json', says } = isStream
    ? { type: 'text/event-stream', says: TRANSCRIPT }
    : (ANSWERS[path] ?? { says: '{"error":{"message":"unknown"}}' })
  response.writeHead(path === '/v1/audio/translations' ? 404 : 200, { 'content-type': type })
  response.end(says)
}

let gate: Awaited<ReturnType<typeof startDataPlane>>
let client: OpenAI
beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const base_url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  gate = await startDataPlane({
    upstreams: {
      mock: { provider: 'openai', base_url, api_key: 'sk-upstream', models: ['real'] },
      claude: { provider: 'anthropic', api_key: 'sk-none', models: ['claude'] },
    },
    models: {
      alias: { targets: [{ upstream: 'mock', model: 'real' }] },
      'omni-moderation-latest': { targets: [{ upstream: 'mock', model: 'real' }] },
    },
  })
  client = new OpenAI({ apiKey: KEY, baseURL: `${gate.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await gate.stop()
  upstream.closeAllConnections()
  upstream.close()
})

const lastRow = () => {
  const { inputTokens, outputTokens, outcome, model, targetModel } = gate.rows.at(-1) ?? {}
  return { inputTokens, outputTokens, outcome, model, targetModel }
}
const row = (inputTokens: number, outputTokens: number) => {
  return { inputTokens, outputTokens, outcome: 'ok', model: 'alias', targetModel: 'real' }
}
const sound = () => toFile(SOUND, 'a.wav', { type: 'audio/wav' })

test('there is a row for each route', () => {
  const routes = [...openAiCompletions.endpoints, ...openAiMedia.endpoints].map(({ path }) => path)
  expect(Object.keys(ANSWERS).filter((path) => !routes.includes(path))).toEqual([])
  expect(routes).toHaveLength(10)
})

test('embeddings', async () => {
  const answer = await client.embeddings.create({ model: 'alias', input: 'hello', encoding_format: 'float' })
  expect(answer.data).toMatchObject([{ embedding: [0.5] }])
  expect(JSON.parse(seen.body.toString())).toEqual({ model: 'real', input: 'hello', encoding_format: 'float' })
  expect(lastRow()).toEqual(row(5, 0))
})

test('ranks, which the SDK has no method for', async () => {
  const body = { model: 'alias', query: 'a', documents: ['b'] }
  expect(await client.post('/rerank', { body })).toMatchObject({ results: [{ relevance_score: 0.9 }] })
  expect(lastRow()).toEqual(row(12, 0))
})

test('moderations', async () => {
  const answer = await client.moderations.create({ model: 'alias', input: 'hello' })
  expect(answer.results).toEqual([{ flagged: false }])
})

test('moderations need no model: OpenAI has a usual one', async () => {
  expect((await client.moderations.create({ input: 'hello' })).results).toEqual([{ flagged: false }])
  expect(JSON.parse(seen.body.toString())).toEqual({ input: 'hello', model: 'real' })
  expect(lastRow()).toMatchObject({ model: 'omni-moderation-latest', targetModel: 'real' })
  const unnamed = client.post('/embeddings', { body: { input: 'x' } })
  await expect(unnamed).rejects.toMatchObject({ status: 400, param: 'model' })
})

test('images', async () => {
  expect((await client.images.generate({ model: 'alias', prompt: 'a cat' })).data).toEqual([{ b64_json: 'AA==' }])
  expect(lastRow()).toEqual(row(3, 9))
  await client.images.edit({ model: 'alias', prompt: 'a hat', image: await toFile(SOUND, 'a.png') })
  expect(seen.path).toBe('/v1/images/edits')
})

test('sound comes back byte by byte, however long', async () => {
  const answer = await client.audio.speech.create({
    model: 'alias',
    voice: 'alloy',
    input: 'hi',
    response_format: 'pcm',
  })
  expect(answer.headers.get('content-type')).toBe('audio/pcm')
  expect(Buffer.from(await answer.arrayBuffer()).equals(PCM)).toBe(true)
  expect(lastRow()).toMatchObject({ outcome: 'ok', outputTokens: 0 })
})

test('a form passes with another model, and its file byte by byte', async () => {
  const answer = await client.audio.transcriptions.create({ file: await sound(), model: 'alias', language: 'en' })
  expect(answer.text).toBe('hello')
  const form = await new Response(new Uint8Array(seen.body), { headers: { 'content-type': seen.type } }).formData()
  expect([form.get('model'), form.get('language')]).toEqual(['real', 'en'])
  const file = form.get('file')
  expect(file instanceof File && Buffer.from(await file.arrayBuffer()).equals(SOUND)).toBe(true)
})

test('a streamed transcription ends with its last event', async () => {
  const stream = await client.audio.transcriptions.create({ file: await sound(), model: 'alias', stream: true })
  const events: string[] = []
  for await (const { type } of stream) events.push(type)
  expect(events).toEqual(['transcript.text.delta', 'transcript.text.done'])
  expect(lastRow()).toEqual(row(14, 45))
})

test('completions of a text, streamed', async () => {
  const stream = await client.completions.create({ model: 'alias', prompt: 'x', stream: true })
  const said: string[] = []
  for await (const { choices } of stream) said.push(choices[0]?.text ?? '')
  expect(said.join('')).toBe('Hi')
  expect(lastRow()).toEqual(row(2, 1))
})

test('refusals of the upstream pass, an upstream of another dialect is not asked', async () => {
  const refused = client.audio.translations.create({ file: await sound(), model: 'alias' })
  await expect(refused).rejects.toMatchObject({ status: 404 })
  const elsewhere = client.embeddings.create({ model: 'claude', input: 'x' })
  await expect(elsewhere).rejects.toMatchObject({ status: 400, message: expect.stringContaining('anthropic') })
  await expect(client.embeddings.create({ model: 'none', input: 'x' })).rejects.toMatchObject({ status: 404 })
})

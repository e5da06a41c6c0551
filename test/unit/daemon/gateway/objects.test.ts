// Files and batches: the official SDKs, through the data plane, against an upstream that keeps things for one account.
import { once } from 'node:events'
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openObjectStore } from '../../../../store/sqlite/object-store.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

type Thing = Record<string, unknown> & { readonly id: string }
type Seen = {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  body: Buffer
}

let seen: Seen[] = []
let things: Thing[] = []
let answersEarly = false
const BYTES = Buffer.from(Array.from({ length: 2_500_000 }, (_, at) => (at * 7) % 256))
/** The content of anything. */
let results = BYTES
const last = () => seen.at(-1) as Seen

/** One account: it keeps what all its keys make, and lists all of it, the newest first, two on a page. */
async function account(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', headers } = request
  const url = new URL(request.url ?? '', 'http://account')
  const one: Seen = { method, url: request.url ?? '', headers, body: Buffer.alloc(0) }
  seen.push(one)
  if (answersEarly) return void response.writeHead(413, { connection: 'close' }).end()
  one.body = await buffer(request)
  const json = (value: unknown, status = 200) => {
    response.writeHead(status, { 'content-type': 'application/json', 'anthropic-ratelimit-x': '1' })
    response.end(JSON.stringify(value))
  }
  const parts = url.pathname.split('/').slice(2)
  const id = parts.find((part) => things.some((thing) => thing.id === part))
  const thing = things.find((each) => each.id === id)
  if (parts.at(-1) === 'content' || parts.at(-1) === 'results') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    return void response.end(results)
  }
  if (method === 'DELETE') {
    things = things.filter((each) => each !== thing)
    return json({ id, deleted: true })
  }
  if (thing !== undefined) return json(parts.at(-1) === 'cancel' ? { ...thing, status: 'cancelling' } : thing)
  if (method === 'POST') {
    const made: Thing = {
      id: `${parts.at(-1)}-${things.length + 1}`,
      object: 'thing',
      ...(parts.at(-1) === 'batches' && { output_file_id: 'file-of-batch', results_url: 'https://api.vendor/secret' }),
      ...(parts.at(-1) === 'batches' && { processing_status: 'ended' }),
    }
    things = [made, ...things, ...(parts.at(-1) === 'batches' ? [{ id: 'file-of-batch' }] : [])]
    return json(made)
  }
  const from =
    things.findIndex((each) => each.id === (url.searchParams.get('after') ?? url.searchParams.get('after_id'))) + 1
  const data = things.slice(from, from + 2)
  json({ object: 'list', data, has_more: things.length > from + 2, first_id: data[0]?.id, last_id: data.at(-1)?.id })
}

const upstream = createServer((request, response) => void account(request, response).catch(() => {}))
const place = temporaryDirectory()
const store = openObjectStore(place.file('objects.db'))
let gate: Awaited<ReturnType<typeof startDataPlane>>
let other = ''
const openAi = (apiKey = KEY) => new OpenAI({ apiKey, baseURL: `${gate.url}/v1`, maxRetries: 0 })
const anthropic = (apiKey = KEY) => new Anthropic({ apiKey, baseURL: gate.url, maxRetries: 0 })

beforeAll(async () => {
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const base_url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
  gate = await startDataPlane(
    {
      upstreams: {
        openai: {
          provider: 'openai',
          base_url,
          api_key: 'sk-openai',
          models: ['gpt'],
          prices: [{ model: 'gpt', input: 2_000_000, output: 8_000_000 }],
        },
        groq: { provider: 'groq', base_url, api_key: 'sk-groq', models: ['llama'] },
        xai: { provider: 'xai', base_url, api_key: 'sk-xai', models: ['grok'] },
        claude: { provider: 'anthropic', base_url, api_key: 'sk-claude', models: ['claude-real'] },
        engine: { provider: 'vllm', base_url, models: ['qwen'] },
      },
      models: {
        both: {
          targets: [
            { upstream: 'groq', model: 'llama' },
            { upstream: 'openai', model: 'gpt' },
          ],
        },
        alias: {
          targets: ['engine/qwen', 'claude/claude-real'].map((one) => ({
            upstream: one.split('/')[0],
            model: one.split('/')[1],
          })),
        },
      },
    },
    { objects: store },
  )
  other = gate.tokens.create('other', ['chat:read', 'chat:write'], null).token
})
afterAll(async () => {
  await gate.stop()
  upstream.closeAllConnections()
  upstream.close()
  store.close()
  place.remove()
})
beforeEach(() => {
  seen = []
  answersEarly = false
  results = BYTES
})

const file = () => toFile(BYTES, 'a.jsonl', { type: 'application/jsonl' })
const status = (promise: Promise<unknown>) =>
  promise.then(
    () => 200,
    (error: { status?: number }) => error.status,
  )

test('a file goes up as it comes, and belongs to the key that sent it', async () => {
  const made = await openAi().files.create({ file: await file(), purpose: 'batch' })
  expect(last()).toMatchObject({ method: 'POST', url: '/v1/files' })
  expect(last().headers).toMatchObject({ authorization: 'Bearer sk-openai' })
  expect(last().body.includes(BYTES)).toBe(true)
  expect(gate.rows.at(-1)).toMatchObject({
    model: '',
    targetModel: 'files',
    upstream: 'openai',
    outcome: 'ok',
    inputTokens: 0,
  })
  expect(await openAi().files.retrieve(made.id)).toMatchObject({ id: made.id })
  const content = await openAi().files.content(made.id)
  expect(content.headers.get('content-type')).toBe('application/octet-stream')
  expect(Buffer.from(await content.arrayBuffer()).equals(BYTES)).toBe(true)
  for (const call of [
    () => openAi(other).files.retrieve(made.id),
    () => openAi(other).files.content(made.id),
    () => openAi(other).files.delete(made.id),
    () => openAi(other).batches.create({ input_file_id: made.id, endpoint: '/v1/responses', completion_window: '24h' }),
    () => openAi().files.retrieve('file-never-made'),
  ])
    expect(await status(call())).toBe(404)
  expect(await openAi().files.delete(made.id)).toMatchObject({ deleted: true })
  expect(await status(openAi().files.retrieve(made.id))).toBe(404)
})

test('a list has what the key made, on whichever page of the upstream it is', async () => {
  const mine = await openAi().files.create({ file: await file(), purpose: 'batch' })
  for (let i = 0; i < 5; i++) await openAi(other).files.create({ file: await file(), purpose: 'batch' })
  const ids: string[] = []
  for await (const { id } of openAi().files.list({ limit: 2 })) ids.push(id)
  expect(ids).toEqual([mine.id])
  const theirs: string[] = []
  for await (const { id } of openAi(other).files.list({ limit: 2 })) theirs.push(id)
  expect(theirs).toHaveLength(5)
  const page = await openAi().files.list()
  expect(JSON.stringify(page)).not.toContain(theirs[0])
})

test('a batch goes where its file is, and its output belongs to the key, too', async () => {
  const headers = { 'x-gate-upstream': 'groq' }
  const made = await openAi().files.create({ file: await file(), purpose: 'batch' }, { headers })
  expect(last().headers).toMatchObject({ authorization: 'Bearer sk-groq' })
  const batch = await openAi().batches.create({
    input_file_id: made.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  })
  expect(last().headers).toMatchObject({ authorization: 'Bearer sk-groq' })
  expect(gate.rows.at(-1)).toMatchObject({ model: '', targetModel: 'batches', upstream: 'groq' })
  expect(await status(openAi().files.content('file-of-batch'))).toBe(200)
  expect(await status(openAi(other).files.content('file-of-batch'))).toBe(404)
  expect(await openAi().batches.cancel(batch.id)).toMatchObject({ status: 'cancelling' })
})

const usage = {
  input_tokens: 1_000,
  input_tokens_details: { cached_tokens: 400 },
  output_tokens: 50,
  output_tokens_details: { reasoning_tokens: 10 },
  total_tokens: 1_050,
}

test('a batch is counted once when it is over, by the usage that it reports, at half the price', async () => {
  const made = await openAi().files.create({ file: await file(), purpose: 'batch' })
  const { id } = await openAi().batches.create({
    input_file_id: made.id,
    endpoint: '/v1/responses',
    completion_window: '24h',
  })
  const counted = () => gate.rows.filter(({ requestId }) => requestId === `openai ${id}`)
  const becomes = (rest: object) => {
    things = things.map((thing) => (thing.id === id ? { ...thing, object: 'batch', model: 'gpt', ...rest } : thing))
    return openAi().batches.retrieve(id)
  }
  await becomes({ status: 'in_progress', usage })
  expect(counted()).toEqual([])
  await becomes({ status: 'completed', usage })
  for await (const _ of openAi().batches.list({}, { headers: { 'x-gate-upstream': 'openai' } }));
  await openAi().batches.retrieve(id)
  expect(counted()).toMatchObject([
    {
      attempt: 1,
      model: 'gpt',
      targetModel: 'gpt',
      upstream: 'openai',
      inputTokens: 1_000,
      cachedTokens: 400,
      outputTokens: 50,
      reasoningTokens: 10,
      estimated: false,
      costMicrodollars: (1_000 * 2 + 50 * 8) / 2,
      unpriced: false,
    },
  ])
  expect(store.find('counted batches', `openai ${id}`)).toBe('openai') // nor again after a restart
})

test.each([
  { asked: 'engine', says: /no upstream of that name speaks openai-chat itself/ },
  { asked: 'nowhere', says: /no upstream of that name/ },
  { asked: 'claude', says: /no upstream of that name speaks openai-chat itself/ },
])('an upload to $asked is refused', async ({ asked, says }) => {
  const headers = { 'x-gate-upstream': asked }
  await expect(openAi().files.create({ file: await file(), purpose: 'batch' }, { headers })).rejects.toThrow(says)
  expect(seen).toEqual([])
})

test('a key for some models keeps things where those are, and no batch whose models are in a file', async () => {
  const { token } = gate.tokens.create('limited', ['chat:write'], null, { models: ['gpt'], categories: [] })
  const { id } = await openAi(token).files.create({ file: await file(), purpose: 'batch' })
  expect(last().headers).toMatchObject({ authorization: 'Bearer sk-openai' })
  seen = []
  const headers = { 'x-gate-upstream': 'groq' }
  const elsewhere = openAi(token).files.create({ file: await file(), purpose: 'batch' }, { headers })
  await expect(elsewhere).rejects.toThrow(/no upstream of that name/)
  const batch = openAi(token).batches.create({ input_file_id: id, endpoint: '/v1/responses', completion_window: '24h' })
  await expect(batch).rejects.toThrow(/^403 this key may use some models only, and those of a batch are in its file/)
  expect(await status(anthropic(token).messages.batches.list())).toBe(200)
  expect(seen).toEqual([])
})

test('the models of a batch are those that its key may use', async () => {
  const { token } = gate.tokens.create('limited', ['chat:write'], null, { models: ['claude-real'], categories: [] })
  const batchOf = (model: string) =>
    anthropic(token).messages.batches.create({
      requests: ['a', 'b'].map((custom_id, at) => ({
        custom_id,
        params: { model: at === 0 ? 'claude-real' : model, max_tokens: 1, messages: [{ role: 'user', content: 'x' }] },
      })),
    })
  await expect(batchOf('alias')).rejects.toThrow(/404.*no model .*alias.* that this key may use/)
  expect(seen).toEqual([])
  await batchOf('claude-real')
  expect(JSON.parse(last().body.toString())).toMatchObject({ requests: [{ params: { model: 'claude-real' } }, {}] })
})

test('an upload in parts', async () => {
  const made = await openAi().uploads.create({ bytes: 9, filename: 'a', mime_type: 'text/plain', purpose: 'batch' })
  await openAi().uploads.parts.create(made.id, { data: await file() })
  expect(last()).toMatchObject({ url: `/v1/uploads/${made.id}/parts` })
  expect(last().body.includes(BYTES)).toBe(true)
  expect(await status(openAi(other).uploads.cancel(made.id))).toBe(404)
})

/** A form of which only the beginning is sent. */
function unfinished(length: number): ClientRequest {
  const headers = {
    authorization: `Bearer ${KEY}`,
    'content-type': 'multipart/form-data; boundary=x',
    'content-length': length,
  }
  const sent = httpRequest(`${gate.url}/v1/files`, { method: 'POST', headers })
  sent.on('error', () => {})
  sent.write('--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc')
  return sent
}

test('a client that leaves ends the upload', async () => {
  const sent = unfinished(10_000)
  await expect.poll(() => seen.length).toBe(1) // it goes up before all of it has come
  sent.destroy()
  await expect.poll(() => gate.rows.at(-1)?.outcome).toBe('cancelled')
})

test('an upload that is too large is refused before it comes', async () => {
  const sent = unfinished(513 * 2 ** 20)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(413)
  expect(seen).toEqual([])
  sent.destroy()
})

test('an upstream that answers before the end of an upload ends the connection', async () => {
  answersEarly = true
  const sent = unfinished(10_000)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  expect(answer.headers.connection).toBe('close')
  sent.destroy()
})

test('Anthropic: files, by the same path', async () => {
  const made = await anthropic().files.upload({ file: await file() })
  expect(last().headers).toMatchObject({ 'x-api-key': 'sk-claude', 'anthropic-version': '2026-10-21' })
  expect(await anthropic().files.retrieveMetadata(made.id)).toMatchObject({ id: made.id })
  expect(await status(anthropic(other).files.retrieveMetadata(made.id))).toBe(404)
  const ids: string[] = []
  for await (const { id } of anthropic().files.list()) ids.push(id)
  expect(ids).toEqual([made.id])
})

test('Anthropic: a batch has the models of its upstream, and its results come through Gate', async () => {
  const params = { model: 'alias', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }
  const made = await anthropic().messages.batches.create({ requests: [{ custom_id: 'a', params }] })
  expect(JSON.parse(last().body.toString())).toEqual({
    requests: [{ custom_id: 'a', params: { ...params, model: 'claude-real' } }],
  })
  expect(made.results_url).toBe(`/v1/messages/batches/${made.id}/results`)
  const results = await fetch(`${gate.url}${made.results_url}`, { headers: { 'x-api-key': KEY } })
  expect(Buffer.from(await results.arrayBuffer()).equals(BYTES)).toBe(true)
  expect((await fetch(`${gate.url}${made.results_url}`, { headers: { 'x-api-key': other } })).status).toBe(404)
  const ids: string[] = []
  for await (const { id } of anthropic().messages.batches.list()) ids.push(id)
  expect(ids).toContain(made.id)
  const unknown = { requests: [{ custom_id: 'a', params: { ...params, model: 'nothing' } }] }
  expect(await status(anthropic().messages.batches.create(unknown))).toBe(404)
  const engine = { requests: [{ custom_id: 'a', params: { ...params, model: 'qwen' } }] }
  expect(await status(anthropic().messages.batches.create(engine))).toBe(400)
})

test('Anthropic: a batch is counted once when its results were fetched whole, by model', async () => {
  const params = { model: 'alias', max_tokens: 5, messages: [{ role: 'user' as const, content: 'hi' }] }
  const made = await anthropic().messages.batches.create({ requests: [{ custom_id: 'a', params }] })
  const line = (model: string, input_tokens: number) =>
    JSON.stringify({
      custom_id: 'a',
      result: {
        type: 'succeeded',
        message: { model, usage: { input_tokens, cache_read_input_tokens: 5, output_tokens: 2 } },
      },
    })
  const failed = '{"custom_id":"b","result":{"type":"errored","error":{"type":"error"}}}'
  results = Buffer.from([line('b', 10), failed, line('a', 1), line('b', 20)].join('\n'))
  for (let time = 0; time < 2; time += 1) {
    const answer = await fetch(`${gate.url}${made.results_url}`, { headers: { 'x-api-key': KEY } })
    expect(Buffer.from(await answer.arrayBuffer()).equals(results)).toBe(true)
  }
  expect(gate.rows.filter(({ requestId }) => requestId === `claude ${made.id}`)).toMatchObject([
    { attempt: 1, model: 'a', inputTokens: 6, outputTokens: 2, cachedTokens: 5, unpriced: true },
    { attempt: 2, model: 'b', inputTokens: 40, outputTokens: 4, cachedTokens: 10, unpriced: true },
  ])
})

test('a request that names a file goes to the upstream that keeps it, and only for the key that made it', async () => {
  const made = await openAi().files.create({ file: await file(), purpose: 'user_data' })
  const ask = (key: string, model: string, file_id = made.id) =>
    openAi(key).chat.completions.create({
      model,
      messages: [{ role: 'user', content: [{ type: 'file', file: { file_id } }] }],
    })
  expect(await status(ask(KEY, 'both'))).toBe(200)
  expect(last().headers).toMatchObject({ authorization: 'Bearer sk-openai' })
  expect(await status(ask(other, 'both'))).toBe(404)
  expect(await status(ask(KEY, 'llama'))).toBe(400)
  expect(await status(ask(other, 'llama', 'of-the-operator'))).toBe(200)
})

/** How a body may say the key or the id, so that some parser reads it. */
const SPELLINGS = {
  plainly: (key: string, id: string) => `"${key}":${id}`,
  'with space': (key: string, id: string) => `"${key}" \n:\t${id}`,
  'with an escaped letter': (key: string, id: string) => `"${key.replace('id', '\\u0069d')}":${id}`,
  'with an escaped low line': (key: string, id: string) => `"${key.replace('_', '\\u005F')}":${id}`,
  'with an escaped id': (key: string, id: string) => `"${key}":${id.replace('f', '\\u0066')}`,
  'before another one': (key: string, id: string) => `"${key}":${id},"${key}":"of-the-operator"`,
  'before another one, escaped': (key: string, id: string) => `"fil\\u0065${key.slice(4)}":${id},"${key}":"operators"`,
  'after another one': (key: string, id: string) => `"${key}":"of-the-operator","${key}":${id}`,
}
type Named = (key: string, id: string) => string
const MESSAGE = (named: string) =>
  `{"model":"claude-real","max_tokens":5,"messages":[{"role":"user","content":[{"type":"document","source":{"type":"file",${named}}}]}]}`
const PLACES: Readonly<Record<string, { readonly path: string; readonly body: (named: Named, id: string) => string }>> =
  {
    'a chat': {
      path: '/v1/chat/completions',
      body: (named, id) =>
        `{"model":"gpt","messages":[{"role":"user","content":[{"type":"file","file":{${named('file_id', id)}}}]}]}`,
    },
    'a response': {
      path: '/v1/responses',
      body: (named, id) =>
        `{"model":"gpt","input":[{"role":"user","content":[{"type":"input_file",${named('file_id', id)}}]}]}`,
    },
    'a tool of a response': {
      path: '/v1/responses',
      body: (named, id) =>
        `{"model":"gpt","input":"hi","tools":[{"type":"image_generation","input_image_mask":{${named('file_id', id)}}}]}`,
    },
    'a container of a response': {
      path: '/v1/responses',
      body: (named, id) =>
        `{"model":"gpt","input":"hi","tools":[{"type":"code_interpreter","container":{"type":"auto",${named('file_ids', `["operators",${id}]`)}}}]}`,
    },
    'a message': { path: '/v1/messages', body: (named, id) => MESSAGE(named('file_id', id)) },
    'a batch of messages': {
      path: '/v1/messages/batches',
      body: (named, id) => `{"requests":[{"custom_id":"a","params":${MESSAGE(named('file_id', id))}}]}`,
    },
  }
const IN_TWO_WAYS = 'before another one, escaped'
const cases = Object.entries(PLACES).flatMap(([place, { path, body }]) =>
  Object.entries(SPELLINGS).map(([spelling, named]) => ({
    place,
    spelling,
    path,
    // a response that may refer to another one is written anew, with one of two equal keys
    isRewritten: path === '/v1/responses' && spelling === IN_TWO_WAYS,
    bodyOf: (id: string) => body(named, id),
  })),
)
const ofAnother = cases.filter(({ isRewritten }) => !isRewritten)

const askAt = (path: string, body: string) =>
  fetch(`${gate.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', 'anthropic-version': '2023-06-01' },
    body,
  })

test.each(ofAnother)('the file of another key in $place, named $spelling, is not found', async ({ path, bodyOf }) => {
  const isAnthropic = path.startsWith('/v1/messages')
  store.put('another-key', 'file-of-another', isAnthropic ? 'claude' : 'openai', 0)
  expect((await askAt(path, bodyOf('"file-of-another"'))).status).toBe(404)
  expect(seen).toEqual([])
  await askAt(path, bodyOf('"file-of-the-operator"'))
  expect(seen).toHaveLength(1)
})

test.each(cases.filter(({ isRewritten }) => isRewritten))(
  'the file of another key in $place, named $spelling, is not sent',
  async ({ path, bodyOf }) => {
    store.put('another-key', 'file-of-another', 'openai', 0)
    await askAt(path, bodyOf('"file-of-another"'))
    expect(last().body.toString()).toContain('operators')
    expect(last().body.toString()).not.toContain('file-of-another')
  },
)

test('a batch of messages goes to the upstream that keeps its files', async () => {
  const made = await anthropic().files.upload({ file: await file() })
  const ask = (model: string) => {
    const body =
      PLACES['a batch of messages']?.body(SPELLINGS.plainly, `"${made.id}"`).replace('claude-real', model) ?? ''
    return askAt('/v1/messages/batches', body)
  }
  expect((await ask('alias')).status).toBe(200)
  expect(last().headers).toMatchObject({ 'x-api-key': 'sk-claude' })
  const refused = await ask('qwen')
  expect(refused.status).toBe(400)
  expect(await refused.text()).toContain('upstream \\"claude\\", which the request names, does not serve model')
})

test.each([
  { name: 'twice', body: '{"input_file_id":"a","input_file_id":"b"}', code: 400 },
  { name: 'twice, once with an escape', body: '{"input_file\\u005fid":"a","input_file_id":"b"}', code: 400 },
  { name: 'in something that is not JSON', body: '{"input_file_id":"a",}', code: 400 },
])('a batch that names its file $name is refused', async ({ body, code }) => {
  expect((await askAt('/v1/batches', body)).status).toBe(code)
  expect(seen).toEqual([])
})

test.each(['"previous_response_id"', '"previous\\u005fresponse_id"', '"pr\\u0065vious_response_id"'])(
  'a response of another key, named by %s, is not gone on with',
  async (key) => {
    const body = `{"model":"gpt","input":"hi",${key}:"resp_of_another"}`
    expect((await askAt('/v1/responses', body)).status).toBe(404)
    expect(seen).toEqual([])
  },
)

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Dialect } from '../../daemon/translate/dialect.ts'
import { DIALECTS, type Dialects } from '../../daemon/translate/dialects.ts'
import type { Usage } from '../../daemon/translate/neutral.ts'
import type { StreamWatch } from '../../daemon/translate/stream-watch.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'

// A dialect that shares nothing with OpenAI's: other paths, the model in the path, lines of JSON as streams, other
// errors, other model lists. It is one value; no file of the daemon knows it.

/** One line of a stream: `{"say":"…"}`, at the end `{"over":true,"in":1,"out":2}`, or `{"wrong":"…"}`. */
class ToyWatch implements StreamWatch {
  #rest = ''
  #frames = 0
  #contentFrames = 0
  #usage: Usage | null = null
  #isDone = false
  #failure: string | null = null

  feed(chunk: Buffer): Buffer {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(JSON.parse(line))
    return chunk
  }
  rest = () => Buffer.alloc(0)
  #line(line: { say?: string; over?: boolean; in?: number; out?: number; wrong?: string }): void {
    this.#frames += 1
    if (line.say !== undefined) this.#contentFrames += 1
    if (line.wrong !== undefined) this.#failure = line.wrong
    if (line.over !== true) return
    this.#isDone = true
    this.#usage = toyUsage(line)
  }
  frames = () => this.#frames
  contentFrames = () => this.#contentFrames
  hasContent = () => this.#contentFrames > 0
  usage = () => this.#usage
  isDone = () => this.#isDone
  isComplete = () => this.#isDone
  failure = () => this.#failure
  atBoundary = () => this.#rest === ''
}

function toyUsage(answer: { in?: number; out?: number }): Usage {
  return { inputTokens: answer.in ?? 0, outputTokens: answer.out ?? 0, cachedTokens: 0, reasoningTokens: 0 }
}

const toy = {
  name: 'toy',
  endpoints: [
    { method: 'POST', path: '/toy/{model}:talk', scope: 'chat:write', does: 'generate' },
    { method: 'GET', path: '/toy/catalogue', scope: 'chat:read', does: 'list-models' },
    { method: 'GET', path: '/toy/catalogue/{model}', scope: 'chat:read', does: 'show-model' },
  ],
  readRequest({ param, body }) {
    const { flow, text } = JSON.parse(body.toString('utf8'))
    if (typeof text !== 'string') throw new GateError('BAD_REQUEST', 'say something in "text"')
    return { model: param, stream: flow === true }
  },
  media: {},
  bodyFor: ({ body }) => ({ body, hidesUsage: false }),
  upstreamPath: (_, model) => `/talk?with=${encodeURIComponent(model)}`,
  requestHeaders: ['toy-version'],
  fixedHeaders: {},
  keyHeader: (key) => ['toy-key', key],
  hiddenHeaders: null,
  streamType: 'application/x-ndjson',
  looksLikeStream: (_, isCalledStream) => isCalledStream,
  watch: () => new ToyWatch(),
  failureOf: () => null,
  estimateInput: ({ body }) => body.length,
  estimateOutput: ({ length }) => length,
  usageOf: (answer) => toyUsage(JSON.parse(answer.toString('utf8'))),
  errorBody: ({ code, message }) => ({ wrong: message, why: code }),
  errorFrame: ({ message }) => `${JSON.stringify({ wrong: message })}\n`,
  ping: null,
  version: null,
  modelsPath: '/catalogue',
  readModels: (list) => Object.keys(list as object),
  listModels: (models) => Object.fromEntries(models.map(({ id, ownedBy }) => [id, ownedBy])),
  showModel: ({ id }) => ({ about: id }),
} satisfies Dialect

const dialects: Dialects = {
  all: [...DIALECTS.all, toy],
  gradesOf: (provider, url) => (provider === 'custom' ? { toy: 'native' } : DIALECTS.gradesOf(provider, url)),
}

let upstream: Server
let gate: Awaited<ReturnType<typeof startDataPlane>>
const seen: { readonly url: string; readonly version: unknown; readonly body: string }[] = []

/** The upstream: says the text back, word by word when it should flow; a text that ends with "!" is cut in mid-line. */
async function sing(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  if (request.url === '/toy-api/catalogue') {
    response.end('{"parrot":1,"lyre/bird":1}')
    return
  }
  seen.push({ url: request.url ?? '', version: request.headers['toy-version'], body })
  const { text, flow } = JSON.parse(body)
  if (flow !== true) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ said: text, in: 3, out: 4 }))
    return
  }
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  for (const word of text.split(' ')) response.write(`${JSON.stringify({ say: word })}\n`)
  response.end(text.endsWith('!') ? '{"sa' : '{"over":true,"in":1,"out":2}\n')
}

beforeAll(async () => {
  upstream = createServer((request, response) => void sing(request, response))
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  gate = await startDataPlane(
    {
      upstreams: {
        birds: { provider: 'custom', base_url: `http://127.0.0.1:${port}/toy-api` },
        echo: { provider: 'echo' },
      },
      models: { bird: { targets: [{ upstream: 'birds', model: 'parrot' }] } },
    },
    { dialects },
  )
  await gate.refresh()
})
afterAll(async () => {
  await gate?.stop()
  upstream?.closeAllConnections()
  upstream?.close()
})

const talk = (model: string, body: object, headers = {}) =>
  fetch(`${gate.url}/toy/${model}:talk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

test('a whole answer: the path of the dialect, its headers, its usage', async () => {
  const answer = await talk('bird', { text: 'hello' }, { 'toy-version': '7' })
  expect(await answer.json()).toEqual({ said: 'hello', in: 3, out: 4 })
  expect(seen.at(-1)).toEqual({ url: '/toy-api/talk?with=parrot', version: '7', body: '{"text":"hello"}' })
  expect(gate.rows.at(-1)).toMatchObject({ outcome: 'ok', inputTokens: 3, outputTokens: 4, estimated: false })
})

test('a stream of lines passes through, and its last line is the usage', async () => {
  const answer = await talk('lyre%2Fbird', { text: 'a b', flow: true })
  expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
  expect(await answer.text()).toBe('{"say":"a"}\n{"say":"b"}\n{"over":true,"in":1,"out":2}\n')
  expect(seen.at(-1)?.url).toBe('/toy-api/talk?with=lyre%2Fbird')
  expect(gate.rows.at(-1)).toMatchObject({ outcome: 'ok', inputTokens: 1, outputTokens: 2 })
})

test('a stream that is cut is an error, and not in the middle of a line', async () => {
  const answer = await talk('bird', { text: 'a !', flow: true })
  await expect(answer.text()).rejects.toThrow()
  expect(gate.rows.at(-1)).toMatchObject({ outcome: 'truncated' })
})

test.each([
  { name: 'no text', send: () => talk('bird', {}), status: 400, why: 'BAD_REQUEST' },
  { name: 'an unknown model', send: () => talk('cat', { text: 'x' }), status: 404, why: 'MODEL_NOT_FOUND' },
  { name: 'an upstream of another dialect', send: () => talk('echo', { text: 'x' }), status: 400, why: 'BAD_REQUEST' },
  { name: 'no key', send: () => talk('bird', { text: 'x' }, { authorization: '' }), status: 401, why: 'INVALID_KEY' },
])('$name is refused in the words of the dialect', async ({ send, status, why }) => {
  const answer = await send()
  expect(answer.status).toBe(status)
  expect(await answer.json()).toEqual({ wrong: expect.any(String), why })
})

test('lists models, asked for in one shape and told in two', async () => {
  const headers = { authorization: `Bearer ${KEY}` }
  const catalogue = await (await fetch(`${gate.url}/toy/catalogue`, { headers })).json()
  expect(catalogue).toMatchObject({ bird: 'gate', parrot: 'birds', 'lyre/bird': 'birds', echo: 'echo' })
  const one = await (await fetch(`${gate.url}/toy/catalogue/lyre%2Fbird`, { headers })).json()
  expect(one).toEqual({ about: 'lyre/bird' })
  const list = await (await fetch(`${gate.url}/v1/models`, { headers })).json()
  expect(list).toMatchObject({
    object: 'list',
    data: expect.arrayContaining([
      { id: 'bird', object: 'model', created: Math.floor(performance.timeOrigin / 1_000), owned_by: 'gate' },
    ]),
  })
})

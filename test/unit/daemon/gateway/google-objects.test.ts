// Files, batches and caches of Google's API, by hand: what the official SDK does with them is in
// test/e2e/google-files.test.ts.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createBatchLooks } from '../../../../daemon/gateway/objects/batch-looks.ts'
import { createObjects } from '../../../../daemon/gateway/objects/known.ts'
import { DIALECTS } from '../../../../daemon/translate/dialects.ts'
import { openObjectStore } from '../../../../store/sqlite/object-store.ts'
import { PAYER } from '../../../support/budgets.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { ANSWER, startGoogleAccount } from '../../../support/google-account.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const place = temporaryDirectory()
const store = openObjectStore(place.file('objects.db'))
let account: Awaited<ReturnType<typeof startGoogleAccount>>
let elsewhere: typeof account
let gate: Awaited<ReturnType<typeof startDataPlane>>
let other = ''
const DOLLAR = 1_000_000
const prices = [
  { model: 'gemini', input: 0, output: 1_000_000 * DOLLAR },
  { model: 'reader', input: 10_000 * DOLLAR, output: 0 },
]

beforeAll(async () => {
  account = await startGoogleAccount('key-of-google')
  elsewhere = await startGoogleAccount('key-elsewhere')
  gate = await startDataPlane(
    {
      upstreams: {
        google: {
          provider: 'google',
          base_url: account.url,
          api_key: 'key-of-google',
          models: ['gemini', 'reader'],
          prices,
        },
        second: { provider: 'google', base_url: elsewhere.url, api_key: 'key-elsewhere', models: ['gemini'] },
        claude: { provider: 'anthropic', base_url: account.url, api_key: 'sk', models: ['claude'] },
      },
      models: {
        alias: { targets: [{ upstream: 'google', model: 'gemini' }] },
        book: { targets: [{ upstream: 'google', model: 'reader' }] },
        either: {
          targets: [
            { upstream: 'second', model: 'gemini' },
            { upstream: 'google', model: 'gemini' },
          ],
        },
      },
      budgets: { all: { limit: '1000 USD', window: 'month', scope: 'global', unknown_price: 'count-as-0' } },
    },
    { objects: store },
  )
  other = gate.tokens.create('other', ['chat:read', 'chat:write'], null).token
})
afterAll(async () => {
  await gate.stop()
  account.close()
  elsewhere.close()
  store.close()
  place.remove()
})
beforeEach(() => void account.seen.splice(0))

type Asked = { readonly key?: string; readonly headers?: Record<string, string>; readonly body?: string | object }

async function ask(method: string, path: string, { key = KEY, headers = {}, body }: Asked = {}) {
  const sent = { 'x-goog-api-key': key, 'x-gate-upstream': 'google', 'content-type': 'application/json', ...headers }
  const answer = await fetch(path.startsWith('http') ? path : gate.url + path, {
    method,
    headers: Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== '')),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
  return { status: answer.status, headers: answer.headers, text, json: isJson ? JSON.parse(text) : null }
}

const START = {
  'x-goog-upload-protocol': 'resumable',
  'x-goog-upload-command': 'start',
  'x-goog-upload-header-content-length': '6',
  'x-goog-upload-header-content-type': 'text/plain',
}

async function begin(asked: Asked = {}, path = '/upload/v1beta/files'): Promise<string> {
  const begun = await ask('POST', path, {
    body: { file: { displayName: 'a' } },
    ...asked,
    headers: { ...START, ...asked.headers },
  })
  expect([begun.status, begun.text]).toEqual([200, ''])
  return begun.headers.get('x-goog-upload-url') ?? ''
}

const piece = (at: number, isLast: boolean) => ({
  'content-type': 'application/octet-stream',
  'x-goog-upload-offset': String(at),
  'x-goog-upload-command': isLast ? 'upload, finalize' : 'upload',
})

async function put(text: string, asked: Asked = {}): Promise<string> {
  const url = await begin(asked)
  const { json } = await ask('POST', url, { ...asked, body: text, headers: { ...piece(0, true), ...asked.headers } })
  return json.file.name
}

test.each([{ version: 'v1beta' }, { version: 'v1' }])(
  '$version: a file comes in pieces, to Gate',
  async ({ version }) => {
    const url = await begin({}, `/upload/${version}/files`)
    expect(url).toMatch(
      new RegExp(`^${gate.url}/upload/${version}/files\\?upload_id=[\\w-]+&upload_protocol=resumable$`),
    )
    const first = await ask('POST', url, { body: 'abc', headers: piece(0, false) })
    expect([first.status, first.headers.get('x-goog-upload-status')]).toEqual([200, 'active'])
    const last = await ask('POST', url, { body: 'def', headers: piece(3, true) })
    expect(last.headers.get('x-goog-upload-status')).toBe('final')
    expect(account.seen.map(({ url: { pathname } }) => pathname)).toEqual(Array(3).fill('/upload/v1beta/files'))
    const { name } = last.json.file
    expect((await ask('GET', `/${version}/${name}:download?alt=media`)).text).toBe('abcdef')
    expect((await ask('GET', `/${version}/${name}`)).json).toMatchObject({ name, sizeBytes: '6' })
    expect((await ask('POST', url, { body: 'x', headers: piece(0, true) })).status).toBe(404) // it is over
    expect(gate.rows.slice(-5).map(({ targetModel, upstream, outcome }) => [targetModel, upstream, outcome])).toEqual([
      ...Array(3).fill(['uploads', 'google', 'ok']),
      ...Array(2).fill(['files', 'google', 'ok']),
    ])
  },
)

test('a file is that of the key that sent it', async () => {
  const name = await put('abcdef')
  for (const [method, path] of [
    ['GET', `/v1beta/${name}`],
    ['GET', `/v1beta/${name}:download?alt=media`],
    ['DELETE', `/v1beta/${name}`],
  ] as const)
    expect([method, path, (await ask(method, path, { key: other })).status]).toEqual([method, path, 404])
  const url = await begin()
  expect((await ask('POST', url, { key: other, body: 'abcdef', headers: piece(0, true) })).status).toBe(404)
  const theirs = new URL(await begin({ key: other }))
  theirs.searchParams.append('upload_id', new URL(url).searchParams.get('upload_id') ?? '')
  await ask('POST', theirs.href, { key: other, body: 'abcdef', headers: piece(0, true) })
  expect(account.seen.at(-1)?.url.searchParams.getAll('upload_id')).toHaveLength(1)
  expect((await ask('POST', url, { body: 'abcdef', headers: piece(0, true) })).status).toBe(200) // it was not theirs
})

test('a list has what the key made, on whichever page of the upstream it is', async () => {
  const key = gate.tokens.create('lists', ['chat:read', 'chat:write'], null).token
  expect((await ask('GET', '/v1beta/files', { key })).json).toEqual({})
  const mine = await put('mine', { key })
  for (let i = 0; i < 5; i += 1) await put('theirs', { key: other })
  const page = await ask('GET', '/v1beta/files?pageSize=2', { key })
  expect(page.json.files).toMatchObject([{ name: mine }])
  expect(page.text).not.toContain('theirs')
  expect((await ask('DELETE', `/v1beta/${mine}`, { key })).json).toEqual({})
  expect((await ask('GET', '/v1beta/files', { key })).json).toEqual({})
})

test('a list shows nothing to a key that has things of another kind alone', async () => {
  const cache = (key: string) =>
    ask('POST', '/v1beta/cachedContents', { key, body: { model: 'models/alias', contents: request.contents } })
  await put('theirs', { key: other })
  await cache(other)
  for (const [list, makeElse] of [
    ['files', cache],
    ['cachedContents', (key: string) => put('mine', { key })],
  ] as const) {
    const key = gate.tokens.create(`without ${list}`, ['chat:read', 'chat:write'], null).token
    await makeElse(key)
    const { status, json } = await ask('GET', `/v1beta/${list}`, { key })
    expect([list, status, json]).toEqual([list, 200, {}])
  }
})

test.each([
  {
    says: 'by its address',
    named: (name: string) => `"fileUri":"https://generativelanguage.googleapis.com/v1beta/${name}"`,
  },
  { says: 'by its name', named: (name: string) => `"fileUri":"${name}"` },
  { says: 'in snake case', named: (name: string) => `"file_uri":"${name}"` },
  { says: 'with an escaped letter', named: (name: string) => `"fil\\u0065Uri":"${name}"` },
  { says: 'with an escaped capital', named: (name: string) => `"file\\u0055ri":"${name}"` },
  { says: 'with an escaped slash', named: (name: string) => `"fileUri":"${name.replace('/', '\\/')}"` },
  { says: 'after another one', named: (name: string) => `"fileUri":"files/of-the-operator","fileUri":"${name}"` },
])('a request that names a file $says goes where it is, for the key that made it', async ({ named }) => {
  const name = await put('abcdef')
  const body = `{"contents":[{"role":"user","parts":[{"fileData":{${named(name)},"mimeType":"text/plain"}}]}]}`
  const path = '/v1beta/models/either:generateContent'
  expect((await ask('POST', path, { body, headers: { 'x-gate-upstream': '' } })).json).toEqual(ANSWER)
  expect(account.seen.at(-1)?.body.toString()).toBe(body)
  expect((await ask('POST', path, { body, key: other })).status).toBe(404)
  const file = body.replace('"contents"', '"other"').replace('fileData', 'inputConfig')
  expect((await ask('POST', '/v1beta/models/alias:batchGenerateContent', { body: file, key: other })).status).toBe(404)
})

const CREATE = '/v1beta/models/alias:batchGenerateContent'
const request = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }], generationConfig: { maxOutputTokens: 8 } }
const inline = (...requests: readonly object[]) => ({
  batch: { displayName: 'b', inputConfig: { requests: { requests: requests.map((one) => ({ request: one })) } } },
})
const held = () => gate.budgets.pots.all()[0]?.now.reserved
const spent = () => gate.budgets.pots.all()[0]?.now.spent ?? 0

test('a batch has the model of its path, holds what it can cost, and is counted once when it is over', async () => {
  const before = spent()
  const { json } = await ask('POST', CREATE, { body: inline(request, { ...request, model: 'models/alias' }) })
  const sent = account.seen.at(-1)
  expect(sent?.url.pathname).toBe('/v1beta/models/gemini:batchGenerateContent')
  expect(JSON.parse(String(sent?.body))).toEqual(inline(request, { ...request, model: 'models/gemini' }))
  expect(held()).toBe(8 * DOLLAR) // two requests of eight tokens, at half the price
  expect((await ask('GET', `/v1beta/${json.name}`, { key: other })).status).toBe(404)
  expect((await ask('POST', `/v1beta/${json.name}:cancel`, { key: other, body: {} })).status).toBe(404)
  expect((await ask('GET', '/v1beta/batches')).json.operations).toMatchObject([{ name: json.name }])
  const inlinedResponses = [{ response: ANSWER }, { response: ANSWER }, { error: { code: 3 } }]
  account.setBatch(json.name, {
    model: 'models/gemini',
    state: 'BATCH_STATE_SUCCEEDED',
    output: { inlinedResponses: { inlinedResponses } },
  })
  for (let time = 0; time < 2; time += 1) await ask('GET', `/v1beta/${json.name}`)
  expect([held(), spent() - before]).toEqual([0, 2 * DOLLAR])
  expect(gate.rows.filter(({ requestId }) => requestId === `google ${json.name}`)).toMatchObject([
    { model: 'alias', targetModel: 'gemini', inputTokens: 6, outputTokens: 4, estimated: false },
  ])
  expect((await ask('DELETE', `/v1beta/${json.name}`)).json).toEqual({})
})

/** Asks for all batches, when it is time to. */
async function lookLater(): Promise<void> {
  const now = () => Date.now() + 61_000
  const looks = createBatchLooks({
    ...{ budgets: gate.budgets, holds: gate.holds, upstreams: gate.upstreams, dialects: DIALECTS, now },
    objects: createObjects(store, now),
    ledger: { settle: async (row) => void gate.rows.push(row), refusal: () => null },
    metrics: { attempt: () => {} },
    priceOf: () => ({ input: 0, output: 1_000_000 * DOLLAR }),
    payerOf: () => PAYER,
    log: () => {},
  })
  await looks.look()
  await looks.stop()
}

test('long answers in a batch are counted where its client never asks', async () => {
  const { json } = await ask('POST', CREATE, { body: inline(request, request) })
  const before = spent()
  const long = { ...ANSWER, padding: 'x'.repeat(2 ** 20) }
  account.setBatch(json.name, {
    model: 'models/gemini',
    state: 'BATCH_STATE_SUCCEEDED',
    output: { inlinedResponses: { inlinedResponses: [{ response: long }, { response: long }] } },
  })
  await lookLater()
  expect([held(), spent() - before]).toEqual([0, 2 * DOLLAR])
})

test('the requests of a file are held for, and its results are read where its client never asks', async () => {
  const line = (key: string) => JSON.stringify({ key, request })
  const name = await put([line('a'), line('b'), line('c')].join('\n'))
  const body = { batch: { display_name: 'b', input_config: { file_name: name } } }
  const { json } = await ask('POST', CREATE, { body })
  expect(held()).toBe(12 * DOLLAR)
  const before = spent()
  account.putFile(
    'files/results',
    [ANSWER, ANSWER].map((response) => JSON.stringify({ key: 'a', response })).join('\n'),
  )
  account.setBatch(json.name, {
    model: 'models/gemini',
    state: 'BATCH_STATE_SUCCEEDED',
    output: { responsesFile: 'files/results' },
  })
  await lookLater()
  expect([held(), spent() - before]).toEqual([0, 2 * DOLLAR])
  expect((await ask('GET', '/v1beta/files/results:download?alt=media')).status).toBe(404) // it was never shown
  await ask('GET', `/v1beta/${json.name}`)
  expect((await ask('GET', '/v1beta/files/results:download?alt=media')).status).toBe(200)
  expect((await ask('GET', '/v1beta/files/results:download?alt=media', { key: other })).status).toBe(404)
})

test('a file that came in pieces is held for by its size', async () => {
  const url = await begin()
  await ask('POST', url, { body: 'x'.repeat(1_000), headers: piece(0, false) })
  const { json } = await ask('POST', url, { body: 'x'.repeat(1_000), headers: piece(1_000, true) })
  const { status, text } = await ask('POST', CREATE, { body: { batch: { inputConfig: { fileName: json.file.name } } } })
  // two requests, whose answers have 8,192 tokens at most, for half a dollar each
  expect([status, text]).toEqual([429, expect.stringContaining('may cost 8192.00 USD')])
})

test('a key for some models makes batches of those, and none whose models are in a file', async () => {
  const { token: key } = gate.tokens.create('limited', ['chat:read', 'chat:write'], null, {
    models: ['alias'],
    categories: [],
  })
  expect((await ask('POST', CREATE, { key, body: inline(request) })).status).toBe(200)
  const asOther = inline({ ...request, model: 'models/google/gemini' })
  expect((await ask('POST', CREATE, { key, body: asOther })).status).toBe(404)
  // a model beside the batch hides none inside it
  expect((await ask('POST', CREATE, { key, body: { model: 'models/alias', ...asOther } })).status).toBe(404)
  expect(
    (await ask('POST', '/v1beta/models/google%2Fgemini:batchGenerateContent', { key, body: inline(request) })).status,
  ).toBe(404)
  const name = await put('{}', { key })
  const refused = await ask('POST', CREATE, { key, body: { batch: { inputConfig: { fileName: name } } } })
  expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('those of a batch are in its file')])
})

test.each([
  { path: CREATE.replace('alias', 'claude'), body: inline(request), status: 400, says: 'does not serve model' },
  { path: CREATE.replace('alias', 'nothing'), body: inline(request), status: 404, says: 'nothing' },
  { path: CREATE, body: '', status: 400, says: 'JSON' },
  { path: '/v1beta/cachedContents', body: { model: 'models/claude' }, status: 400, says: 'does not serve model' },
  { path: '/v1beta/cachedContents', body: { model: 'models/nothing' }, status: 404, says: 'nothing' },
  {
    path: '/upload/v1beta/files?upload_id=never&upload_protocol=resumable',
    body: {},
    status: 404,
    says: 'nothing of the id',
  },
])('POST $path is refused with $status', async ({ path, body, status, says }) => {
  const refused = await ask('POST', path, { body })
  expect([refused.status, refused.text]).toEqual([status, expect.stringContaining(says)])
  expect(refused.json.error).toMatchObject({ code: status })
  expect(account.seen).toEqual([])
})

const CACHES = '/v1beta/cachedContents'
const contents = [{ role: 'user', parts: [{ text: 'a long book' }] }]

test.each([{ version: 'v1beta' }, { version: 'v1' }])(
  '$version: what is cached has the model of its body, is kept for its key, and is paid for once',
  async ({ version }) => {
    const before = spent()
    const made = await ask('POST', `/${version}/cachedContents`, {
      body: { model: 'models/book', contents, ttl: '60s' },
      headers: { 'x-gate-upstream': '' },
    })
    const { name } = made.json
    const [sent] = account.seen.splice(0)
    expect([sent?.url.pathname, JSON.parse(String(sent?.body))]).toEqual([
      CACHES,
      { model: 'models/reader', contents, ttl: '60s' },
    ])
    const place = `/${version}/${name}`
    const longer = await ask('PATCH', `${place}?updateMask=ttl`, { body: { ttl: '600s' } })
    expect([longer.status, longer.json.ttl, account.seen[0]?.url.search]).toEqual([200, '600s', '?updateMask=ttl'])
    expect((await ask('GET', place)).json).toMatchObject({ name, ttl: '600s' })
    expect((await ask('GET', CACHES)).json.cachedContents[0]).toMatchObject({ name })
    for (const [method, body] of [['GET'], ['PATCH', { ttl: '1s' }], ['DELETE']] as const)
      expect([method, (await ask(method, place, { key: other, ...(body && { body }) })).status]).toEqual([method, 404])
    expect((await ask('GET', CACHES, { key: other })).text).not.toContain(`"${name}"`)
    expect(spent() - before).toBe(40 * DOLLAR) // its tokens at their full price, and nothing for looking at it
    expect(gate.rows.filter(({ requestId }) => requestId === `google ${name}`)).toMatchObject([
      { model: 'book', targetModel: 'reader', inputTokens: 4_000, outputTokens: 0, estimated: false },
    ])
    expect((await ask('DELETE', place)).json).toEqual({})
    expect((await ask('GET', place)).status).toBe(404)
  },
)

test('what would cost more than is left is not cached, and nothing stays held for what was refused', async () => {
  const long = [{ role: 'user', parts: [{ text: 'book '.repeat(100_000) }] }]
  const before = held()
  const { status, text } = await ask('POST', CACHES, { body: { model: 'models/book', contents: long } })
  expect([status, text]).toEqual([429, expect.stringMatching(/may cost 16\d\d\.\d\d USD/)])
  expect([held(), account.seen]).toEqual([before, []])
})

test.each([
  { says: 'by its name', named: (name: string) => `"cachedContent":"${name}"` },
  { says: 'in snake case', named: (name: string) => `"cached_content":"${name}"` },
  { says: 'with an escaped letter', named: (name: string) => `"cached\\u0043ontent":"${name}"` },
])('a request that goes on from what is cached, named $says, goes where it is', async ({ named }) => {
  const { json } = await ask('POST', CACHES, { body: { model: 'models/alias', contents } })
  const config = '"generationConfig":{"maxOutputTokens":8}'
  const body = `{${named(json.name)},"contents":[{"role":"user","parts":[{"text":"Sum it up"}]}],${config}}`
  const path = '/v1beta/models/either:generateContent'
  const answer = await ask('POST', path, { body, headers: { 'x-gate-upstream': '' } })
  expect(answer.json, answer.text).toEqual(ANSWER)
  expect(account.seen.at(-1)?.body.toString()).toBe(body)
  expect((await ask('POST', path, { body, key: other })).status).toBe(404)
})

test('a key for some models caches for those alone', async () => {
  const { token: key } = gate.tokens.create('caches', ['chat:read', 'chat:write'], null, {
    models: ['alias'],
    categories: [],
  })
  for (const [model, status] of [
    ['alias', 200],
    ['google/gemini', 404],
  ] as const)
    expect((await ask('POST', CACHES, { key, body: { model: `models/${model}`, contents } })).status).toBe(status)
})

test('several upstreams could be meant', async () => {
  const headers = { ...START, 'x-gate-upstream': '' }
  const { status, text } = await ask('POST', '/upload/v1beta/files', { headers, body: { file: {} } })
  expect([status, text]).toEqual([400, expect.stringContaining('x-gate-upstream')])
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { completion, type FakeUpstream, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { gatectl } from '../support/gatectl.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

// Where requests go: a daemon, and three upstreams that note what they were asked for. A model that is to fail is called
// so; each test has models of its own, since what fails rests.

const TOKEN = 'a-system-token-for-tests'
const NAMES = ['one', 'two', 'three'] as const
type Name = (typeof NAMES)[number]

const asked: { readonly upstream: Name; readonly model: string; readonly body: string }[] = []
const upstreams = new Map<Name, FakeUpstream>()
const place = temporaryDirectory()
let gate: Daemon

const target = (upstream: string, model: string) => ({ upstream, model })
const each = (model: string) => NAMES.map((name) => target(name, model))

const MODELS = {
  chain: { targets: [target('one', 'fails'), target('two', 'fails-too'), target('three', 'good')] },
  shared: {
    strategy: 'weighted',
    affinity: 'none',
    targets: each('shared').map((one, at) => ({ ...one, weight: at + 1 })),
  },
  sticky: { strategy: 'weighted', targets: each('sticky') },
  'shared-turns': { strategy: 'weighted', targets: each('turns') },
  priced: { strategy: 'cost', targets: [target('one', 'dear'), target('two', 'cheap'), target('three', 'middling')] },
  quick: { strategy: 'latency', targets: each('quick') },
  chosen: { targets: each('chosen') },
  // what these take is known of the provider
  pictures: { targets: ['deepseek-chat', 'deepseek-flash'].map((model) => ({ upstream: 'deepseek', model })) },
  blind: { targets: [{ upstream: 'deepseek', model: 'deepseek-chat' }] },
  resting: { targets: [target('one', 'fails-once'), target('two', 'steady')] },
  small: { targets: [target('two', 'small')], category: 'helpers' },
  large: { targets: [target('three', 'large')], category: 'helpers' },
  keyed: { targets: [target('keys', 'keyed')] },
  limited: { targets: [target('limits', 'limited')] },
  // groq takes no logit_bias
  picky: { targets: [target('groq', 'picky'), target('two', 'picky')] },
  pickier: { targets: [target('groq', 'picky')] },
}
/** What becomes of each key of the upstream `keys`. */
const KEYS: Readonly<Record<string, number>> = { 'waits-key': 429, 'spent-key': 402, 'good-key': 200 }

const price = (model: string, input: number) => ({ model, input, output: 0 })

beforeAll(async () => {
  for (const name of NAMES) {
    const upstream = await startFakeUpstream(({ body, headers }, response) => {
      const { model } = JSON.parse(body)
      asked.push({ upstream: name, model, body })
      const status = model === 'keyed' ? (KEYS[headers.authorization?.replace('Bearer ', '') ?? ''] ?? 401) : 200
      if (status !== 200) sendJson(response, status, { error: { message: 'not with this key' } })
      else if (model.startsWith('fails')) sendJson(response, 500, { error: { message: 'no memory' } })
      else sendJson(response, 200, completion(`${name}/${model}`))
    })
    upstreams.set(name, upstream)
  }
  const config = NAMES.map((name) => [
    name,
    {
      provider: 'custom',
      base_url: upstreams.get(name)?.url,
      models: [],
      prices: [price('dear', 9), price('cheap', 1), price('middling', 5)],
    },
  ])
  const deepseek = { provider: 'deepseek', base_url: upstreams.get('one')?.url, models: [] }
  const url = upstreams.get('one')?.url ?? ''
  const groq = { provider: 'groq', base_url: url, models: [] }
  const keys = { provider: 'custom', base_url: url, models: [] }
  const limits = { ...keys, key_requests_per_minute: 1 }
  const elsewhere = {
    targets: [{ ...target('one', 'elsewhere'), base_url: `${url}/team` }, target('one', 'elsewhere')],
  }
  const declared = {
    upstreams: { ...Object.fromEntries(config), deepseek, groq, keys, limits },
    models: { ...MODELS, elsewhere },
  }
  place.write('declared.json', JSON.stringify(declared))
  const environment = {
    GATE_AUTH__TOKEN: TOKEN,
    GATE_LOG__LEVEL: 'error',
    GATE_UPSTREAMS__KEYS__API_KEY: Object.keys(KEYS).join(),
    GATE_UPSTREAMS__LIMITS__API_KEY: 'first-key,second-key',
  }
  gate = await startDaemon(environment, place.path)
})
afterAll(async () => {
  await gate?.stop()
  for (const upstream of upstreams.values()) await upstream.close()
  place.remove()
})

/** What answered, as `upstream/model`, or the status of a refusal. */
async function ask(model: string, fields: object = {}, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...fields }),
  })
  const body = (await response.json()) as { choices?: [{ message: { content: string } }] }
  return body.choices?.[0].message.content ?? String(response.status)
}

/** What a client is told that was not heeded, and the message of a refusal. */
async function heeded(model: string, fields: object) {
  const response = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], ...fields }),
  })
  const { error } = (await response.json()) as { error?: { message: string } }
  return { status: response.status, dropped: response.headers.get('x-gate-dropped'), message: error?.message ?? '' }
}

type Explained = { readonly targets: readonly { upstream: Name; model: string; turn: number | null; why: string }[] }

async function explained(model: string, ...more: string[]): Promise<Explained['targets']> {
  const args = ['route', 'explain', '--model', model, ...more, '--json']
  const { stdout } = await gatectl(['--socket', place.file('admin.sock'), ...args])
  return (JSON.parse(stdout) as Explained).targets
}

test('fallback: the targets are asked in their order, until one answers', async () => {
  expect(await ask('chain')).toBe('three/good')
  const tried = asked.filter(({ model }) => model.startsWith('fails') || model === 'good').map(({ model }) => model)
  expect(tried).toEqual(['fails', 'fails-too', 'good'])
  expect((await explained('chain')).filter(({ why }) => why.startsWith('well')).map(({ model }) => model)).toEqual([
    'good',
  ])
})

test('a target that failed rests: others are asked first, and explain says so', async () => {
  expect(await ask('resting')).toBe('two/steady')
  const count = asked.length
  expect(await ask('chosen')).toBe('one/chosen') // the upstream itself does not rest
  expect(asked.length).toBe(count + 1)
  const targets = await explained('resting')
  expect(targets.find(({ model }) => model === 'fails-once')?.why).toMatch(/^(?:rests|to be probed)/)
  expect(targets.find(({ model }) => model === 'steady')?.why).toMatch(/^well/)
})

test('weighted: every target has its share', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask('shared')))
  const share = (name: Name) => answers.filter((one) => one === `${name}/shared`).length / answers.length
  // six standard deviations on either side
  for (const [at, name] of NAMES.entries()) expect(Math.abs(share(name) - (at + 1) / 6)).toBeLessThan(0.18)
})

test.each([
  ['x-claude-code-session-id', {}],
  ['session-id', {}],
  ['x-session-affinity', {}],
  ['', { prompt_cache_key: 'a prompt' }],
])('requests of one session stay together: %s', async (header, fields) => {
  const headers: Record<string, string> = header === '' ? {} : { [header]: `session of ${header}` }
  const answers = []
  for (let i = 0; i < 12; i += 1) answers.push(await ask('sticky', fields, headers))
  expect(new Set(answers).size).toBe(1)
})

test('cost: the cheapest first, as explain says', async () => {
  expect(await ask('priced')).toBe('two/cheap')
  expect((await explained('priced')).map(({ model }) => model)).toEqual(['cheap', 'middling', 'dear'])
})

test('latency: what answers is one of them, whatever was measured', async () => {
  const answers = await Promise.all(Array.from({ length: 9 }, () => ask('quick')))
  for (const answer of answers) expect(answer).toMatch(/^(?:one|two|three)\/quick$/)
})

test.each([
  { name: 'an order', fields: { provider: { order: ['three'] } }, answer: 'three/chosen' },
  { name: 'some only', fields: { provider: { only: ['two'] } }, answer: 'two/chosen' },
  { name: 'none of some', fields: { provider: { ignore: ['one', 'two'] } }, answer: 'three/chosen' },
  { name: 'none at all', fields: { provider: { only: ['elsewhere'] } }, answer: '400' },
  { name: 'other models', fields: { models: ['small'] }, answer: 'one/chosen' },
])('a request may choose: $name', async ({ fields, answer }) => {
  expect(await ask('chosen', fields)).toBe(answer)
  const last = asked.at(-1)?.body ?? ''
  if (answer !== '400') for (const said of ['provider', 'models']) expect(JSON.parse(last)).not.toHaveProperty(said)
})

test('a request names models to fall back to, or that it wants no other', async () => {
  const failing = { ...{ provider: { only: ['one', 'two'] } }, models: ['small'] }
  expect(await ask('chain', failing)).toBe('two/small')
  expect(await ask('chain', { provider: { order: ['one'], only: ['one'], allow_fallbacks: false } })).toBe('500')
})

test('an image goes to no text model', async () => {
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  const messages = [{ role: 'user', content: [{ type: 'text', text: 'what is it?' }, image] }]
  expect(await ask('pictures')).toBe('one/deepseek-chat')
  expect(await ask('pictures', { messages })).toBe('one/deepseek-flash')
  expect(await ask('blind', { messages })).toBe('400')
  expect(asked.filter(({ model, body }) => model === 'deepseek-chat' && body.includes('image_url'))).toEqual([])
})

test('a category is a name for what is in it', async () => {
  expect(await ask('helpers')).toBe('two/small')
})

test.each([
  {
    // prices are in millionths of a dollar, and this one in dollars
    name: 'a highest price',
    model: 'priced',
    fields: { max_price: { prompt: 6e-6 }, order: ['one', 'three'] },
    answer: 'three/middling',
  },
  { name: 'one that is too low', model: 'priced', fields: { max_price: { prompt: 0.5e-6 } }, answer: '400' },
  { name: 'a price that is not known', model: 'chosen', fields: { max_price: { prompt: 6 } }, answer: '400' },
  { name: 'a promise that nobody keeps', model: 'chosen', fields: { zdr: true }, answer: '400' },
  { name: 'another', model: 'chosen', fields: { data_collection: 'deny' }, answer: '400' },
  { name: 'no promise', model: 'chosen', fields: { data_collection: 'allow', zdr: false }, answer: 'one/chosen' },
  { name: 'an order by price', model: 'priced', fields: { sort: 'price' }, answer: 'two/cheap' },
  { name: 'an order by price, in full', model: 'priced', fields: { sort: { by: 'price' } }, answer: 'two/cheap' },
  { name: 'an order that there is not', model: 'priced', fields: { sort: 'speed' }, answer: '400' },
])('a request may set $name', async ({ model, fields, answer }) => {
  expect(await ask(model, { provider: fields })).toBe(answer)
})

test('what a request says of its way in vain is named', async () => {
  const provider = { order: ['one'], preferred_max_latency: 3 }
  expect(await heeded('chosen', { models: ['small', 'no/such'], provider })).toMatchObject({
    status: 200,
    dropped: 'provider.preferred_max_latency, models.no/such',
  })
  expect(await heeded('chosen', { provider: { order: ['one'] } })).toMatchObject({ status: 200, dropped: null })
  expect(await heeded('chosen', { provider: { zdr: true } })).toMatchObject({
    status: 400,
    message: expect.stringContaining('it cannot promise provider.zdr'),
  })
})

test('a request of which nothing may be left out goes to a target that takes all of it', async () => {
  const fields = { logit_bias: { 5: 1 } }
  const whole = { ...fields, provider: { require_parameters: true } }
  expect(await ask('picky', fields)).toBe('one/picky')
  expect(await ask('picky', whole)).toBe('two/picky')
  expect((await heeded('picky', fields)).dropped).toBe('logit_bias')
  expect(await heeded('pickier', whole)).toMatchObject({
    status: 400,
    message: expect.stringContaining('"groq/picky" takes no logit_bias'),
  })
})

test('keys: one that is told to wait or has no money rests, and each has a limit of its own', async () => {
  const used = () =>
    (upstreams.get('one')?.seen ?? [])
      .filter(({ body }) => body.includes('"keyed"') || body.includes('"limited"'))
      .map(({ headers }) => headers.authorization?.replace('Bearer ', ''))
  expect(await ask('keyed')).toBe('one/keyed')
  expect(used()).toEqual(['waits-key', 'spent-key', 'good-key'])
  expect(await ask('keyed')).toBe('one/keyed')
  expect(used().slice(3)).toEqual(['good-key'])
  expect([await ask('limited'), await ask('limited')]).toEqual(['one/limited', 'one/limited'])
  expect(used().slice(4)).toEqual(['first-key', 'second-key'])
  expect(await heeded('limited', {})).toMatchObject({
    status: 429,
    message: expect.stringContaining('reached their limit'),
  })
})

test('a target has a URL of its own', async () => {
  expect(await ask('elsewhere')).toBe('one/elsewhere')
  expect(upstreams.get('one')?.seen.at(-1)?.path).toBe('/v1/team/chat/completions')
})

test('what goes on from a stored response goes to the target that made it', async () => {
  const respond = async (previous: string | null) => {
    const answer = await fetch(`${gate.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'shared-turns', input: 'hi', previous_response_id: previous }),
    })
    const { id, output } = (await answer.json()) as { id: string; output: [{ content: [{ text: string }] }] }
    return { id, place: output[0].content[0].text }
  }
  const firsts = []
  for (let chain = 0; chain < 8; chain += 1) firsts.push(await respond(null))
  for (const { id, place: was } of firsts) {
    const second = await respond(id)
    const third = await respond(second.id)
    expect([second.place, third.place]).toEqual([was, was])
  }
})

test('route explain takes what a request would need', async () => {
  const [, blind] = await explained('pictures', '--holds', 'image')
  expect(blind).toMatchObject({ model: 'deepseek-chat', turn: null, why: 'the model takes no image' })
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }
  const tools = [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }]
  const request = { model: 'pictures', messages: [{ role: 'user', content: [image] }], tools }
  place.write('request.json', JSON.stringify(request))
  const args = ['--socket', place.file('admin.sock'), 'route', 'explain', '--request', place.file('request.json')]
  const { stdout } = await gatectl([...args, '--json'])
  expect(JSON.parse(stdout)).toMatchObject({ model: 'pictures', needs: { holds: ['image'], tools: true } })
  expect(JSON.parse(stdout).targets).toMatchObject([
    { model: 'deepseek-flash', turn: 1, spoken: { dialect: 'openai-chat', grade: 'native' } },
    { model: 'deepseek-chat', turn: null },
  ])
  expect((await gatectl(args)).stdout).toMatch(/^pictures: fallback\na request with image, tools, \d+ tokens\n/)
  const [translated] = await explained('chosen', '--dialect', 'anthropic')
  expect(translated).toMatchObject({ spoken: { dialect: 'openai-chat', grade: 'translate' } })
  expect(translated?.why).toContain('translated to openai-chat')
})

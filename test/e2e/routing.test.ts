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

const target = (upstream: Name, model: string) => ({ upstream, model })
const each = (model: string) => NAMES.map((name) => target(name, model))

const MODELS = {
  chain: { targets: [target('one', 'fails'), target('two', 'fails-too'), target('three', 'good')] },
  shared: {
    strategy: 'weighted',
    affinity: 'none',
    targets: each('shared').map((one, at) => ({ ...one, weight: at + 1 })),
  },
  sticky: { strategy: 'weighted', targets: each('sticky') },
  priced: { strategy: 'cost', targets: [target('one', 'dear'), target('two', 'cheap'), target('three', 'middling')] },
  quick: { strategy: 'latency', targets: each('quick') },
  chosen: { targets: each('chosen') },
  // what these take is known of the provider
  pictures: { targets: ['deepseek-chat', 'deepseek-flash'].map((model) => ({ upstream: 'deepseek', model })) },
  blind: { targets: [{ upstream: 'deepseek', model: 'deepseek-chat' }] },
  resting: { targets: [target('one', 'fails-once'), target('two', 'steady')] },
  small: { targets: [target('two', 'small')], category: 'helpers' },
  large: { targets: [target('three', 'large')], category: 'helpers' },
}

const price = (model: string, input: number) => ({ model, input, output: 0 })

beforeAll(async () => {
  for (const name of NAMES) {
    const upstream = await startFakeUpstream(({ body }, response) => {
      const { model } = JSON.parse(body)
      asked.push({ upstream: name, model, body })
      if (model.startsWith('fails')) sendJson(response, 500, { error: { message: 'no memory' } })
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
  const declared = { upstreams: { ...Object.fromEntries(config), deepseek }, models: MODELS }
  place.write('declared.json', JSON.stringify(declared))
  gate = await startDaemon({ GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }, place.path)
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

type Explained = { readonly targets: readonly { upstream: Name; model: string; turn: number | null; why: string }[] }

async function explained(model: string): Promise<Explained['targets']> {
  const { stdout } = await gatectl([
    '--socket',
    place.file('admin.sock'),
    'route',
    'explain',
    '--model',
    model,
    '--json',
  ])
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

import { expect, test } from 'vitest'
import { configPlace } from '../../support/config-place.ts'

// The attacker is a member of gate-admin: config.toml is what it can write, and a listener of its own waits for keys.
const MINE = 'http://127.0.0.1:9666/v1'
const KEY = 'sk-of-root'
const soft = { force: false }
const upstream = { provider: 'custom', baseUrl: 'https://llm.example.org/v1' }
const backend = { provider: 'vllm', baseUrl: 'http://localhost/v1', socket: '/run/gate/backends/qwen/engine.sock' }
const declared = { upstreams: { openai: {}, box: upstream }, backends: { qwen: backend } }

const LED_AWAY = [
  ['upstreams.openai.base_url', MINE],
  ['upstreams.openai.base_url', 'http://api.openai.com/v1'],
  ['upstreams.openai.base_url', 'https://api.openai.com:8443/v1'],
  ['upstreams.openai.base_url', 'https://api.openai.com.example.org/v1'],
  // one origin that serves several accounts, told apart by the path
  ['upstreams.box.base_url', 'https://llm.example.org/team-b'],
  ['upstreams.box.base_url', 'https://llm.example.org'],
  ['upstreams.box.base_url', 'https://llm.example.org/v1/../team-b/v1'],
  ['upstreams.box.base_url', 'https://llm.example.org/v1/%2e%2e/team-b'],
  ['upstreams.box.base_url', 'https://llm.example.org/v1/..%2fteam-b'],
  ['upstreams.openai.provider', 'openrouter'],
  ['upstreams.openai.socket', '/tmp/mine.sock'],
  ['upstreams.openai', { base_url: MINE }],
  ['upstreams.box.base_url', MINE],
  ['upstreams.box.socket', '/tmp/mine.sock'],
  ['upstreams', { box: { base_url: MINE } }],
  ['backends.qwen.base_url', MINE],
  ['backends.qwen.socket', '/tmp/mine.sock'],
  ['backends.qwen', { socket: '/tmp/mine.sock', base_url: MINE }],
] as const

/** Each place that root has for keys; the declared layer takes none. */
const GIVEN = {
  credential: { credentials: named('upstreams.openai', 'upstreams.box', 'backends.qwen') },
  variable: {
    env: {
      GATE_UPSTREAMS__OPENAI__API_KEY: KEY,
      GATE_UPSTREAMS__BOX__API_KEY: KEY,
      GATE_BACKENDS__QWEN__API_KEY: KEY,
    },
  },
}

function named(...entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => [`${entry}.api_key`, KEY]))
}

/** The entry of `upstreams.openai.base_url`, as it is in force. */
function entryOf(config: ReturnType<ReturnType<typeof configPlace>['open']>, key: string) {
  const { upstreams, backends } = config.current()
  const [, name = 'box'] = key.split('.')
  return { ...upstreams, ...backends }[name]
}

test.each(
  Object.entries(GIVEN).flatMap(([given, place]) => LED_AWAY.map(([key, value]) => ({ given, place, key, value }))),
)('a $given is not sent where an admin sets $key to $value', async ({ place, key, value }) => {
  const config = configPlace({ declared, ...place }).open()
  expect(entryOf(config, key)?.api_key).toBe(KEY)
  const change = await config.set(key, value, soft)
  expect(entryOf(config, key)?.api_key).toBeUndefined()
  expect(change.problems).toMatchObject([{ code: 'KEY_WITHHELD', layer: 'env' }])
  expect(change.changed.filter((path) => path.endsWith('.api_key'))).toHaveLength(1)
  expect(config.problems()).toEqual(change.problems)
  expect(config.keysOf('qwen')).toEqual([KEY])
})

test.each([
  ['upstreams.openai.timeout', '5s'],
  ['upstreams.openai.base_url', 'https://api.openai.com/v1/beta'],
  ['upstreams.openai.base_url', 'https://api.openai.com/v1/'],
  ['upstreams.openai.base_url', 'https://API.openai.com:443/v1'],
  ['backends.qwen.timeout', '5s'],
  ['backends.qwen.base_url', 'http://localhost'],
])('a key stays where %s is set to %s', async (key, value) => {
  const config = configPlace({ declared, ...GIVEN.credential }).open()
  expect((await config.set(key, value, soft)).problems).toEqual([])
  expect(entryOf(config, key)?.api_key).toBe(KEY)
})

test('explain shows a key that is not sent, and what to do', async () => {
  const config = configPlace({ declared, ...GIVEN.variable }).open()
  const { problems } = await config.set('upstreams.openai.base_url', MINE, soft)
  expect(config.explain('upstreams.openai.api_key')).toEqual({
    key: 'upstreams.openai.api_key',
    value: undefined,
    waiting: false,
    layers: [
      {
        layer: 'env',
        set: true,
        value: { secret: true },
        source: 'GATE_UPSTREAMS__OPENAI__API_KEY',
        withheld:
          'upstreams.openai.api_key is not sent: it is for https://api.openai.com, and requests go to http://127.0.0.1:9666',
      },
      { layer: 'runtime', set: false },
      { layer: 'declared', set: false },
      { layer: 'defaults', set: false },
    ],
    description: expect.any(String),
    restart: false,
  })
  expect(problems).toMatchObject([{ hint: expect.stringContaining('set upstreams.openai.api_key') }])
})

test('a key that is set with the new address goes there, and the one of before comes back with the address', async () => {
  const config = configPlace({ declared, ...GIVEN.credential }).open()
  await config.set('upstreams.openai', { base_url: MINE, api_key: 'sk-mine' }, { force: true })
  expect(entryOf(config, 'upstreams.openai')).toMatchObject({ base_url: MINE, api_key: 'sk-mine' })
  expect(config.explain('upstreams.openai.api_key')).toMatchObject({ winner: 'runtime' })
  await config.set('upstreams.openai.api_key', 'sk-mine-2', soft) // the environment does not hide it
  expect(entryOf(config, 'upstreams.openai')?.api_key).toBe('sk-mine-2')
  await config.unset('upstreams.openai')
  expect(entryOf(config, 'upstreams.openai')?.api_key).toBe(KEY)
  expect(config.problems()).toEqual([])
})

test('what the environment changes drops a key of config.toml, too', () => {
  const runtime = '[upstreams.openai]\napi_key = "sk-of-the-file"\n'
  const env = { GATE_UPSTREAMS__OPENAI__BASE_URL: 'http://127.0.0.1:9/v1' }
  const config = configPlace({ runtime, env }).open()
  expect(entryOf(config, 'upstreams.openai')?.api_key).toBeUndefined()
  expect(config.problems()).toMatchObject([{ code: 'KEY_WITHHELD', layer: 'runtime' }])
  const both = { ...env, GATE_UPSTREAMS__OPENAI__API_KEY: 'sk-of-env' }
  expect(entryOf(configPlace({ runtime, env: both }).open(), 'upstreams.openai')?.api_key).toBe('sk-of-env')
})

test('a variable for an upstream that only config.toml has is not sent', () => {
  const runtime = `[upstreams.box]\nprovider = "custom"\nbase_url = "${MINE}"\n`
  const config = configPlace({ runtime, env: { GATE_UPSTREAMS__BOX__API_KEY: KEY } }).open()
  expect(entryOf(config, 'upstreams.box')?.api_key).toBeUndefined()
})

test.each([
  { change: { set: ['upstreams.box.base_url', MINE] }, removed: true },
  { change: { set: ['upstreams.box.socket', '/tmp/mine.sock'] }, removed: true },
  { change: { unset: 'upstreams.box.socket' }, removed: true },
  { change: { set: ['upstreams.box.base_url', 'https://llm.example.org/v2'] }, removed: false },
  { change: { set: ['upstreams.box.timeout', '5s'] }, removed: false },
])('a key that another admin set leaves config.toml with its address: $change', async ({ change, removed }) => {
  const runtime =
    '[upstreams.box]\nprovider = "custom"\nbase_url = "https://llm.example.org/v1"\nsocket = "/run/box.sock"\n' +
    'api_key = "sk-of-the-other"\n'
  const place = configPlace({ runtime })
  const config = place.open()
  const [key = '', value] = change.set ?? []
  const { problems } =
    change.unset === undefined ? await config.set(key, value, soft) : await config.unset(change.unset)
  expect(place.read()?.includes('sk-of-the-other')).toBe(!removed)
  expect(entryOf(config, 'upstreams.box')?.api_key).toBe(removed ? undefined : 'sk-of-the-other')
  expect(problems.map(({ code }) => code)).toEqual(removed ? ['KEY_WITHHELD'] : [])
})

test.each(['upstreams.mine.api_key', 'upstreams.mine.base_url'])(
  '%s cannot name the variable that is a key of another upstream',
  async (key) => {
    const runtime = `[upstreams.mine]\nprovider = "custom"\nbase_url = "${MINE}"\n`
    const config = configPlace({ runtime, declared, ...GIVEN.variable }).open()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
    const edit = config.set(key, 'http://127.0.0.1:9/${GATE_UPSTREAMS__OPENAI__API_KEY}', soft)
    await expect(edit).rejects.toMatchObject({ code: 'UNSET_VARIABLE' })
  },
)

test.each(['upstreams.mine.api_key', 'upstreams.mine.base_url'])(
  '%s cannot name the variable of a table, which holds all keys in it',
  async (key) => {
    const runtime = `[upstreams.mine]\nprovider = "custom"\nbase_url = "${MINE}"\n`
    const env = { GATE_UPSTREAMS: JSON.stringify({ openai: { provider: 'openai', api_key: KEY } }) }
    const config = configPlace({ runtime, env }).open()
    expect(entryOf(config, 'upstreams.openai')?.api_key).toBe(KEY)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the form that config.toml has
    const edit = config.set(key, 'http://127.0.0.1:9/${GATE_UPSTREAMS}', soft)
    await expect(edit).rejects.toMatchObject({ code: 'UNSET_VARIABLE' })
  },
)

test('the token of an API of DNS is not sent elsewhere, and stays below its address', async () => {
  const env = { GATE_LETSENCRYPT__DNS__API_TOKEN: KEY }
  const place = configPlace({ declared: { letsencrypt: { dns: { provider: 'cloudflare' } } }, env })
  const config = place.open()
  expect(config.current().letsencrypt.dns.api_token).toBe(KEY)
  const change = await config.set('letsencrypt.dns.api', MINE, soft)
  expect(change.problems).toMatchObject([{ code: 'KEY_WITHHELD', key: 'letsencrypt.dns.api_token' }])
  expect(place.open().current().letsencrypt.dns.api_token).toBeUndefined()
  await config.set('letsencrypt.dns.api', 'https://api.cloudflare.com/client/v4/', soft)
  expect(place.open().current().letsencrypt.dns.api_token).toBe(KEY)
})

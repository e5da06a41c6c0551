import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import { WHOLE_VARIABLE } from '../../../schemas/config/values.ts'
import { configPlace } from '../../support/config-place.ts'
import { goldenFiles, goldensOf } from '../../support/golden.ts'
import { nastyText } from '../../support/nasty-text.ts'

const names = goldensOf('declared')
const declaredText = (name: string): string =>
  goldenFiles(name, { targets: ['declared'] }).find(({ path }) => path === 'declared/declared.json')?.text ?? ''

test('there are specs to compare', () => expect(names.length).toBeGreaterThan(5))

test.each(names)('the daemon starts with the declared file of %s, and every value in it is in force', (name) => {
  const text = declaredText(name)
  const written = configSchema.parse(JSON.parse(text))
  const config = configPlace({ declared: text }).open()
  expect(config.current()).toMatchObject(JSON.parse(text))
  expect(config.explain('server.port')).toMatchObject({ winner: 'declared', value: written.server.port })
})

test('no backend is reached by a port, also where the host has one for other programs', () => {
  const files = names.flatMap((name) => goldenFiles(name, { targets: ['declared', 'quadlet'] }))
  const reached = files
    .filter(({ path }) => path === 'declared/declared.json')
    .flatMap(({ text }) => Object.entries<{ socket?: string; base_url?: string }>(JSON.parse(text).backends))
  expect(reached.length).toBeGreaterThan(names.length)
  for (const [name, { socket, base_url }] of reached)
    if (base_url !== undefined) expect(socket, name).toMatch(`/backends/${name}/engine.sock`)
  // the proxies neither: they are inside the network of their container
  const forwards = files.filter(({ path }) => path.endsWith('-proxy.service')).map(({ text }) => text)
  for (const text of forwards)
    expect(text).toMatch(/nsenter .*--net=\S+ .* 127\.0\.0\.1:\d+$|\/container\/engine\.sock$/m)
  expect(files.filter(({ text }) => /^PublishPort=/m.test(text)).length).toBeGreaterThan(2)
})

test('an agent is reached over Unix sockets alone, whatever its backend has', () => {
  const sockets = names
    .flatMap((name) => goldenFiles(name, { targets: ['quadlet'] }))
    .filter(({ path }) => /\/gate-(?:agent|shell)\.socket$/.test(path))
  expect(sockets.length).toBeGreaterThan(names.length)
  for (const { path, text } of sockets)
    expect(text.match(/^Listen\w+=.*$/gm), path).toEqual([expect.stringMatching(/^ListenStream=\/run\/.*\.sock$/)])
})

test('backends are declared, models lead to them, and aliases to what they stand for', () => {
  const { backends, models } = JSON.parse(declaredText('models'))
  expect(backends.qwen).toMatchObject({ provider: 'vllm', socket: '/run/gate-two/backends/qwen/engine.sock' })
  expect(backends.small).toMatchObject({ provider: 'llama-cpp', socket: '/run/gate-two/backends/small/engine.sock' })
  expect(models.coder.targets).toEqual([
    { upstream: 'qwen', model: 'Qwen/Qwen3-8B-FP8' },
    { upstream: 'openai', model: 'gpt-5-mini' },
  ])
  const ways = models.first.targets.map(({ upstream }: { upstream: string }) => upstream)
  expect(ways).toEqual(['qwen', 'openai', 'small'])
  const shares = models.half.targets.map(({ upstream, weight }: { upstream: string; weight: number }) => [
    upstream,
    weight,
  ])
  expect(shares).toEqual([
    ['small', 1.5],
    ['openai', 0.5],
    ['lab', 2],
  ])
})

test('the credentials of the units are keys that the daemon knows', () => {
  const units = names.flatMap((name) => goldenFiles(name, { targets: ['systemd'] }))
  const service = units.filter(({ path }) => /system\/[a-z-]+-daemon\.service$/.test(path)).map(({ text }) => text)
  const keys = service.flatMap((text) =>
    [...text.matchAll(/^LoadCredential=([^:]+):/gm)].map((match) => match[1] ?? ''),
  )
  expect(new Set(keys)).toContain('backends.small.api_key')
  for (const name of names) {
    const own =
      goldenFiles(name, { targets: ['systemd'] }).find(({ path }) => path.endsWith('-daemon.service'))?.text ?? ''
    const credentials = [...own.matchAll(/^LoadCredential=([^:]+):/gm)].map((match) => {
      const key = match[1] ?? ''
      return [key, key === 'tls.alarm_webhook' ? 'https://alarm.example.org/' : 'x'.repeat(40)]
    })
    expect(() =>
      configPlace({ declared: declaredText(name), credentials: Object.fromEntries(credentials) }).open(),
    ).not.toThrow()
  }
})

const specOf = (id: string, category: string, issuer: string) => ({
  gate: { auth: { jwt: { issuer } } },
  upstreams: { own: { provider: 'custom', base_url: 'http://127.0.0.1:9/v1', models: [id] } },
  models: { alias: { category, targets: [{ upstream: 'own', model: id }] } },
})

/** Empty when it is refused. */
function declaredOf(spec: object): string {
  const result = compile(JSON.stringify(spec), { targets: ['declared'] })
  const files = result.kind === 'compiled' ? result.files : []
  return files.find(({ path }) => path === 'declared/declared.json')?.text ?? ''
}

const keysOf = (tree: unknown): string[] =>
  typeof tree !== 'object' || tree === null
    ? []
    : Object.entries(tree).flatMap(([key, inner]) => [key, ...keysOf(inner).map((below) => `${key}.${below}`)])

/**
 * As the parser sees it: the category Cc, the two line separators, what XML cannot hold, and the name of the prototype.
 */
const hasControl = (given: string): boolean =>
  /[\p{Cc}\u2028\u2029\p{NChar}]/u.test(given) || !given.isWellFormed() || given === '__proto__'

test('any text of a spec is refused or reaches the daemon as it is', () => {
  fc.assert(
    fc.property(nastyText, nastyText, nastyText, (id, category, issuer) => {
      const text = declaredOf(specOf(id, category, issuer))
      if (text === '') {
        const isRefused = (given: string) => given === '' || hasControl(given) || WHOLE_VARIABLE.test(given)
        expect([id, category, issuer].some(isRefused)).toBe(true)
        return
      }
      const read = configSchema.parse(JSON.parse(text))
      expect(read.upstreams['own']?.models).toEqual([id])
      expect(read.models['alias']).toMatchObject({ category, targets: [{ model: id }] })
      expect(read.auth.jwt.issuer).toBe(issuer)
      expect(keysOf(JSON.parse(text))).toEqual(keysOf(JSON.parse(declaredOf(specOf('x', 'x', 'x')))))
    }),
    { numRuns: 300 },
  )
})

test('what is said of an upstream, a model and a target reaches the daemon, also through an alias', () => {
  const upstream = {
    provider: 'openai',
    api_key: { credential: 'k' },
    key_requests_per_minute: 60,
    dialects: { anthropic: 'native', openai_chat: 'repair' },
    parameters: [{ name: 'user', drop: true }],
    system_prefix: 'Be kind.',
    tool_arguments: 'repair',
    prices: [{ model: 'm', input: 100_000, output: 200_000 }],
  }
  const target = { upstream: 'a', model: 'm', base_url: 'https://api.openai.com/v1/eu', system_prefix: 'In French.' }
  const models = {
    inner: { targets: [target], parameters: [{ name: 'top_p', default: 0.5 }], system_prefix: 'Be brief.' },
    outer: {
      targets: [{ alias: 'inner', parameters: [{ name: 'seed', json: '[1]' }] }],
      strategy: 'cost',
      affinity: 'none',
      failover: 'mid-stream',
    },
  }
  const result = compile(JSON.stringify({ upstreams: { a: upstream }, models }), { targets: ['declared'] })
  const files = result.kind === 'compiled' ? result.files : expect.unreachable()
  const text = files.find(({ path }) => path === 'declared/declared.json')?.text ?? ''
  const { api_key: _key, ...said } = upstream
  expect(JSON.parse(text).upstreams.a).toMatchObject(said)
  expect(JSON.parse(text).models.outer).toEqual({
    strategy: 'cost',
    affinity: 'none',
    failover: 'mid-stream',
    targets: [
      {
        ...target,
        parameters: [
          { name: 'top_p', default: 0.5 },
          { name: 'seed', json: '[1]' },
        ],
        system_prefix: 'Be brief.\n\nIn French.',
      },
    ],
  })
  expect(configPlace({ declared: text }).open().current()).toMatchObject(JSON.parse(text))
})

test.each([
  ['https://a.test/v1/deployments/x', []],
  ['https://b.test/v1', ['INVALID_VALUE']],
  ['http://a.test/v1', ['INVALID_VALUE']],
  ['https://a.test/v1%2f..', ['INVALID_VALUE']],
  ['https://a.test/v1/../v2', ['INVALID_VALUE']],
])('a target leads nowhere but below its upstream: %s', (base_url, codes) => {
  const upstreams = { a: { provider: 'custom', base_url: 'https://a.test/v1' } }
  const text = JSON.stringify({ upstreams, models: { m: { targets: [{ upstream: 'a', base_url }] } } })
  const errors = compile(text, { targets: ['declared'] }).diagnostics.filter(({ severity }) => severity === 'error')
  expect(errors.map(({ code }) => code)).toEqual(codes)
  const load = () => configPlace({ declared: text }).open().current().models
  if (codes.length === 0) expect(Object.keys(load())).toEqual(['m'])
  else expect(load).toThrow('is not below https://a.test/v1')
})

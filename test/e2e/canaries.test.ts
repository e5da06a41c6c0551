import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configKeys } from '../../config/key-set.ts'
import { leaves } from '../../schemas/config/keys.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { gatectl } from '../support/gatectl-process.ts'
import { startCollector } from '../support/otlp.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const mark = (name: string) => `canary-${name.replaceAll(/\W/g, '-')}-8d1f4e7ab2c9`
const PROMPT = mark('prompt')
const COOKIE = mark('cookie')
const PASSWORD = mark('password')
const FOREIGN_KEY = mark('foreign-key')
const SET_KEY = mark('set-at-run-time')
const PASSPHRASE = mark('passphrase')
const NAME = 'own'

const ENGINE = 'engine'

/** The secret keys of the configuration, each with a value: the first of its forms that its schema takes. */
const SECRETS = [...leaves(configKeys().tree)].flatMap(([path, leaf]) => {
  if (leaf.meta.secret !== true) return []
  const name = path[0] === 'backends' ? ENGINE : NAME
  const key = path.map((step) => (step === '*' ? name : step)).join('.')
  const forms = [
    mark(key),
    `https://hook.example/${mark(key)}`,
    `authorization=${mark(key)}`,
    `$argon2id$v=19$m=19456,t=2,p=1$${Buffer.from(mark(key)).toString('base64url').slice(0, 22)}$${Buffer.from(mark(key)).toString('base64url').padEnd(43, 'A').slice(0, 43)}`,
  ]
  const value = forms.find((form) => leaf.schema.safeParse(form).success)
  if (value === undefined) throw new Error(`${key}: add a form that its schema takes`)
  return [{ key, value }]
})
const secretOf = (key: string) => SECRETS.find((secret) => secret.key === key)?.value ?? ''

let place: ReturnType<typeof temporaryDirectory>
let collector: Awaited<ReturnType<typeof startCollector>>
let gate: Daemon
let state: string
const answered: string[] = []
const env: Record<string, string> = {}

/**
 * Answers in the way that the model asks for, and repeats the credential that it was sent. Below /op it is an identity
 * provider that refuses every code.
 */
const upstream = createServer((request, response) => {
  const credential = said(request.headers)
  const { pathname } = new URL(request.url ?? '', 'http://upstream')
  if (pathname === '/op/.well-known/openid-configuration') {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(providerAt(request.headers.host)))
    return
  }
  let body = ''
  request.setEncoding('utf8').on('data', (piece: string) => {
    body += piece
  })
  request.on('end', () => {
    const [, way] = /"model":"(\w+)"/.exec(body) ?? []
    const error = { error: { message: `no such key: ${credential}`, type: 'x', code: credential } }
    if (pathname === '/op/token') {
      const secret = decodeURIComponent(atob(credential.replace('Basic ', '')))
      exchanges.push(secret)
      const refusal = { error: 'invalid_client', error_description: `${secret} ${credential} ${body}` }
      response.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify(refusal))
      return
    }
    if (way === 'reset') {
      response.destroy()
      return
    }
    if (way === 'stream' || way === 'torn') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-echo': credential })
      response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x' } }] })}\n\n`)
      if (way === 'torn') response.destroy()
      else response.end(`data: ${JSON.stringify(error)}\n\n`)
      return
    }
    const status = { unauthorised: 401, bad: 400, busy: 429, broken: 500 }[way ?? ''] ?? 200
    response.writeHead(status, { 'content-type': 'application/json', 'x-echo': credential })
    response.end(status === 200 ? `{"choices": not json ${credential}` : JSON.stringify(error))
  })
})
const exchanges: string[] = []
const providerAt = (host = '') => ({
  issuer: `http://${host}/op`,
  authorization_endpoint: `http://${host}/op/authorize`,
  token_endpoint: `http://${host}/op/token`,
  jwks_uri: `http://${host}/op/jwks`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
})
const said = ({ authorization, 'x-api-key': key }: IncomingHttpHeaders) => String(authorization ?? key)

beforeAll(async () => {
  place = temporaryDirectory()
  state = place.file('state')
  mkdirSync(state)
  mkdirSync(place.file('credentials'))
  collector = await startCollector()
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  const models = ['unauthorised', 'bad', 'busy', 'broken', 'reset', 'stream', 'torn', 'nonsense']
  const own = { provider: 'custom', base_url: `http://127.0.0.1:${port}/v1`, models }
  writeFileSync(
    join(state, 'declared.json'),
    JSON.stringify({
      upstreams: { [NAME]: own },
      backends: { [ENGINE]: own },
      auth: {
        mode: ['token', 'password', 'device', 'oidc'],
        break_glass: true,
        oidc: { [NAME]: { issuer: `http://127.0.0.1:${port}/op`, client_id: 'gate' } },
      },
      telemetry: { endpoint: collector.url, interval: '1s' },
      tls: { acme: { eab_kid: 'kid' } },
      alerts: { own: { kind: 'webhook' } },
    }),
  )
  for (const { key, value } of SECRETS) writeFileSync(place.file(`credentials/${key}`), value)
  Object.assign(env, { CREDENTIALS_DIRECTORY: place.file('credentials'), GATE_LOG__LEVEL: 'debug' })
  gate = await startDaemon(env, state)
}, 30_000)
afterAll(async () => {
  await collector.close()
  upstream.close()
  place.remove()
})

const token = () => secretOf('auth.token')
const TYPE = { 'content-type': 'application/json' }

async function ask(path: string, init: RequestInit = {}): Promise<void> {
  const headers = { authorization: `Bearer ${token()}`, ...TYPE, cookie: `se_session=${COOKIE}`, ...init.headers }
  try {
    const response = await fetch(gate.url + path, { ...init, headers, redirect: 'manual' })
    answered.push(JSON.stringify([...response.headers]), await response.text())
  } catch (error) {
    answered.push(String(error))
  }
}

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  ask(path, { method: 'POST', body, headers })

/** Every way in which something fails. */
async function failEverywhere(): Promise<void> {
  for (const model of ['unauthorised', 'bad', 'busy', 'broken', 'reset', 'stream', 'torn', 'nonsense', 'gone']) {
    for (const stream of [false, true]) {
      const body = chatBody(PROMPT, { model: `${NAME}/${model}`, stream })
      await post('/v1/chat/completions', body)
      await post('/v1/chat/completions', chatBody(PROMPT, { model: `${ENGINE}/${model}`, stream }))
      await post('/v1/messages', JSON.stringify({ ...JSON.parse(body), max_tokens: 5 }))
      await post('/v1/responses', JSON.stringify({ model: `${NAME}/${model}`, input: PROMPT, stream, store: true }))
    }
  }
  const chat = chatBody(PROMPT, { model: 'echo' })
  await post('/v1/responses', JSON.stringify({ model: 'echo', input: PROMPT, store: true }))
  for (const broken of [`{"messages":"${PROMPT}`, `[${PROMPT}]`, chat.slice(0, -5), ''])
    await post('/v1/chat/completions', broken)
  await post('/v1/chat/completions', chat, { 'content-type': `text/${PROMPT}` })
  await post(`/v1/nothing?secret=${FOREIGN_KEY}`, chat)
  for (const headers of [
    { authorization: `Bearer ${FOREIGN_KEY}` },
    { authorization: `Basic ${btoa(`admin:${PASSWORD}`)}` },
  ])
    await post('/v1/chat/completions', chat, headers)
  for (const name of ['x-api-key', 'api-key', 'x-goog-api-key'])
    await post('/v1/chat/completions', chat, { authorization: '', [name]: FOREIGN_KEY })
  await ask(`/v1/models?key=${FOREIGN_KEY}`, { headers: { authorization: '' } })
  for (const body of [
    { password: PASSWORD },
    { username: mark('user'), password: PASSWORD },
    { password: [PASSWORD] },
  ]) {
    await post('/auth/login', JSON.stringify(body), { authorization: '' })
  }
  for (const path of ['/auth/refresh', '/auth/device/token', '/auth/device', '/auth/rotate-token'])
    await post(path, JSON.stringify({ refresh_token: FOREIGN_KEY, device_code: FOREIGN_KEY, token: FOREIGN_KEY }))
  await ask(`/auth/callback?code=${FOREIGN_KEY}&state=${FOREIGN_KEY}`)
  await signInElsewhere()
  const emergency = secretOf('auth.bootstrap.password')
  for (const password of [emergency, `${emergency}x`])
    await ask('/api/admin/system', { headers: { authorization: `Basic ${btoa(`admin:${password}`)}` } })
  await post('/auth/login', JSON.stringify({ username: 'admin', password: emergency }), { authorization: '' })
  await post('/api/admin/idps', JSON.stringify({ name: 'x', issuer: 'x', client_secret: FOREIGN_KEY }))
  await ask('/api/admin/config/keys/upstreams.own.api_key', {
    method: 'PUT',
    body: JSON.stringify({ value: [FOREIGN_KEY] }),
  })
  await ask('/api/admin/config/keys/log.level', { method: 'PUT', body: JSON.stringify({ value: FOREIGN_KEY }) })
  for (const path of [
    '/api/admin/config',
    '/api/admin/system',
    '/api/admin/upstreams',
    '/api/admin/secrets',
    '/auth/me',
  ])
    await ask(path)
}

/** Signs in by the identity provider, which refuses the code and repeats what it was sent. */
async function signInElsewhere(): Promise<void> {
  const begun = await fetch(`${gate.url}/auth/login?provider=${NAME}`, { redirect: 'manual' })
  const state = new URL(begun.headers.get('location') ?? '', gate.url).searchParams.get('state')
  const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  await ask(`/auth/callback?code=${FOREIGN_KEY}&state=${state}`, { headers: { cookie, authorization: '' } })
}

/** What a command says. */
async function command(args: readonly string[], stdin = ''): Promise<void> {
  const { stdout, stderr } = await gatectl([...args, '--socket', join(state, 'admin.sock')], { stdin })
  answered.push(stdout, stderr)
}

/** A secret as it is, and in the forms that programs write. */
const formsOf = (secret: string) => [
  secret,
  Buffer.from(secret).toString('base64').slice(0, -4),
  Buffer.from(secret).toString('hex'),
  secret.replaceAll(/[-_]/g, (sign) => (sign === '-' ? '%2D' : '%5F')),
]

function filesBelow(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    const status = statSync(path)
    return status.isDirectory() ? filesBelow(path) : status.isFile() ? [path] : []
  })
}

/** Where a secret appears, as `secret in place`. */
function found(secrets: readonly string[], texts: Readonly<Record<string, Buffer | string>>): string[] {
  return Object.entries(texts).flatMap(([where, text]) =>
    secrets
      .filter((secret) => formsOf(secret).some((form) => text.includes(form)))
      .map((secret) => `${secret} in ${where}`),
  )
}

const filesOf = (directory: string) =>
  Object.fromEntries(filesBelow(directory).map((file) => [file, readFileSync(file)]))

test('what is looked for is found, also as base64 and hex', () => {
  const hidden = (text: string) => found([PROMPT], { there: Buffer.from(`x${text}x`) })
  const forms = [PROMPT, btoa(PROMPT), Buffer.from(PROMPT).toString('hex')]
  expect(forms.map(hidden)).toEqual(forms.map(() => [`${PROMPT} in there`]))
  expect(hidden('nothing')).toEqual([])
})

test('no secret and no prompt is in an answer, a log, a file, a metric, a trace, or a backup', async () => {
  expect(SECRETS.length).toBeGreaterThan(16)
  await command(['config', 'set', `upstreams.${NAME}.api_key`, '--force'], `${SET_KEY}\n`)
  await command(['config', 'set', `upstreams.later`, JSON.stringify({ provider: 'openai', api_key: SET_KEY })])
  await command(['config', 'set', 'log.level', FOREIGN_KEY])
  for (let round = isLong ? 20 : 1; round > 0; round -= 1) await failEverywhere()
  for (const args of [
    ['config', 'get', '--all'],
    ['config', 'diff'],
    ['config', 'explain', `upstreams.${NAME}.api_key`],
  ])
    await command(args)
  for (const args of [['status'], ['upstream', 'list'], ['secrets', 'rotate', '--until-sealed'], ['logs'], ['usage']])
    await command(args)
  await ask('/metrics')
  expect(exchanges.join()).toContain(secretOf(`auth.oidc.${NAME}.client_secret`))
  await until(() => collector.posts.length > 2)

  const secrets = [...SECRETS.map(({ value }) => value), SET_KEY, PASSWORD, FOREIGN_KEY, COOKIE, PASSPHRASE]
  const sent = collector.posts.map(({ body }) => body)
  const config = readFileSync(join(state, 'config.toml'), 'utf8')
  expect(config).toContain('sealed:')
  const made = await gatectl(['backup', place.file('a.gate'), '--state-directory', state], { stdin: `${PASSPHRASE}\n` })
  expect(made).toMatchObject({ code: 0 })
  expect((await gatectl(['audit', '--json', '--socket', join(state, 'admin.sock')])).stdout).toContain('fingerprint:')
  const all = {
    'what was answered': answered.join('\n'),
    ...Object.fromEntries(
      gate
        .output()
        .split('\n')
        .map((line) => [`the log: ${line.slice(0, 300)}`, line]),
    ),
    'what the collector got': Buffer.concat(sent),
    'the backup': readFileSync(place.file('a.gate')),
    ...filesOf(state),
  }
  // what a path or a name of an upstream says is repeated to who said it; a prompt may come back from who it was sent to
  const { 'what was answered': own, ...rest } = all
  expect(found([...secrets, PROMPT], rest)).toEqual([])
  expect(
    found(
      secrets.filter((secret) => secret !== FOREIGN_KEY),
      { own },
    ),
  ).toEqual([])

  await gate.stop()
  expect(found([...secrets, PROMPT], { ...filesOf(state), log: gate.output() })).toEqual([])
}, 120_000)

/** Aborts a daemon that may write a core of this size, as LimitCORE= of a unit says it. @returns what it has left */
async function leftByAbort(cores: '0' | 'unlimited'): Promise<readonly string[]> {
  const directory = place.file(`aborted-${cores}`)
  mkdirSync(directory)
  const again = await startDaemon({ ...env, GATE_LOG__LEVEL: 'info' }, state, undefined, undefined, directory)
  const { pid = 0 } = again.process
  await new Promise((resolve) => spawn('prlimit', ['--pid', String(pid), `--core=${cores}`]).once('close', resolve))
  process.kill(pid, 'SIGABRT')
  await until(() => again.process.signalCode !== null || again.process.exitCode !== null)
  const isDump = (name: string) => /^core(?:\.|$)|\.heapsnapshot$|^report\./.test(name)
  return [directory, state].flatMap((at) =>
    readdirSync(at)
      .filter(isDump)
      .map((name) => join(at, name)),
  )
}

test('a daemon that aborts leaves no core, where its unit has LimitCORE=0', async () => {
  expect(await leftByAbort('0')).toEqual([])
  for (const file of ['systemd/gate-daemon.service', 'nix/generated/daemon-units.nix'])
    expect(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'), file).toMatch(/LimitCORE *= *"?0/)
})

const writesCores = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim() === 'core'

test.skipIf(!writesCores || !isLong)(
  'without that, its core holds what it has in memory (long runs; needs core_pattern "core")',
  async () => {
    const [core = ''] = await leftByAbort('unlimited')
    expect(spawnSync('grep', ['-c', '-a', '-F', token(), core]).status).toBe(0)
  },
)

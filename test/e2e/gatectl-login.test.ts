import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHasher } from '../../daemon/auth/password/hasher.ts'
import { witnessOf } from '../../system/token-witness.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { gatectl, startGatectl } from '../support/gatectl-process.ts'
import { type RunningProvider, startIdentityProvider } from '../support/identity-providers.ts'
import { decideOnDevice, signInFirst } from '../support/signed-in-person.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

let daemon: Daemon
let op: RunningProvider
let session: string
const home = mkdtempSync(join(tmpdir(), 'gate-home-'))
const env = { HOME: home }
const file = join(home, '.config/gate/gateways.json')

beforeAll(async () => {
  daemon = await startDaemon({
    GATE_AUTH__MODE: 'token,device,oidc',
    GATE_MANAGED__CLAUDE_CODE: '{"env":{"A":"b"}}',
    GATE_BUDGETS__PERSON__LIMIT: '15 USD',
    GATE_BUDGETS__PERSON__WINDOW: 'month',
    GATE_BUDGETS__PERSON__SCOPE: 'each-user',
  })
  op = await startIdentityProvider([`${daemon.url}/auth/callback`])
  session = await signInFirst(daemon, op.issuer, 'mara')
})
afterAll(async () => {
  await Promise.all([daemon.stop(), op.stop()])
  daemon.remove()
  rmSync(home, { recursive: true })
})

/** Runs `gatectl login` until it shows its code, decides on that, and waits for its end. */
async function login(decision: 'approve' | 'deny', options: readonly string[] = []) {
  const child = startGatectl(['login', daemon.url, ...options], { env })
  let said = ''
  const code = await new Promise<string>((resolve, reject) => {
    child.once('close', () => reject(new Error(said)))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk
      const [shown] = /[A-Z]{4}-[A-Z]{4}/.exec(said) ?? []
      if (shown !== undefined) resolve(shown)
    })
  })
  const decided = await decideOnDevice(daemon, session, code, decision)
  expect([decided.status, await decided.json()]).toEqual([
    200,
    expect.objectContaining({ client_id: 'gatectl', user_code: code }),
  ])
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { stdout: await text(child.stdout), code: await exit, said: () => said }
}

test('gatectl signs in on a device, works with the rights of the person, and signs out; a refusal is said', async () => {
  const [{ stdout, code }, denied] = await Promise.all([login('approve'), login('deny', ['--json'])])
  expect([denied.code, denied.said()]).toEqual([1, expect.stringContaining('"code":"SIGN_IN_FAILED"')])
  expect([code, stdout]).toEqual([
    0,
    `signed in to ${daemon.url} as mara@example.org; commands speak with it from now on\n`,
  ])
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const kept = JSON.parse(readFileSync(file, 'utf8'))
  const { access_token: access } = kept.gateways[daemon.url]
  const asAdmin = () => fetch(`${daemon.url}/api/admin/idps`, { headers: { authorization: `Bearer ${access}` } })
  expect((await asAdmin()).status).toBe(200)

  const status = await gatectl(['status', '--json'], { env })
  expect([status.code, JSON.parse(status.stdout)]).toEqual([0, expect.objectContaining({ state: 'ready' })])
  await forClaudeCode(access)
  await namedOnTheSocket(access)

  expect((await gatectl(['logout'], { env })).stdout).toBe(`signed out of ${daemon.url}\n`)
  const refused = await asAdmin()
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([401, 'false'])
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ current: null, gateways: {} })
})

/** The permissions of the socket say what may be done; the sign-in, or a key, says who it was. */
async function namedOnTheSocket(access: string): Promise<void> {
  const socket = ['--socket', join(daemon.stateDirectory, 'admin.sock')]
  const add = (name: string, more: Readonly<Record<string, string>>) =>
    gatectl(['team', 'add', name, ...socket], { env: { ...env, ...more } })
  const elsewhere = { HOME: '/nonexistent' }
  expect(await add('by-mara', {})).toMatchObject({ code: 0, stderr: '' })
  expect(await add('by-key', { ...elsewhere, GATE_TOKEN: daemon.key })).toMatchObject({ code: 0 })
  mkdirSync(join(home, 'damaged/gate'), { recursive: true })
  writeFileSync(join(home, 'damaged/gate/gateways.json'), '{')
  expect(await add('by-nobody', { XDG_CONFIG_HOME: join(home, 'damaged') })).toMatchObject({ code: 0 })
  expect(await add('by-wrong', { ...elsewhere, GATE_TOKEN: 'gate_wrong' })).toMatchObject({ code: 1 })
  const audit = await gatectl(['audit', '--json', ...socket], { env: elsewhere })
  type Entry = { action: string; via: string; name: string; new: { name?: string } | null }
  const { entries } = JSON.parse(audit.stdout) as { entries: Entry[] }
  const made = entries.filter(({ action }) => action === 'team.create')
  expect(Object.fromEntries(made.map(({ new: now, via, name }) => [now?.name, [via, name]]))).toEqual({
    'by-mara': ['socket', expect.stringContaining('mara')],
    'by-key': ['socket', expect.not.stringMatching('admin socket')],
    'by-nobody': ['socket', 'admin socket'],
  })
  // a witness is no token
  const refused = await fetch(`${daemon.url}/auth/me`, { headers: { authorization: `Bearer ${witnessOf(access)}` } })
  expect(refused.status).toBe(401)
}

/** What Claude Code asks for with the token that it got. */
async function forClaudeCode(access: string): Promise<void> {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${daemon.url}${path}`, { headers: { authorization: `Bearer ${access}`, ...headers } })
  const settings = await get('/managed/settings')
  const etag = settings.headers.get('etag') ?? ''
  expect([settings.status, await settings.json()]).toEqual([
    200,
    { uuid: expect.any(String), checksum: etag.slice(1, -1), settings: { env: { A: 'b' } } },
  ])
  expect((await get('/managed/settings', { 'if-none-match': etag })).status).toBe(304)
  expect((await get('/managed/settings', { 'if-none-match': '*' })).status).toBe(200)
  expect(await (await get('/api/oauth/usage')).json()).toMatchObject({
    extra_usage: { is_enabled: true, monthly_limit: 1_500, used_credits: 0, utilization: 0 },
    limits: [{ group: 'monthly', percent: 0, resets_at: expect.stringMatching(/-01T00:00:00.000Z$/), is_active: true }],
  })
  for (const signal of ['metrics', 'logs', 'traces']) {
    const headers = { authorization: `Bearer ${access}`, 'content-type': 'application/x-protobuf' }
    const sent = await fetch(`${daemon.url}/v1/${signal}`, { method: 'POST', headers, body: new Uint8Array([10, 0]) })
    expect([sent.status, (await sent.arrayBuffer()).byteLength]).toEqual([200, 0])
    expect((await fetch(`${daemon.url}/v1/${signal}`, { method: 'POST', body: 'x' })).status).toBe(401)
  }
  expect(await (await get('/metrics')).text()).toContain('gate_client_telemetry_total{signal="logs"} 1')
}

test('neither a key nor a device lets a device in', async () => {
  const form = new URLSearchParams({ client_id: 'x' })
  const begun = (await (await fetch(`${daemon.url}/auth/device`, { method: 'POST', body: form })).json()) as {
    user_code: string
  }
  const refused = await fetch(`${daemon.url}/api/user/devices`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user_code: begun.user_code, decision: 'approve' }),
  })
  expect([refused.status, await refused.json()]).toEqual([401, expect.objectContaining({ code: 'SIGN_IN_REFUSED' })])
})

test.each(['/auth/device', '/auth/device/token', '/auth/revoke'])(
  'a parameter that is sent twice is refused at %s (RFC 6749 section 3.2)',
  async (path) => {
    const body = new URLSearchParams([
      ['client_id', 'a'],
      ['grant_type', 'refresh_token'],
      ['client_id', 'b'],
    ])
    const answer = await fetch(daemon.url + path, { method: 'POST', body })
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'body: client_id appears twice' },
    ])
  },
)

test.each(['form', 'json'])('the endpoints take %s, and whatever else a client sends', async (kind) => {
  const post = async (path: string, fields: Record<string, string>) => {
    const isForm = kind === 'form'
    const headers = isForm ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(`${daemon.url}${path}`, {
      method: 'POST',
      headers,
      body: isForm ? new URLSearchParams(fields) : JSON.stringify(fields),
    })
    return {
      status: answer.status,
      cache: answer.headers.get('cache-control'),
      body: (await answer.json()) as Record<string, unknown>,
    }
  }
  const metadata = (await (await fetch(`${daemon.url}/.well-known/oauth-authorization-server`)).json()) as Record<
    string,
    string
  >
  expect(metadata).toMatchObject({ issuer: daemon.url, token_endpoint: `${daemon.url}/auth/device/token` })
  const begun = await post('/auth/device', { surface: 'claude_code', 'new-parameter': 'x' })
  expect(begun).toMatchObject({
    status: 200,
    cache: 'no-store',
    body: { expires_in: 600, interval: 5, verification_uri: `${daemon.url}/device` },
  })
  const token = (fields: Record<string, string>) => post('/auth/device/token', fields)
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: String(begun.body['device_code']),
  }
  expect(await token(grant)).toMatchObject({ status: 400, body: { error: 'authorization_pending' } })
  expect(await token(grant)).toMatchObject({ status: 400, body: { error: 'slow_down' } })
  expect(await token({ ...grant, client_id: 'another' })).toMatchObject({
    status: 400,
    body: { error: 'invalid_grant' },
  })
  expect(await token({ grant_type: 'password' })).toMatchObject({
    status: 400,
    body: { error: 'unsupported_grant_type' },
  })
  expect(await token({})).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  expect(await token({ grant_type: 'refresh_token', refresh_token: 'made up' })).toMatchObject({
    status: 401,
    body: { error: 'invalid_grant' },
  })
})

describe('over HTTPS, with a certificate of a private CA', () => {
  let gate: TlsDaemon
  let at: string
  let cookie: string
  const ownHome = mkdtempSync(join(tmpdir(), 'gate-home-'))
  const kept = join(ownHome, '.config/gate/gateways.json')
  const own = { env: { HOME: ownHome } }
  beforeAll(async () => {
    gate = await startTlsDaemon({
      GATE_AUTH__MODE: 'token,password,device',
      GATE_AUTH__PASSWORD_HASH: await createHasher().hash('correct horse battery'),
      GATE_SERVER__EXTERNAL_URL: 'https://localhost:1',
    })
    at = gate.https.replace('127.0.0.1', 'localhost')
    const body = JSON.stringify({ password: 'correct horse battery' })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${gate.url}/auth/login`, { method: 'POST', headers, body })
    cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
  })
  afterAll(async () => {
    await gate.stop()
    gate.remove()
    rmSync(ownHome, { recursive: true })
  })

  test('gatectl trusts the file of --ca alone, also later, and refreshes what has run out', async () => {
    expect(await gatectl(['login', at], own)).toMatchObject({ code: 1, stderr: expect.stringMatching(/certificate/i) })

    const child = startGatectl(['login', at, '--ca', gate.certFile], own)
    let said = ''
    const code = await new Promise<string>((resolve, reject) => {
      child.once('close', () => reject(new Error(said)))
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        said += chunk
        const [shown] = /[A-Z]{4}-[A-Z]{4}/.exec(said) ?? []
        if (shown !== undefined) resolve(shown)
      })
    })
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    expect((await decideOnDevice(gate, cookie, code, 'approve')).status).toBe(200)
    expect([await exit, said]).toEqual([0, expect.any(String)])
    expect((await gatectl(['status', '--json'], own)).code).toBe(0)

    const before = JSON.parse(readFileSync(kept, 'utf8'))
    const { access_token: spent, refresh_token: used } = before.gateways[at]
    before.gateways[at].expires_at = 1
    writeFileSync(kept, JSON.stringify(before))
    const both = await Promise.all([gatectl(['status', '--json'], own), gatectl(['token', 'list'], own)])
    expect(both.map(({ code, stderr }) => [code, stderr])).toEqual([
      [0, ''],
      [0, ''],
    ])
    const after = JSON.parse(readFileSync(kept, 'utf8')).gateways[at]
    expect(after).toMatchObject({ ca: gate.certFile })
    expect([after.access_token === spent, after.refresh_token === used]).toEqual([false, false])
    expect(after.expires_at).toBeGreaterThan(Date.now())
    expect(statSync(kept).mode & 0o777).toBe(0o600)
  })

  test('B28: over HTTP/2 a body that no header announces is JSON as well', async () => {
    const client = connect(at, { ca: readFileSync(gate.certFile) })
    const send = (type: string) =>
      new Promise<unknown>((resolve, reject) => {
        const stream = client.request({ ':method': 'POST', ':path': '/auth/login', 'content-type': type })
        stream.once('error', reject)
        stream.once('response', (headers) => resolve(headers[':status']))
        stream.resume()
        stream.write('{"password":')
        stream.end('"wrong"}')
      })
    try {
      expect([await send('text/plain'), await send('application/json')]).toEqual([415, 401])
    } finally {
      client.close()
    }
  })
})

import {
  chmodSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { DATABASE_NAMES } from '../../store/sqlite/database-names.ts'
import { chatBody } from '../support/chat.ts'
import { type Daemon, runDaemonToEnd, startDaemon } from '../support/daemon.ts'
import { gatectl } from '../support/gatectl-process.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const TOKEN = 'a-system-token-for-tests'
const PASSPHRASE = 'correct horse battery staple'
const UPSTREAM_KEY = 'sk-canary-of-an-upstream'
const env = { GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }

let place: ReturnType<typeof temporaryDirectory>
let state: string
beforeAll(() => {
  place = temporaryDirectory()
  state = place.file('state')
  mkdirSync(state)
})
afterAll(() => place.remove())

const backup = (file: string, ...more: string[]) =>
  gatectl(['backup', place.file(file), '--state-directory', state, ...more], { stdin: `${PASSPHRASE}\n` })
const restore = (file: string, into: string, stdin = `${PASSPHRASE}\n`, ...more: string[]) =>
  gatectl(['restore', place.file(file), '--state-directory', into, '--yes', ...more], { stdin })

/** Asks until `stop`; the ids of all that was answered whole. */
function load({ url }: Daemon) {
  const answered: string[] = []
  let isOn = true
  const ask = async () => {
    while (isOn) {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
      const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: chatBody('hi') })
      await response.text()
      answered.push(response.headers.get('x-request-id') ?? '')
    }
  }
  const clients = Promise.allSettled(Array.from({ length: 4 }, ask))
  return {
    answered,
    stop: async () => {
      isOn = false
      await clients
    },
  }
}

const idsIn = (directory: string): string[] => {
  const database = openDatabase(join(directory, 'gate.db'))
  const rows = database.prepare<[], { id: string }>('SELECT request_id AS id FROM usage').all()
  database.close()
  return rows.map(({ id }) => id)
}

test('a backup under load, a kill -9, and a restore on an empty host: every settled row is there', async () => {
  const gate = await startDaemon(env, state)
  const admin = ['--socket', join(state, 'admin.sock')]
  const own = JSON.stringify({ provider: 'custom', base_url: 'http://127.0.0.1:9/v1', api_key: UPSTREAM_KEY })
  expect(await gatectl(['config', 'set', 'upstreams.own', own, ...admin])).toMatchObject({ code: 0 })
  const { answered, stop } = load(gate)
  while (answered.length < 50) await new Promise((resolve) => setImmediate(resolve))
  const settled = [...answered]
  const made = await backup('online.gate')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  expect(answered.length).toBeGreaterThan(settled.length)
  await gate.kill()
  await stop()
  expect(readdirSync(state).filter((name) => name.endsWith('.db'))).toEqual([...DATABASE_NAMES].sort())
  expect(await backup('killed.gate')).toMatchObject({ code: 0 })

  for (const file of ['online.gate', 'killed.gate']) {
    expect(statSync(place.file(file)).mode & 0o777).toBe(0o600)
    const bytes = readFileSync(place.file(file))
    for (const secret of [UPSTREAM_KEY, TOKEN, PASSPHRASE, 'SQLite format', 'keyring'])
      expect(bytes.includes(secret)).toBe(false)
  }
  const empty = place.file('empty')
  expect(await restore('online.gate', empty)).toMatchObject({ code: 0, stderr: '' })
  for (const name of ['gate.db', 'responses.db', 'config.toml', 'keyring.json'])
    expect(statSync(join(empty, name)).mode & 0o777, name).toBe(0o600)
  const again = await startDaemon(env, empty)
  expect(
    (await gatectl(['config', 'explain', 'upstreams.own.api_key', '--socket', join(empty, 'admin.sock')])).code,
  ).toBe(0)
  expect(again.output()).not.toContain('problem')
  await again.stop()
  expect(settled.filter((id) => !new Set(idsIn(empty)).has(id))).toEqual([])

  const other = place.file('other')
  expect(await restore('killed.gate', other)).toMatchObject({ code: 0 })
  await (await startDaemon(env, other)).stop()
  const ids = idsIn(other)
  expect(answered.filter((id) => !new Set(ids).has(id))).toEqual([])
  expect(new Set(ids).size).toBe(ids.length)
})

test('what does not open, is cut off, or runs is refused, and nothing changes', async () => {
  const before = readdirSync(state)
  const wrong = await restore('online.gate', state, 'another passphrase\n')
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('passphrase or key is another one') })
  const bytes = readFileSync(place.file('online.gate'))
  writeFileSync(place.file('cut.gate'), bytes.subarray(0, -100))
  const cut = await restore('cut.gate', state)
  expect(cut).toMatchObject({ code: 1, stderr: expect.stringContaining('damaged or cut off') })
  writeFileSync(place.file('foreign.gate'), 'PK')
  expect((await restore('foreign.gate', state, `${PASSPHRASE}\n`, '--json')).stderr).toContain('BACKUP_UNUSABLE')
  expect(readdirSync(state)).toEqual(before)
  const gate = await startDaemon(env, state)
  const running = await restore('online.gate', state, `${PASSPHRASE}\n`, '--json')
  expect(JSON.parse(running.stderr)).toMatchObject({ code: 'BACKUP_FAILED', detail: expect.stringContaining('in use') })
  const checked = await restore('online.gate', state, undefined, '--check')
  expect(checked).toMatchObject({ code: 0, stdout: expect.stringContaining('can be restored') })
  expect(readdirSync(state).filter((name) => name.startsWith('.restore'))).toEqual([])
  await gate.stop()
})

test('a restore puts what was there aside, and gatectl backup --verify lists a backup', async () => {
  const restored = await restore('online.gate', state)
  expect(restored.code).toBe(0)
  const [aside = ''] = readdirSync(state).filter((name) => name.startsWith('before-restore-'))
  expect(restored.stdout).toContain(aside)
  expect(readdirSync(join(state, aside))).toContain('gate.db')
  expect(readdirSync(state).filter((name) => /wal|shm|restore-new|restoring/.test(name))).toEqual([])
  const shown = await gatectl(['backup', place.file('online.gate'), '--verify'], { stdin: `${PASSPHRASE}\n` })
  expect(shown.stdout).toMatch(/is whole: made .*\n(?:.*\n)*.*state\/gate\.db/)
  expect(await backup('online.gate')).toMatchObject({ code: 1, stderr: expect.stringContaining('already there') })
})

test('a restore that was broken off: the daemon does not start on it, and the next one finishes it', async () => {
  const half = place.file('half')
  mkdirSync(join(half, '.restore-new/state'), { recursive: true })
  writeFileSync(join(half, 'gate.db-wal'), 'of before')
  writeFileSync(join(half, '.restore-new/state/audit.head'), 'x')
  const plan = { step: 'aside', aside: join(half, 'before-restore-x'), directories: null }
  writeFileSync(join(half, '.restoring.json'), JSON.stringify(plan))
  const started = await runDaemonToEnd(env, half)
  expect(started).toMatchObject({ code: 1, output: expect.stringContaining('a restore was broken off') })
  expect(await restore('online.gate', half)).toMatchObject({ code: 0 })
  expect(existsSync(join(half, 'before-restore-x/gate.db-wal'))).toBe(true)
  await (await startDaemon(env, half)).stop()
})

test('a key pair locks and opens, and gate-daemon restores by itself', async () => {
  expect((await gatectl(['backup', 'key', place.file('id')])).code).toBe(0)
  expect(statSync(place.file('id')).mode & 0o777).toBe(0o600)
  expect(await backup('keyed.gate', '--recipient', place.file('id.pub'))).toMatchObject({ code: 0 })
  const shown = await gatectl([
    'backup',
    place.file('keyed.gate'),
    '--verify',
    '--identity',
    place.file('id'),
    '--json',
  ])
  expect(JSON.parse(shown.stdout)).toMatchObject({ version: 1, models: [] })
  const alone = place.file('alone')
  const ran = await runDaemonToEnd(env, alone, ['--restore', place.file('keyed.gate'), '--identity', place.file('id')])
  expect(ran).toMatchObject({ code: 0, output: expect.stringContaining(`restored ${alone}`) })
  expect(idsIn(alone).length).toBeGreaterThan(0)
})

const account = readFileSync('/etc/passwd', 'utf8').match(/^daemon:[^:]*:(\d+):(\d+):/m)
const isRoot = process.getuid?.() === 0

test.skipIf(!isRoot || account === null)(
  'root makes one of another account, whose links lead nowhere, and gives it back to that account (needs root)',
  async () => {
    const [, uid = 0, gid = 0] = (account ?? []).map(Number)
    const theirs = place.file('theirs')
    expect(await restore('online.gate', theirs)).toMatchObject({ code: 0 })
    symlinkSync('/etc/shadow', join(theirs, 'planted'))
    for (const path of [place.path, theirs, ...readdirSync(theirs).map((name) => join(theirs, name))])
      lchownSync(path, uid, gid)
    const made = await gatectl(['backup', place.file('theirs.gate'), '--state-directory', theirs], {
      stdin: `${PASSPHRASE}\n`,
    })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    const shown = await gatectl(['backup', place.file('theirs.gate'), '--verify'], { stdin: `${PASSPHRASE}\n` })
    expect(shown.stdout).toContain('state/gate.db')
    expect(shown.stdout).not.toContain('planted')
    expect(readdirSync(theirs).filter((name) => name.startsWith('.backup'))).toEqual([])
    expect(await restore('theirs.gate', theirs)).toMatchObject({ code: 0 })
    for (const name of ['gate.db', 'keyring.json', 'gate.lock'])
      expect(statSync(join(theirs, name)).uid, name).toBe(uid)
  },
)

test.skipIf(!isRoot || account === null)(
  'a restore by root changes nothing outside, whatever the account of the state directory has planted (needs root)',
  async () => {
    const [, uid = 0, gid = 0] = (account ?? []).map(Number)
    const hostile = place.file('hostile')
    const ours = place.file('ours')
    for (const path of [place.path, hostile, ours]) mkdirSync(path, { recursive: true, mode: 0o755 })
    chmodSync(place.path, 0o755)
    writeFileSync(join(ours, 'shadow'), 'x', { mode: 0o600 })
    symlinkSync(join(ours, 'shadow'), join(hostile, 'gate.lock'))
    lchownSync(hostile, uid, gid)
    const led = await restore('online.gate', hostile)
    expect(led).toMatchObject({ code: 1, stderr: expect.stringContaining('EACCES') })
    expect(statSync(join(ours, 'shadow')).uid).toBe(0)

    rmSync(join(hostile, 'gate.lock'))
    symlinkSync(ours, join(hostile, '.restore-new'))
    symlinkSync(ours, join(hostile, 'tls'))
    const directories = { config: ours, deploy: ours }
    writeFileSync(join(hostile, '.restoring.json'), JSON.stringify({ step: 'in', aside: ours, directories }))
    for (const name of readdirSync(hostile)) lchownSync(join(hostile, name), uid, gid)
    for (const more of [['--check'], []]) await restore('online.gate', hostile, undefined, ...more)
    expect(readdirSync(ours)).toEqual(['shadow'])
    expect(statSync(ours).uid).toBe(0)
    expect(statSync(join(hostile, 'gate.db')).uid).toBe(uid)
  },
)

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { chatBody } from '../support/chat.ts'
import { runDaemonToEnd, startDaemon } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { GATECTL, gatectl } from '../support/gatectl-process.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const TOKEN = 'a-system-token-for-tests'
const PASSPHRASE = 'correct horse battery staple'
const env = { GATE_AUTH__TOKEN: TOKEN, GATE_LOG__LEVEL: 'error' }

const canTrace =
  hasProgram('strace') && spawnSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' }).status === 0

let place: ReturnType<typeof temporaryDirectory>
let answered: readonly string[]
beforeAll(async () => {
  place = temporaryDirectory()
  const state = place.file('state')
  mkdirSync(state)
  const gate = await startDaemon(env, state)
  const ids: string[] = []
  for (let count = 5; count > 0; count -= 1) {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
    const response = await fetch(`${gate.url}/v1/chat/completions`, { method: 'POST', headers, body: chatBody('hi') })
    await response.text()
    ids.push(response.headers.get('x-request-id') ?? '')
  }
  answered = ids
  await gate.kill()
  const made = await gatectl(['backup', place.file('a.gate'), '--state-directory', state], { stdin: PASSPHRASE })
  expect(made).toMatchObject({ code: 0 })
})
afterAll(() => place.remove())

const restoreArguments = (into: string) => ['restore', place.file('a.gate'), '--state-directory', into, '--yes']

/** Restores, and is killed by SIGKILL before the nth call of the kind: where that is not reached, it goes on to its end. */
function killedRestore(into: string, call: string, nth: number): boolean {
  const trace = ['-f', '-o', '/dev/null', '-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${nth}`]
  const { signal, status } = spawnSync(
    'strace',
    [...trace, process.execPath, '--no-warnings', GATECTL, ...restoreArguments(into)],
    { input: PASSPHRASE, env: { PATH: process.env['PATH'], HOME: place.path }, timeout: 60_000 },
  )
  expect([0, null]).toContain(status)
  return signal === 'SIGKILL'
}

/** What a state directory was before, which a restore puts aside. */
function stateBefore(name: string): string {
  const directory = place.file(name)
  mkdirSync(directory)
  for (const file of ['config.toml', 'gate.db-wal', 'gate.db-usage-1', 'old'])
    writeFileSync(join(directory, file), 'of before')
  cpSync(place.file('state/gate.db'), join(directory, 'gate.db'))
  return directory
}

function idsIn(directory: string): ReadonlySet<string> {
  const database = openDatabase(join(directory, 'gate.db'))
  const rows = database.prepare<[], { id: string }>('SELECT request_id AS id FROM usage').all()
  database.close()
  return new Set(rows.map(({ id }) => id))
}

const CUTS = [
  ...Array.from({ length: 14 }, (_, index) => ({ call: 'rename', nth: index + 1 })),
  ...Array.from({ length: 12 }, (_, index) => ({ call: 'fsync', nth: index + 1 })),
  ...Array.from({ length: 4 }, (_, index) => ({ call: 'unlink', nth: index + 1 })),
]

/** While files go aside, and while others come in. */
const SAMPLE = [
  { call: 'rename', nth: 5 },
  { call: 'rename', nth: 9 },
]

test.skipIf(!canTrace)(
  'a restore that is killed anywhere leaves what was before, or is finished by the next one (needs strace)',
  async () => {
    const cuts = { killed: 0, broken: 0 }
    for (const { call, nth } of isLong ? CUTS : SAMPLE) {
      const cut = `${call}-${nth}`
      const directory = stateBefore(cut)
      if (!killedRestore(directory, call, nth)) continue
      cuts.killed += 1
      if (existsSync(join(directory, '.restoring.json'))) {
        cuts.broken += 1
        const started = await runDaemonToEnd(env, directory)
        expect(started, cut).toMatchObject({ code: 1, output: expect.stringContaining('a restore was broken off') })
      } else if (existsSync(join(directory, 'old'))) {
        expect(readFileSync(join(directory, 'config.toml'), 'utf8'), cut).toBe('of before')
      }
      const again = await gatectl(restoreArguments(directory), { stdin: PASSPHRASE })
      expect(again, cut).toMatchObject({ code: 0, stderr: '' })
      expect(
        readdirSync(directory).filter((name) => /^\.restor|^old$|-wal$/.test(name)),
        cut,
      ).toEqual([])
      const asides = readdirSync(directory).filter((name) => name.startsWith('before-restore-'))
      expect(
        asides.flatMap((aside) => readdirSync(join(directory, aside))),
        cut,
      ).toContain('old')
      await (await startDaemon(env, directory)).stop()
      const ids = idsIn(directory)
      expect(
        answered.filter((id) => !ids.has(id)),
        cut,
      ).toEqual([])
    }
    expect(cuts.killed).toBeGreaterThan(1)
    expect(cuts.broken).toBeGreaterThan(0)
  },
  300_000,
)

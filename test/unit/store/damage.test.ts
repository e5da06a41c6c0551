import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { gatewayNames } from '../../../compiler/ir/names.ts'
import { openStorage } from '../../../daemon/assembly/storage.ts'
import { createTokens } from '../../../daemon/auth/tokens.ts'
import type { Subject } from '../../../host/doctor/check.ts'
import { type DatabaseFacts, database as databaseCheck } from '../../../host/doctor/checks/database.ts'
import { permissions } from '../../../host/doctor/checks/permissions.ts'
import { faultsOf, refuseDamaged } from '../../../store/sqlite/check.ts'
import { openDatabase } from '../../../store/sqlite/database.ts'
import { remedyFor } from '../../../store/sqlite/remedy.ts'
import { openTokenStore } from '../../../store/sqlite/token-store.ts'
import { keyringOf } from '../../support/keyring.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'
import { pageOf } from '../host/doctor/page.ts'

let place: ReturnType<typeof temporaryDirectory>
let file: string
beforeEach(() => {
  place = temporaryDirectory()
  file = place.file('gate.db')
})
afterEach(() => place.remove())

const PAGE = 4096
/** Of the sealed database below: 0 is the header, 1 to 3 are the tables and an index of them. */
const overwrite = (page: number, bytes: Buffer) => {
  const text = Buffer.from(place.read('gate.db'), 'latin1')
  bytes.copy(text, page * PAGE)
  writeFileSync(file, text)
}

/** A database with 100 keys, closed: everything is in the one file. */
function fill(): void {
  const database = openDatabase(file)
  const tokens = createTokens(openTokenStore(database), () => 1)
  for (let i = 0; i < 100; i++) tokens.create(`key ${i}`, ['chat:write'], null)
  database.close()
}

/** What a start does, without the rest of the daemon. */
function start(): void {
  void openStorage({
    stateDirectory: place.path,
    keyring: keyringOf(place.path),
    fingerprintKey: Buffer.alloc(32),
    log: () => {},
    now: () => 1,
    monotonic: () => 1,
    alert: () => {},
  }).stop()
}

const MOVE = /move it aside to start empty, with new keys: mkdir \S+\/damaged && mv \S+\/gate\.db\* \S+\/damaged$/

test.each([
  { name: 'A8 an empty file', harm: () => writeFileSync(file, ''), says: /it is empty, which a new database never is/ },
  { name: 'A8 one page zeroed', harm: () => overwrite(1, Buffer.alloc(PAGE)), says: /it is damaged/ },
  { name: 'A8 a page in the middle zeroed', harm: () => overwrite(4, Buffer.alloc(PAGE)), says: /it is damaged/ },
  {
    name: 'A8 the last page cut off',
    harm: () => writeFileSync(file, bytes().subarray(0, -PAGE)),
    says: /it is damaged/,
  },
  { name: 'A8 a header of zeroes', harm: () => overwrite(0, Buffer.alloc(100)), says: /not a database/ },
  {
    name: 'A8 a text file',
    harm: () => writeFileSync(file, 'a text, and no database\n'.repeat(9)),
    says: /not a database/,
  },
  { name: 'A8 one byte', harm: () => writeFileSync(file, 'x'), says: /not a database/ },
  {
    name: 'A8 a directory',
    harm: () => {
      rmSync(file)
      mkdirSync(file)
    },
    says: /it is a directory/,
  },
  {
    name: 'A8 a link that leads nowhere',
    harm: () => {
      rmSync(file)
      symlinkSync('/nonexistent/gate.db', file)
    },
    says: /it is a link to \/nonexistent\/gate\.db, where nothing is/,
  },
  {
    name: 'A8 a journal whose database is gone',
    harm: () => {
      rmSync(file)
      writeFileSync(`${file}-wal`, 'frames')
    },
    says: /it is missing, but its journal \S+gate\.db-wal exists/,
  },
])('$name stops the start, is told with what to do, and stays as it is', ({ harm, says }) => {
  fill()
  harm()
  const before = existsSync(file) && statSync(file).isFile() ? place.read('gate.db') : existsSync(file)
  expect(start).toThrow(says)
  expect(start).toThrow(/restore a backup of it/)
  expect(start).toThrow(MOVE)
  expect(existsSync(file) && statSync(file).isFile() ? place.read('gate.db') : existsSync(file)).toBe(before)
  expect(faultsOf(file).join('\n')).toMatch(says)
})

test('A8 a newer schema stops the start, and is not called damaged', () => {
  fill()
  const database = openDatabase(file)
  database.pragma('user_version = 99')
  database.close()
  expect(start).toThrow(/newer version of Gate .*; install that version again, or restore a backup/)
  expect(faultsOf(file)).toEqual([])
})

test('A8 what is whole starts: no file, a new one, one with a journal that a killed daemon left', () => {
  expect(refuseDamaged(file)).toBe(true)
  start()
  expect(refuseDamaged(file)).toBe(true)
  const database = openDatabase(file)
  createTokens(openTokenStore(database), () => 1).create('laptop', ['admin'], null)
  for (const name of ['gate.db', 'gate.db-wal']) copyFileSync(place.file(name), place.file(`killed-${name}`))
  database.close()
  for (const name of ['gate.db', 'gate.db-wal']) copyFileSync(place.file(`killed-${name}`), place.file(name))
  expect(refuseDamaged(file)).toBe(true)
  const again = openDatabase(file)
  expect(createTokens(openTokenStore(again), () => 1).list()).toMatchObject([{ name: 'laptop' }])
  again.close()
})

test('a first start that was killed half-way leaves no file that later counts as damaged', () => {
  writeFileSync(`${file}-new`, 'half a database')
  start()
  expect(statSync(file).size).toBeGreaterThan(0)
  expect(existsSync(`${file}-new`)).toBe(false)
})

test('the way to the last backup: the newest copy beside the database is named', () => {
  fill()
  copyFileSync(file, `${file}.bak`)
  writeFileSync(file, '')
  expect(start).toThrow(/\(the newest copy beside it is \S+gate\.db\.bak, of \d{4}-\d\d-\d\d\)/)
})

test('A8 token create on a database that is damaged meanwhile says so, instead of asking for space', () => {
  const database = openDatabase(file)
  const tokens = createTokens(openTokenStore(database), () => 1)
  database.pragma('wal_checkpoint(TRUNCATE)')
  for (let page = 1; page < bytes().length / PAGE; page++) overwrite(page, Buffer.alloc(PAGE, 0xff))
  database.pragma('shrink_memory')
  expect(() => tokens.create('one more', ['admin'], null)).toThrow(
    /malformed; stop gate-daemon, then restore a backup of it/,
  )
  database.close()
})

test.each([
  { code: 'EACCES', says: /give it and its directory to the account of gate-daemon/ },
  { code: 'SQLITE_CANTOPEN', says: /give it and its directory/ },
  { code: 'SQLITE_READONLY_DBMOVED', says: /give it and its directory/ },
  { code: 'SQLITE_FULL', says: /free space/ },
  { code: 'SQLITE_IOERR_WRITE', says: /free space/ },
  { code: 'SQLITE_BUSY', says: /stop the program that holds a lock/ },
  { code: 'SQLITE_NOTADB', says: /restore a backup/ },
  { code: 'SQLITE_CORRUPT_INDEX', says: /restore a backup/ },
])('$code has a remedy of its own', ({ code, says }) => expect(remedyFor(file, code)).toMatch(says))

test.skipIf(process.getuid?.() === 0)(
  'A8 an unreadable file stops the start (needs an ordinary user: root reads everything)',
  () => {
    fill()
    chmodSync(file, 0)
    expect(start).toThrow(/permission denied, access.*; give it and its directory/)
  },
)

test('of a large database the tables of keys are read at start, the usage rows later', () => {
  fill()
  const database = openDatabase(file)
  database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000)
    INSERT INTO usage SELECT 'r' || i, 1, 1, hex(zeroblob(400)), 'm', 'u', 'm', 200, 'ok', 1, 1, 1, 1, 0, 0, 1, NULL, 0, 0, '', '', '', '', '', '', 1 FROM n`)
  database.close()
  expect(refuseDamaged(file)).toBe(false)
  overwrite(Math.floor(bytes().length / PAGE / 2), Buffer.alloc(PAGE))
  expect(refuseDamaged(file)).toBe(false)
  expect(faultsOf(file).join('\n')).toMatch(/it is damaged/)
})

const bytes = () => Buffer.from(place.read('gate.db'), 'latin1')

const page = (found: DatabaseFacts['found']) => pageOf(databaseCheck, { file: '/var/lib/gate/gate.db', found })
test.each([
  { found: { kind: 'absent' }, says: 'ok there is none yet' },
  { found: { kind: 'denied' }, says: /^skip/ },
  { found: { kind: 'late' }, says: /^skip .*\n {2}reading all of it takes longer/ },
  { found: { kind: 'failed', reason: 'node: not found' }, says: /^warn .* could not be checked\n {2}node: not found/ },
  { found: { kind: 'read', faults: [], remedy: 'r' }, says: 'ok /var/lib/gate/gate.db is whole' },
  {
    found: { kind: 'read', faults: ['it is empty'], remedy: 'restore' },
    says: /^fail .* cannot be used\n {2}it is empty\n {2}> \/var\/lib\/gate\/gate\.db: restore$/,
  },
] as const)('doctor: a database that is $found.kind', ({ found, says }) => {
  expect(page(found)).toEqual(typeof says === 'string' ? says : expect.stringMatching(says))
})

test('doctor reads the database of a host with a program of its own', async () => {
  fill()
  const subject = { names: { ...gatewayNames(undefined), stateDirectory: place.path }, isRoot: false } as Subject
  const seen = async () => pageOf(databaseCheck, await databaseCheck.observe(subject, new AbortController().signal))
  expect(await seen()).toBe(`ok ${file} is whole`)
  overwrite(1, Buffer.alloc(PAGE))
  expect(await seen()).toMatch(/^fail .* cannot be used\n {2}it is damaged: .*\n {2}> .*restore a backup/s)
  for (const name of ['gate.db', 'gate.db-wal']) rmSync(place.file(name), { force: true })
  expect(await seen()).toBe('ok there is none yet')
})

test('doctor looks at the rights of the lock and of usage rows that wait', async () => {
  for (const name of ['gate.db-usage-1-1', 'gate.db-usage-damaged']) place.write(name, '')
  const subject = { names: { ...gatewayNames(undefined), stateDirectory: place.path } } as Subject
  const { places } = await permissions.observe(subject, new AbortController().signal)
  const files = places.filter(({ mode }) => mode === 0o600).map(({ path }) => path)
  for (const name of ['gate.lock', 'gate.db', 'gate.db-usage-1-1', 'gate.db-usage-damaged'])
    expect(files).toContain(place.file(name))
})

import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAudit } from '../../../daemon/audit/audit.ts'
import type { AuditEntry } from '../../../daemon/audit/entry.ts'
import { checkAuditCopy } from '../../../host/audit-copy.ts'
import { auditPage } from '../../../store/sqlite/audit-page.ts'
import { openAuditStore } from '../../../store/sqlite/audit-store.ts'
import { verifyAudit } from '../../../store/sqlite/audit-verify.ts'
import { type Database, openDatabase } from '../../../store/sqlite/database.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let file: string
const logged: unknown[][] = []
const alerted: unknown[] = []
beforeEach(() => {
  place = temporaryDirectory()
  file = place.file('gate.db')
  database = openDatabase(file)
  logged.length = 0
  alerted.length = 0
})
afterEach(() => {
  if (database.open) database.close()
  place.remove()
})

const headFile = () => place.file('audit.head')
const ENTRY: AuditEntry = {
  who: { via: 'key', id: 'k1', name: 'laptop' },
  action: 'key.create',
  object: 'key:k2',
  from: { address: '192.0.2.7', via: 'https' },
  outcome: 'done',
  old: null,
  new: { name: 'phone', scopes: ['chat:write'] },
}
const open = (store = openAuditStore(database, headFile()), now = () => 1_000) =>
  createAudit({
    store,
    log: (...all) => void logged.push(all),
    alert: (alert) => void alerted.push(alert),
    now,
    fingerprintKey: Buffer.alloc(32),
  })
const fill = (count: number): void => {
  const audit = open()
  for (let n = 1; n <= count; n += 1) audit.record({ ...ENTRY, object: `key:${n}` })
}
const withoutTriggers = (sql: string): void => {
  const triggers = database
    .prepare<[], { name: string; sql: string }>(`SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'`)
    .all()
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`)
  database.exec(sql)
  for (const trigger of triggers) database.exec(trigger.sql)
}

test('entries are chained, on the disk when record returns, and read back as they were', () => {
  fill(3)
  expect(verifyAudit(file, null)).toMatchObject({ entries: 3, head: { seq: 3 }, faults: [] })
  const [last] = auditPage(file, { since: 0, before: null, limit: 1 })
  expect(last).toMatchObject({ seq: 3, who_id: 'k1', object: 'key:3', address: '192.0.2.7', outcome: 'done' })
  expect(JSON.parse(last?.new ?? '')).toEqual(ENTRY.new)
  expect(JSON.parse(readFileSync(headFile(), 'utf8'))).toEqual({ seq: 3, hash: last?.hash })
  expect(logged.at(-1)).toMatchObject(['info', 'audit', { action: 'key.create', count: 3, hash: last?.hash }])
  expect(auditPage(file, { since: 0, before: 3, limit: 9 }).map(({ seq }) => seq)).toEqual([2, 1])
})

test.each(['UPDATE audit SET who_name = who_name', 'DELETE FROM audit WHERE seq = 2'])('SQLite refuses: %s', (sql) => {
  fill(3)
  expect(() => database.exec(sql)).toThrow('the audit can be appended to')
})

test.each([
  ['an edit', `UPDATE audit SET who_name = 'other' WHERE seq = 2`, /^2: this entry/],
  ['an edit of what was changed', `UPDATE audit SET new = '{}' WHERE seq = 2`, /^2: this entry/],
  ['a hash', `UPDATE audit SET hash = upper(hash) WHERE seq = 2`, /^2: this entry/],
  [
    'two that change places',
    'UPDATE audit SET seq = 9 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 9',
    /^2: this entry/,
  ],
  ['one that is gone', 'DELETE FROM audit WHERE seq = 2', /^3: entries 2 to 2 are missing/],
  ['the beginning', 'DELETE FROM audit WHERE seq = 1', /^2: entries 1 to 1 are missing/],
  ['the end', 'DELETE FROM audit WHERE seq = 4', /^4: the end is missing/],
  ['everything', 'DELETE FROM audit', /^4: the end is missing/],
] as const)('verify finds %s, in a copy, too', (_, sql, expected) => {
  fill(4)
  withoutTriggers(sql)
  const found = ({ faults }: ReturnType<typeof verifyAudit>) => faults.map(({ seq, message }) => `${seq}: ${message}`)
  expect(found(verifyAudit(file, null))[0]).toMatch(expected)
  database.close()
  const copy = temporaryDirectory()
  for (const name of ['gate.db', 'audit.head']) copyFileSync(place.file(name), copy.file(name))
  expect(found(checkAuditCopy(copy.file('gate.db'), null))[0]).toMatch(expected)
  copy.remove()
})

test('verify misses triggers and audit.head, and an entry that was noted elsewhere', () => {
  fill(2)
  const { head } = verifyAudit(file, null)
  expect(verifyAudit(file, head).faults).toEqual([])
  expect(verifyAudit(file, { seq: 2, hash: '0'.repeat(64) }).faults[0]?.message).toMatch('not the one that the given')
  expect(verifyAudit(file, { seq: 3, hash: head.hash }).faults[0]?.message).toMatch('the end is missing')
  database.exec('DROP TRIGGER audit_is_in_order')
  rmSync(headFile())
  expect(verifyAudit(file, null).faults.map(({ message }) => message)).toEqual([
    expect.stringContaining('the trigger audit_is_in_order is gone'),
    expect.stringContaining('audit.head is missing'),
  ])
})

test('a lost end is not hidden by what is written after it, be the daemon running or not', () => {
  fill(4)
  withoutTriggers('DELETE FROM audit WHERE seq > 2')
  fill(1)
  const { faults, entries } = verifyAudit(file, null)
  expect([entries, faults.map(({ seq }) => seq)]).toEqual([4, [3]])
})

test('a kill between entry and head is no loss', () => {
  fill(1)
  const before = readFileSync(headFile())
  fill(1)
  writeFileSync(headFile(), before)
  fill(1)
  expect(verifyAudit(file, null)).toMatchObject({ entries: 3, faults: [] })
})

test('while it cannot be written changes are refused, and entries wait; then they are written', () => {
  const store = openAuditStore(database, headFile())
  let isFull = true
  const audit = open({
    ...store,
    append: (record) => {
      if (isFull) throw new Error('database or disk is full')
      return store.append(record)
    },
  })
  expect(() => audit.require()).not.toThrow()
  audit.record(ENTRY)
  expect(() => audit.require()).toThrow(/the audit cannot be written.*disk is full/)
  expect(alerted).toMatchObject([{ event: 'audit', state: 'on' }])
  isFull = false
  expect(audit.close()).toBe(0)
  expect(() => audit.require()).not.toThrow()
  expect(alerted).toMatchObject([{ state: 'on' }, { state: 'over' }])
  expect(verifyAudit(file, null)).toMatchObject({ entries: 1, faults: [] })
})

test('what waits is bounded, and what found no room is counted', () => {
  let isFull = true
  const written: { readonly action: string; readonly new: string | null }[] = []
  const audit = open({
    anchor: () => {},
    append: (record) => {
      if (isFull) throw new Error('database or disk is full')
      written.push(record)
      return { seq: written.length, hash: '' }
    },
  })
  for (let n = 0; n < 4_321; n += 1) audit.record({ ...ENTRY, action: 'break-glass' })
  expect(audit.close()).toBe(4_321)
  isFull = false
  expect(audit.close()).toBe(0)
  expect(written.length).toBe(4_001)
  expect(written.at(-1)).toMatchObject({ action: 'audit.lost', new: '{"count":321}' })
})

test.each([
  ['2001:db8:0:1::7', '2001:db8:0:1:ffff::1', '2001:db8:0:1::/64'],
  ['192.0.2.7', '192.0.2.7', '192.0.2.7'],
])('the emergency account from %s and %s is one thing to alert of', (first, second, subject) => {
  const audit = open()
  for (const address of [first, second])
    audit.record({ ...ENTRY, action: 'break-glass', from: { address, via: 'https' } })
  expect(alerted).toMatchObject([{ subject }, { subject }])
})

test('what anybody can cause is written a bounded number of times a minute, and counted', () => {
  let nowMs = 0
  const audit = open(undefined, () => nowMs)
  const refused = (n: number): AuditEntry => ({
    ...ENTRY,
    who: { via: 'none', id: '', name: 'hunter2' },
    action: 'login',
    from: { address: `192.0.2.${n % 250}`, via: 'https' },
    outcome: 'refused',
    reason: 'INVALID_LOGIN',
  })
  for (let n = 0; n < 1_000; n += 1) audit.record(refused(n))
  nowMs = 60_000
  audit.record(refused(1))
  audit.close()
  const rows = auditPage(file, { since: 0, before: null, limit: 100 })
  expect(rows.length).toBe(22)
  expect(rows.some(({ new: now }) => now?.includes('"count":980') === true)).toBe(true)
  expect(readFileSync(file).includes('hunter2') || readFileSync(`${file}-wal`).includes('hunter2')).toBe(false)
})

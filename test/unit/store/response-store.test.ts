import { readFileSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openResponseStore, type ResponseStore } from '../../../store/sqlite/response-store.ts'
import { keyringOf } from '../../support/keyring.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let store: ResponseStore

beforeEach(() => {
  place = temporaryDirectory()
  store = openResponseStore(place.file('responses.db'), keyringOf(place.path))
})
afterEach(() => {
  store.close()
  place.remove()
})

test('an answer is found by the key that it was given to, and by no other', () => {
  store.put('k1', 'r1', 10, 'secret words')
  expect(store.get('k1', 'r1', 0)).toBe('secret words')
  expect(store.get('k2', 'r1', 0)).toBeNull()
  expect(store.get('k1', 'r1', 11)).toBeNull()
  expect(store.remove('k2', 'r1')).toBe(false)
  expect(store.remove('k1', 'r1')).toBe(true)
  expect(store.get('k1', 'r1', 0)).toBeNull()
})

test('nothing of it can be read in the files', () => {
  store.put('k1', 'r1', 10, 'secret words')
  for (const name of ['responses.db', 'responses.db-wal']) {
    expect(readFileSync(place.file(name)).includes('secret words'), name).toBe(false)
    expect(statSync(place.file(name)).mode & 0o077, name).toBe(0)
  }
})

test('what is too old goes, and of what is too much the oldest', () => {
  const text = 'x'.repeat(1_000)
  for (let at = 1; at <= 10; at += 1) store.put('k1', `r${at}`, at, text)
  store.trim(3, 5_500)
  expect(Array.from({ length: 10 }, (_, at) => store.get('k1', `r${at + 1}`, 0) !== null)).toEqual([
    ...Array(5).fill(false),
    ...Array(5).fill(true),
  ])
})

test('how much is kept is known after rows are replaced, removed and expired, and at the next start', () => {
  const text = 'x'.repeat(1_000)
  const keptOf = (ids: readonly string[]) => ids.filter((id) => store.get('k1', id, 0) !== null)
  for (let at = 1; at <= 6; at += 1) store.put('k1', `r${at}`, at, text)
  for (let turn = 0; turn < 5; turn += 1) store.put('k1', 'r6', 6, text)
  store.remove('k1', 'r1')
  store.trim(3, 4_500) // leaves r3 to r6, which fit
  expect(keptOf(['r1', 'r2', 'r3', 'r4', 'r5', 'r6'])).toEqual(['r3', 'r4', 'r5', 'r6'])
  store.close()
  store = openResponseStore(place.file('responses.db'), keyringOf(place.path))
  store.trim(3, 2_500)
  expect(keptOf(['r3', 'r4', 'r5', 'r6'])).toEqual(['r5', 'r6'])
})

test('so much goes at a time that nobody waits for it, and the rest next time', () => {
  for (let at = 1; at <= 1_200; at += 1) store.put('k1', `r${at}`, at, 'x')
  expect(store.trim(0, 0)).toBe(true)
  expect([store.get('k1', 'r1000', 0), store.get('k1', 'r1001', 0)]).toEqual([null, 'x'])
  expect(store.trim(0, 0)).toBe(false)
  expect(store.get('k1', 'r1200', 0)).toBeNull()
})

test('large answers go in steps, too, and their room is given back in steps', () => {
  for (let at = 1; at <= 20; at += 1) store.put('k1', `r${at}`, at, 'x'.repeat(2 ** 20))
  const other = new Sqlite(place.file('responses.db'))
  const pages = () => Number(other.pragma('page_count', { simple: true }))
  const before = pages()
  const left: number[] = []
  while (store.trim(0, 0)) left.push(pages())
  expect(left.length).toBeGreaterThan(3)
  for (const [step, count] of left.entries())
    expect((left[step - 1] ?? before) - count, `step ${step}`).toBeLessThanOrEqual(1_100)
  expect(pages()).toBeLessThan(before / 4)
  expect(store.get('k1', 'r20', 0)).toBeNull()
  other.close()
})

test('what could not be removed still counts', () => {
  for (let at = 1; at <= 10; at += 1) store.put('k1', `r${at}`, at, 'x'.repeat(1_000))
  const other = new Sqlite(place.file('responses.db'))
  other.exec("CREATE TRIGGER full BEFORE DELETE ON response BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
  expect(() => store.trim(0, 5_500)).toThrow('the disk is full')
  other.exec('DROP TRIGGER full')
  other.close()
  store.trim(0, 5_500)
  expect([store.get('k1', 'r5', 0), store.get('k1', 'r6', 0) === null]).toEqual([null, false])
})

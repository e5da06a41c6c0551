import { rmSync, statSync } from 'node:fs'
import Sqlite from 'better-sqlite3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openAnswers } from '../../../../daemon/assembly/answers.ts'
import { keyringOf } from '../../../support/keyring.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
let logged: string[]
const log = (_level: string, message: string) => void logged.push(message)
beforeEach(() => {
  place = temporaryDirectory()
  logged = []
})
afterEach(() => place.remove())

test('answers are kept although nobody knows who made which files', async () => {
  const file = new Sqlite(place.file('responses.db'))
  file.exec('CREATE VIEW object AS SELECT 1 AS id')
  file.close()
  const { store, objects, close } = openAnswers(place.path, keyringOf(place.path), log, () => 0)
  store.put('k', 'r', 1, 'text')
  expect(store.get('k', 'r', 0)).toBe('text')
  expect(() => objects.find('k', 'file-1')).toThrow('see the log of the start')
  expect(logged).toEqual(['who made which files and batches cannot be looked up'])
  await close()
})

test('a keyring that opens nothing is said at the start', async () => {
  const before = openAnswers(place.path, keyringOf(place.path), log, () => 0)
  before.store.put('k', 'r', 1, 'text')
  await before.close()
  await openAnswers(place.path, keyringOf(place.path), log, () => 0).close()
  expect(logged).toEqual([])
  rmSync(place.file('keyring.json'))
  rmSync(place.file('sealing.key'))
  const { store, close } = openAnswers(place.path, keyringOf(place.path), log, () => 0)
  expect(store.get('k', 'r', 0)).toBeNull()
  expect(logged).toEqual([expect.stringContaining('is not in keyring.json')])
  store.put('k', 'r', 2, 'text')
  expect(store.get('k', 'r', 0)).toBe('text')
  await close()
})

test('files are found although no answers can be kept', async () => {
  place.write('sealing.key', 'short')
  const { store, objects, close } = openAnswers(place.path, keyringOf(place.path), log, () => 0)
  objects.put('k', 'file-1', 'openai', 1)
  expect(objects.find('k', 'file-1')).toBe('openai')
  expect(() => store.get('k', 'r', 0)).toThrow('see the log of the start')
  expect(logged).toEqual(['answers cannot be kept', 'prompts and answers cannot be kept'])
  expect(statSync(place.file('responses.db')).mode & 0o077).toBe(0)
  await close()
})

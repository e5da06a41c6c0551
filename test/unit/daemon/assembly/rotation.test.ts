import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRotation, type SealedPart } from '../../../../daemon/assembly/rotation.ts'
import { signInStores } from '../../../../daemon/assembly/sign-in-stores.ts'
import type { Keyring } from '../../../../store/sealed/keyring.ts'
import { openDatabase } from '../../../../store/sqlite/database.ts'
import { keptSecret } from '../../../../store/sqlite/kept-secret.ts'
import { openResponseStore, type ResponseStore } from '../../../../store/sqlite/response-store.ts'
import { keyringOf } from '../../../support/keyring.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const ROWS = 100
let place: ReturnType<typeof temporaryDirectory>
let keyring: Keyring
let store: ResponseStore
const logged: string[] = []
const log = (_level: string, message: string) => void logged.push(message)
beforeEach(() => {
  place = temporaryDirectory()
  keyring = keyringOf(place.path)
  store = openResponseStore(place.file('responses.db'), keyring)
  for (let row = 0; row < ROWS; row += 1) store.put('k', `r${row}`, row, `text ${row}`)
  logged.length = 0
})
afterEach(() => {
  store.close()
  place.remove()
})

const answers = (): SealedPart => ({ name: 'answers', reseal: store.reseal })
const allOpen = () => Array.from({ length: ROWS }, (_, row) => store.get('k', `r${row}`, 0) === `text ${row}`)

test('a rotation seals everything anew and forgets the key before', async () => {
  const before = keyring.currentId()
  const rotation = createRotation(keyring, [answers()], log)
  expect(rotation.rotate()).toMatchObject({ rotating: true, keys: [{ id: before, current: false }, { current: true }] })
  store.put('k', 'r0', 0, 'text 0') // while it goes on
  await rotation.stop()
  rotation.resume()
  const again = createRotation(keyring, [answers()], log)
  again.resume()
  while (again.status().rotating) await new Promise(setImmediate)
  expect(again.status()).toMatchObject({ keys: [{ current: true }], lost: 0 })
  expect(again.status().keys[0]?.id).not.toBe(before)
  expect(allOpen()).not.toContain(false)
  expect(keyringOf(place.path).keys()).toHaveLength(1)
})

test('a rotation that was killed is gone on with, and rows of both keys open meanwhile', async () => {
  keyring.rotate()
  store.reseal(0, 10)
  expect(allOpen()).not.toContain(false)
  store.close()
  keyring = keyringOf(place.path)
  store = openResponseStore(place.file('responses.db'), keyring)
  expect(allOpen()).not.toContain(false)
  const rotation = createRotation(keyring, [answers()], log)
  rotation.resume()
  while (rotation.status().rotating) await new Promise(setImmediate)
  expect(rotation.status()).toMatchObject({ sealed: ROWS - 10, keys: [{ current: true }] })
  expect(allOpen()).not.toContain(false)
})

test('what cannot be sealed anew keeps the keys before', async () => {
  const broken: SealedPart = {
    name: 'broken',
    reseal: () => {
      throw new Error('the disk is full')
    },
  }
  const rotation = createRotation(keyring, [answers(), broken], log)
  rotation.rotate()
  while (rotation.status().rotating) await new Promise(setImmediate)
  expect(rotation.status()).toMatchObject({ last_error: 'the disk is full', keys: [{}, { current: true }] })
  expect(logged).toEqual(['what is sealed could not all be sealed anew; the keys before stay'])
})

test('while the database with identity providers is closed the keys before stay, and a later rotation takes them', async () => {
  const stores = signInStores(keyring)
  const database = openDatabase(place.file('gate.db'))
  keptSecret(database, keyring, 'cookie', () => 'made once')
  const rotation = createRotation(keyring, stores.sealed, log)
  rotation.rotate()
  while (rotation.status().rotating) await new Promise(setImmediate)
  expect(rotation.status()).toMatchObject({
    last_error: expect.stringContaining('full'),
    keys: [{}, { current: true }],
  })
  stores.opened(database)
  rotation.resume()
  while (rotation.status().rotating) await new Promise(setImmediate)
  expect(rotation.status().keys).toHaveLength(1)
  expect(stores.secret('cookie', () => 'another')).toBe('made once')
  database.close()
})

test('rows that no key opens are counted and left', async () => {
  const foreign = temporaryDirectory()
  const other = openResponseStore(place.file('responses.db'), keyringOf(foreign.path))
  other.put('k', 'foreign', 1, 'text')
  other.close()
  foreign.remove()
  const rotation = createRotation(keyring, [answers()], log)
  rotation.rotate()
  while (rotation.status().rotating) await new Promise(setImmediate)
  expect(rotation.status()).toMatchObject({ sealed: ROWS, lost: 1, keys: [{ current: true }] })
  expect(allOpen()).not.toContain(false)
})

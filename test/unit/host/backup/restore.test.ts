import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backUp } from '../../../../host/backup/backup.ts'
import { restore } from '../../../../host/backup/restore.ts'
import { newIdentity } from '../../../../store/backup/lock.ts'
import { RESTORING, refuseHalfRestored } from '../../../../store/backup/restoring.ts'
import { openDatabase } from '../../../../store/sqlite/database.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const { identity, recipient } = newIdentity()
let place: ReturnType<typeof temporaryDirectory>
beforeEach(async () => {
  place = temporaryDirectory()
  for (const name of ['state/tls/ca', 'state/tls/own', 'config', 'deploy/ca', 'new'])
    mkdirSync(place.file(name), { recursive: true })
  openDatabase(place.file('state/gate.db')).close()
  for (const name of [
    'state/tls/ca/issuer.pem',
    'state/tls/own/cert.pem',
    'state/a',
    'config/gate.toml',
    'deploy/ca/root',
  ])
    writeFileSync(place.file(name), 'as it was')
  const directories = { config: place.file('config'), deploy: place.file('deploy') }
  const options = {
    stateDirectory: place.file('state'),
    directories,
    lock: { recipient },
    hashes: false,
    isRoot: false,
  }
  await backUp({ ...options, file: place.file('backup') })
})
afterEach(() => place.remove())

const into = (config: string, more: Partial<Parameters<typeof restore>[0]> = {}) =>
  restore({
    file: place.file('backup'),
    unlock: { identity },
    stateDirectory: place.file('state'),
    directories: { config: place.file(config), deploy: place.file('deploy') },
    checkOnly: false,
    now: () => 0,
    ...more,
  })
const hidden = (name: string) => readdirSync(place.file(name)).filter((each) => each.startsWith('.'))

test('both halves are put back, and what was there is kept where its owner has it', async () => {
  for (const name of ['state/a', 'state/tls/own/cert.pem', 'config/gate.toml'])
    writeFileSync(place.file(name), 'changed')
  writeFileSync(place.file('state/tls/ca/issuer.pem'), 'issued anew')
  const { aside, rootAside } = await into('config')
  for (const name of ['state/a', 'state/tls/own/cert.pem', 'config/gate.toml'])
    expect(place.read(name), name).toBe('as it was')
  expect(place.read('state/tls/ca/issuer.pem')).toBe('issued anew')
  expect(rootAside).toBe(join(place.file('deploy'), 'before-restore-1970-01-01T000000.000Z'))
  const kept = [
    join(aside ?? '', 'a'),
    join(aside ?? '', 'tls/own/cert.pem'),
    join(rootAside ?? '', 'config/gate.toml'),
  ]
  for (const file of kept) expect(readFileSync(file, 'utf8'), file).toBe('changed')
  expect([...hidden('state'), ...hidden('deploy')]).toEqual([])
})

test('a restore that fails while it replaces is finished by the next one, and no daemon starts before', async () => {
  writeFileSync(place.file('full'), 'no directory')
  writeFileSync(place.file('state/a'), 'changed')
  await expect(into('full')).rejects.toThrow('full')
  expect(() => refuseHalfRestored(place.file('state'))).toThrow('broken off')
  await expect(into('new', { unlock: { identity: newIdentity().identity } })).rejects.toThrow('another one')
  expect(() => refuseHalfRestored(place.file('state'))).toThrow('broken off')
  await into('new', { now: () => 1 })
  refuseHalfRestored(place.file('state'))
  expect([place.read('state/a'), place.read('new/gate.toml')]).toEqual(['as it was', 'as it was'])
})

test.each(['aside', 'in'])('a plan whose staged files are gone is no end: they are staged again (%s)', async (step) => {
  mkdirSync(place.file('state/before-restore-x'))
  const plan = { step, aside: place.file('state/before-restore-x'), isHalf: false }
  writeFileSync(place.file(`state/${RESTORING}`), JSON.stringify(plan))
  await into('config')
  refuseHalfRestored(place.file('state'))
  expect(place.read('state/a')).toBe('as it was')
})

test('what a state directory says of directories decides nothing, and --check replaces nothing', async () => {
  mkdirSync(place.file('state/.restore-new/config'), { recursive: true })
  mkdirSync(place.file('state/.restore-new/state'))
  writeFileSync(place.file('state/.restore-new/config/planted'), 'x')
  const directories = { config: place.file('new'), deploy: place.file('new') }
  const plan = JSON.stringify({ step: 'in', aside: place.file('state/before-restore-x'), directories })
  writeFileSync(place.file(`state/${RESTORING}`), plan)
  await into('config', { checkOnly: true })
  expect(place.read(`state/${RESTORING}`)).toBe(plan)
  await into('config')
  expect(existsSync(place.file('new/planted'))).toBe(false)
  expect(hidden('state')).toEqual([])
})

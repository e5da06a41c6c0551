import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressList } from '../../../../daemon/admit/address.ts'
import { createPersonProofs } from '../../../../daemon/assembly/proofs.ts'
import type { AuditEntry } from '../../../../daemon/audit/entry.ts'
import { type Access, createAccess } from '../../../../daemon/auth/access.ts'
import { createHasher } from '../../../../daemon/auth/password/hasher.ts'
import { configSchema } from '../../../../schemas/config/config.ts'
import { openAccessStore } from '../../../../store/sqlite/access-store.ts'
import { type Database, openDatabase } from '../../../../store/sqlite/database.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const WHOIS = {
  Node: { Name: 'laptop.tail1234.ts.net.', Tags: [] },
  UserProfile: { ID: 7, LoginName: 'ada@example.org', DisplayName: 'Ada' },
}
const hash = await createHasher().hash('correct horse')

let place: ReturnType<typeof temporaryDirectory>
let database: Database
let access: Access
let server: Server
let noted: string[]
let atMs: number
beforeEach(async () => {
  noted = []
  atMs = 0
  place = temporaryDirectory()
  database = openDatabase(place.file('gate.db'))
  access = createAccess(openAccessStore(database), {
    now: () => 1_000_000,
    steady: () => 1_000,
    rangesOf: addressList,
    log: () => {},
  })
  server = createServer((_, response) => void response.end(JSON.stringify(WHOIS)))
  await new Promise<void>((resolve) => server.listen(place.file('tailscaled.sock'), resolve))
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  database.close()
  place.remove()
})

function proofsOf(given: object) {
  const env = { GATE_TAILSCALE_SOCKET: place.file('tailscaled.sock') }
  const parts = {
    access,
    audit: { record: ({ outcome }: AuditEntry) => void noted.push(outcome) },
    env,
    log: () => {},
    monotonic: () => atMs,
  }
  return createPersonProofs(parts, configSchema.parse(given))
}

describe('a peer with an address of the tailnet', () => {
  const PEER = '100.64.0.9'
  test.each([
    { name: 'is the person whose machine it is', server: {}, proxy: {}, isKnown: true },
    { name: 'is nobody where it is a trusted proxy', server: { trusted_proxies: [PEER] }, proxy: {}, isKnown: false },
    { name: 'is nobody where it signs people in', server: {}, proxy: { from: ['100.64.0.0/24'] }, isKnown: false },
  ])('$name', async ({ server, proxy, isKnown }) => {
    const { proofs } = proofsOf({ server, auth: { proxy, tailscale: { tailnets: ['tail1234.ts.net'] } } })
    const found = await proofs.ambient({ headers: { host: '127.0.0.1' }, socket: {} }, PEER)
    expect(found?.name).toBe(isKnown ? 'ada@example.org' : undefined)
  })
})

test.each([
  { name: 'a wrong password makes no user', password: 'wrong', users: 0 },
  { name: 'the right one makes the administrator', password: 'correct horse', users: 1 },
])('$name', async ({ password, users }) => {
  const { verifyPassword } = proofsOf({ auth: { mode: 'password', password_hash: hash } })
  await verifyPassword('admin', password, '192.0.2.1')
  expect(access.users.list()).toHaveLength(users)
})

describe('while break-glass is on', () => {
  const bootstrap = { user: 'root', password: 'changeme' }
  const on = (user = 'root') =>
    proofsOf({
      auth: { mode: 'password', password_hash: hash, break_glass: true, bootstrap: { ...bootstrap, user } },
    })

  test.each([
    { name: 'of another name', bootstrapUser: 'root' },
    { name: 'of the same name', bootstrapUser: 'admin' },
  ])('ordinary logins $name are neither noted nor counted', async ({ bootstrapUser }) => {
    const { verifyPassword } = on(bootstrapUser)
    for (let n = 0; n < 25; n += 1) expect(await verifyPassword('admin', 'correct horse', '192.0.2.1')).not.toBeNull()
    expect(noted).toEqual([])
    expect(await verifyPassword(bootstrapUser, 'changeme', '192.0.2.1')).not.toBeNull()
    expect(noted).toEqual(['done'])
  })

  test('a flood of guesses at it keeps no one out who has a password of their own', async () => {
    const { verifyPassword, proofs } = on('admin')
    for (let n = 0; n < 25; n += 1)
      expect(() => proofs.basic('admin', 'wrong', `192.0.2.${n}`)).toThrow(/wrong|too many/)
    expect(await verifyPassword('admin', 'correct horse', '198.51.100.1')).not.toBeNull()
  })

  test('its password works with each request, once wrong ones have waited', () => {
    const { proofs } = on()
    for (let n = 0; n < 21; n += 1) expect(() => proofs.basic('root', 'wrong', `192.0.2.${n}`)).toThrow('wrong')
    atMs += 1_000
    for (let n = 0; n < 5; n += 1) expect(proofs.basic('root', 'changeme', '198.51.100.1')?.via).toBe('break-glass')
  })
})

import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { addressList } from '../../../../daemon/admit/address.ts'
import { createPersonProofs } from '../../../../daemon/assembly/proofs.ts'
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
beforeEach(async () => {
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
  const parts = { access, audit: { record: () => {} }, env, log: () => {}, monotonic: () => 0 }
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

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:tls'
import { afterAll, expect, test } from 'vitest'
import { dial } from '../../../../../daemon/relay/client/dial.ts'
import { nodeIdentity } from '../../../../../daemon/relay/client/identity.ts'
import { openNodeKey } from '../../../../../daemon/relay/client/node-key.ts'
import { ALPN } from '../../../../../daemon/relay/protocol.ts'
import { makeIssuer, makeRoot } from '../../../../../pki/ca/authority.ts'
import { issueLeaf } from '../../../../../pki/ca/leaf.ts'
import { makeIdentity } from '../../../../support/identities.ts'
import { portOf } from '../../../../support/relay.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const DAY_MS = 86_400_000
const NAME = 'relay.example.org'
const folder = temporaryDirectory()
afterAll(folder.remove)
const identity = await nodeIdentity(openNodeKey(folder.path))

/** A CA, and a certificate of a relay from it, as they are made at a time. */
async function certified(nowMs: number, name = NAME) {
  const root = await makeRoot('example.org', { domains: ['example.org'], addresses: [] }, nowMs, randomBytes)
  const leaf = await issueLeaf(root, [name], nowMs, randomBytes, DAY_MS)
  const below = await issueLeaf(await makeIssuer(root, nowMs, randomBytes), [name], nowMs, randomBytes, DAY_MS)
  return { ca: root.cert, root, leaf, below }
}
const today = await certified(Date.now())
const past = await certified(Date.now() - 10 * DAY_MS)
const coming = await certified(Date.now() + 10 * DAY_MS)
const another = await certified(Date.now(), 'other.example.org')

/** @returns what the node says of a relay with a certificate; empty: it is believed */
async function flawOf(own: { readonly key: string; readonly cert: string }, ca: string | undefined): Promise<string> {
  const server = createServer({ ...own, ALPNProtocols: [ALPN] }, (socket) => socket.on('error', () => {}))
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = { host: '127.0.0.1', port: portOf(server), servername: NAME, mayBePrivate: true }
  try {
    const socket = await dial(identity, address, { ca, pins: [] }, AbortSignal.timeout(10_000))
    socket.destroy()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    server.close()
  }
}

const PIN = 'set relay.pins to the pin that "gatectl relay status --instance NAME" shows on its host'

test.each([
  { name: 'from the CA that is trusted', own: today.leaf, ca: today.ca, says: '' },
  {
    name: 'of its own',
    own: makeIdentity([NAME]),
    ca: undefined,
    says: `its certificate is signed by its own key: ${PIN}`,
  },
  {
    name: 'from a CA that is not trusted',
    own: today.leaf,
    ca: undefined,
    says: `its certificate is from a CA that is not trusted here: set relay.ca to a file with that CA, or ${PIN}`,
  },
  {
    name: 'from a CA below one that is not trusted',
    own: today.below,
    ca: another.ca,
    says: `its certificate is from a CA that is not trusted here: set relay.ca to a file with that CA, or ${PIN}`,
  },
  {
    name: 'with its CA, which is not trusted',
    own: { ...today.leaf, cert: today.leaf.cert + today.ca },
    ca: undefined,
    says: `its certificate is from a CA that is not trusted here: set relay.ca to a file with that CA, or ${PIN}`,
  },
  {
    name: 'for another name',
    own: another.leaf,
    ca: another.ca,
    says: `its certificate is not for ${NAME}: name it in relay.addresses as its certificate does, or ${PIN}`,
  },
  {
    name: 'that has expired',
    own: past.leaf,
    ca: past.ca,
    says: `its certificate has expired: its operator has to renew it, or ${PIN}`,
  },
  {
    name: 'that is not valid yet',
    own: coming.leaf,
    ca: coming.ca,
    says: 'its certificate is not valid yet: compare the clocks of both hosts',
  },
])('a relay with a certificate $name', async ({ own, ca, says }) => {
  expect(await flawOf(own, ca)).toBe(says)
})

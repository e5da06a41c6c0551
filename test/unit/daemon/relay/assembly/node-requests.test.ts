import { afterAll, expect, test } from 'vitest'
import { answerNodes } from '../../../../../daemon/relay/assembly/node-requests.ts'
import { openFileStore } from '../../../../../daemon/relay/registry/file-store.ts'
import { type NodeKeys, nodeKeys } from '../../../../support/node-keys.ts'
import { testRegistry } from '../../../../support/registry-contract.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const directory = temporaryDirectory()
let made = 0
afterAll(directory.remove)
const never = new AbortController().signal

/** What nodes are answered. @param wantsInvite whether names are given for invites only */
function answering(wantsInvite = false) {
  const clock = { nowMs: 0 }
  const { registry } = testRegistry(openFileStore(directory.file(`${made++}.json`)))
  const answer = answerNodes({
    registry,
    records: { set: async () => ({ result: 'ok' }), remove: async () => ({ result: 'ok' }) },
    wantsInvite: () => wantsInvite,
    now: () => clock.nowMs,
  })
  const from = ({ id, spki, exporter }: NodeKeys, address: string) => ({ nodeId: id, spki, exporter, address })
  return {
    clock,
    release: async (node: NodeKeys, address = '192.0.2.1:1') =>
      (await answer(from(node, address), { type: 'release', id: 1, name: 'none' }, never)).result,
    set: async (node: NodeKeys, address = '192.0.2.1:1') =>
      (await answer(from(node, address), { type: 'txt-set', id: 1, host: 'h', value: 'v' }, never)).result,
    claim: async (node: NodeKeys, name: string, address = '192.0.2.1:1') => {
      const { signature } = node.claim(name)
      return (await answer(from(node, address), { type: 'claim', id: 1, name, signature }, never)).result
    },
  }
}

test('a key may ask 32 times at once and then every six seconds, over all its tunnels', async () => {
  const { clock, release } = answering()
  const [node, other] = [nodeKeys(), nodeKeys()]
  for (let i = 0; i < 32; i++) expect(await release(node, `192.0.2.${i}:1`)).toBe('not-owner')
  expect(await release(node)).toBe('busy')
  expect(await release(other)).toBe('not-owner')
  clock.nowMs += 6_000
  expect(await release(node)).toBe('not-owner')
  expect(await release(node)).toBe('busy')
})

test.each([
  { network: 'an IPv4 /24', addressOf: (i: number) => `192.0.2.${i % 256}:443`, other: '192.0.3.1:443' },
  {
    network: 'an IPv6 /48',
    addressOf: (i: number) => `[2001:db8:1:${i.toString(16)}::1]:443`,
    other: '[2001:db8:2::1]:1',
  },
])('new keys do not help: $network is given so many names', async ({ addressOf, other }) => {
  const { clock, claim } = answering()
  for (let i = 0; i < 32; i++) expect(await claim(nodeKeys(), `name-${i}`, addressOf(i))).toBe('ok')
  expect(await claim(nodeKeys(), 'one-more', addressOf(32))).toBe('busy')
  expect(await claim(nodeKeys(), 'one-more', other)).toBe('ok')
  clock.nowMs += 3_600_000
  expect(await claim(nodeKeys(), 'later', addressOf(33))).toBe('ok')
})

test('new keys do not help: a network sets so many records of challenges', async () => {
  const { clock, set } = answering()
  for (let i = 0; i < 48; i++) expect(await set(nodeKeys(), `192.0.2.${i}:443`)).toBe('ok')
  expect(await set(nodeKeys())).toBe('busy')
  expect(await set(nodeKeys(), '198.51.100.1:443')).toBe('ok')
  clock.nowMs += 60_000
  expect(await set(nodeKeys())).toBe('ok')
})

test('claims that bring nothing new cost the network no name', async () => {
  const { claim } = answering()
  const node = nodeKeys()
  expect(await claim(node, 'mine')).toBe('ok')
  for (let i = 0; i < 31; i++) expect(await claim(node, 'mine')).toBe('ok')
  for (let i = 0; i < 40; i++) expect(await claim(nodeKeys(), 'mine')).toBe('taken')
  expect(await claim(nodeKeys(), 'another')).toBe('ok')
})

test('where names need an invite, that decides, and not the network', async () => {
  const { claim } = answering(true)
  for (let i = 0; i < 40; i++) expect(await claim(nodeKeys(), `name-${i}`)).not.toBe('busy')
})

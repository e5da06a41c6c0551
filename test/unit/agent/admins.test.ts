import { expect, test } from 'vitest'
import { type AccountSources, shellUser } from '../../../agent/admins.ts'
import { AgentRefusal } from '../../../agent/agent-error.ts'

const PASSWD = `root:x:0:0:root:/root:/bin/bash
gate:x:993:993::/:/usr/sbin/nologin
gate-own:x:40000:40000::/:/usr/sbin/nologin
alice:x:1000:1000::/home/alice:/bin/sh
bob:x:1001:1001::/home/bob:/bin/sh
toor:x:1001:1001::/home/bob:/bin/sh
carol:x:1002:990::/home/carol:/bin/sh
broken:x:1003::::
`
const GROUP = 'gate:x:993:\ngate-admin:x:990:alice,toor,gate,dora@example.org\nother:x:1004:eve\n'
/** Of a name service. */
const FAR = ['dora@example.org:*:70000:70000:::', 'eve:*:70001:1004:::', 'frank:*:70002:990:::']

const sources: AccountSources = {
  read: (file) => (file === '/etc/passwd' ? PASSWD : GROUP),
  lookUp: async (uid) => FAR.find((line) => line.split(':')[2] === String(uid)) ?? '',
}
const ask = (uid: number | undefined, more: Partial<AccountSources> = {}, admins = 'gate-admin') =>
  shellUser(uid, { gateway: 'gate', admins }, { ...sources, ...more })

test.each([
  { who: 'root', uid: 0, name: 'root' },
  { who: 'a member', uid: 1000, name: 'alice' },
  { who: 'a member by the other name of its id', uid: 1001, name: 'toor' },
  { who: 'one whose own group it is', uid: 1002, name: 'carol' },
  { who: 'a member that a name service knows', uid: 70_000, name: 'dora@example.org' },
  { who: 'one of a name service whose own group it is', uid: 70_002, name: 'frank' },
])('a shell is for $who', async ({ uid, name }) => {
  expect(await ask(uid)).toBe(name)
})

test.each([
  { who: 'the gateway, though a member', uid: 993, message: 'gate opens no shells, whatever groups it is in' },
  { who: 'a backend', uid: 40_000, message: 'gate-own is not a member of gate-admin in /etc/group' },
  { who: 'a user of a name service who is no member', uid: 70_001, message: 'eve is not a member' },
  { who: 'an id without a user', uid: 4711, message: 'there is no user 4711' },
  { who: 'an account without a group', uid: 1003, message: 'there is no user 1003' },
  { who: 'a peer that the kernel does not name', uid: undefined, message: 'cannot be determined who asks' },
])('a shell is not for $who', async ({ uid, message }) => {
  const refusal = await ask(uid).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(AgentRefusal)
  expect(refusal).toMatchObject({ code: 'PEER_REFUSED', message: expect.stringContaining(message) })
})

test('what cannot be determined is refused', async () => {
  await expect(ask(1000, {}, 'gate-lab-admin')).rejects.toThrow('there is no group gate-lab-admin in /etc/group')
  const withoutGateway = { read: () => PASSWD.replace(/^gate:.*\n/m, '') }
  await expect(ask(1000, withoutGateway)).rejects.toThrow('there is no account gate in /etc/passwd')
})

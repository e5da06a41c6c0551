import { expect, test } from 'vitest'
import { peerUid, uidOf } from '../../../agent/peer.ts'

test.each([
  { name: 'of systemd 257', instance: '0-220-993', uid: 993 },
  { name: 'root', instance: '12-1-0', uid: 0 },
  { name: 'with a cookie of the socket', instance: '3-4711-220-993', uid: 993 },
  { name: 'a peer that the kernel does not name', instance: '3-unknown', uid: undefined },
  { name: 'nothing', instance: '', uid: undefined },
  { name: 'a uid alone', instance: '993', uid: undefined },
  { name: 'a number that is none', instance: '0-220-9x3', uid: undefined },
  { name: 'an address of TCP', instance: '0-127.0.0.1:80-127.0.0.1:993', uid: undefined },
  { name: 'another line behind it', instance: '0-220-993\n0', uid: undefined },
])('the peer of an instance: $name', ({ instance, uid }) => {
  expect(peerUid(instance)).toBe(uid)
})

const PASSWD = 'root:x:0:0:root:/root:/bin/bash\ngate:x:993:993::/:/usr/sbin/nologin\nodd:x:::::\ngate2:x:7:7:::\n'

test.each([
  { account: 'gate', uid: 993 },
  { account: 'gate2', uid: 7 },
  { account: 'gat', uid: undefined },
  { account: 'odd', uid: undefined },
  { account: '', uid: undefined },
])('the id of account "$account"', ({ account, uid }) => {
  expect(uidOf(account, PASSWD)).toBe(uid)
})

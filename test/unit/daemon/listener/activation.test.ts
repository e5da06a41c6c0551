import { expect, test } from 'vitest'
import { takeActivation } from '../../../../daemon/listener/activation.ts'

const none = { gateway: [], https: [], http: [], p2p: [], admin: [], notify: undefined, unknown: [] }

test.each([
  { name: 'no activation', env: {}, expected: none },
  {
    name: 'both sockets and the notify socket',
    env: { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'gateway:admin:notify' },
    expected: { ...none, gateway: [3], admin: [4], notify: 5 },
  },
  {
    name: 'two addresses in one socket unit',
    env: { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'gateway:admin:gateway' },
    expected: { ...none, gateway: [3, 5], admin: [4] },
  },
  {
    name: 'default names: those of the socket units',
    env: { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'gate-daemon-admin.socket:gate-daemon.socket' },
    expected: { ...none, gateway: [4], admin: [3] },
  },
  {
    name: 'the sockets of TLS, by role and by unit',
    env: {
      LISTEN_PID: '7',
      LISTEN_FDS: '4',
      LISTEN_FDNAMES: 'https:http:gate-daemon-http.socket:gate-daemon-https.socket',
    },
    expected: { ...none, https: [3, 6], http: [4, 5] },
  },
  {
    name: 'the sockets of a relay',
    env: { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'https:p2p:admin' },
    expected: { ...none, https: [3], p2p: [4], admin: [5] },
  },
  {
    name: 'no names at all',
    env: { LISTEN_PID: '7', LISTEN_FDS: '1' },
    expected: { ...none, gateway: [3] },
  },
  {
    name: 'a name that means nothing here',
    env: { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'gateway:printer' },
    expected: { ...none, gateway: [3], unknown: ['printer'] },
  },
  {
    name: 'another process was meant',
    env: { LISTEN_PID: '8', LISTEN_FDS: '2', LISTEN_FDNAMES: 'gateway:admin' },
    expected: none,
  },
  { name: 'a count that is no number', env: { LISTEN_PID: '7', LISTEN_FDS: 'two' }, expected: none },
  { name: 'a negative count', env: { LISTEN_PID: '7', LISTEN_FDS: '-1' }, expected: none },
  { name: 'a count beyond reason', env: { LISTEN_PID: '7', LISTEN_FDS: '1000000000' }, expected: none },
])('takes over: $name', ({ env, expected }) => {
  const own: NodeJS.ProcessEnv = { HOME: '/root', ...env }
  expect(takeActivation(own, 7)).toEqual(expected)
  expect(own).toEqual({ HOME: '/root' })
})

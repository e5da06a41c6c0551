import { expect, test } from 'vitest'
import { hstsSecondsOf, ofTls, placesOf } from '../../../../daemon/assembly/listeners.ts'
import { configSchema } from '../../../../schemas/config/config.ts'

const none = { gateway: [], https: [], http: [] }
const gateway = [{ host: '127.0.0.1', port: 8_080 }]
const server = { host: '127.0.0.1', port: 8_080 }

test.each([
  { name: 'no certificates', config: {}, has: false, expected: { ...none, gateway } },
  { name: 'no certificates, though a port', config: { https_port: 8_443 }, has: false, expected: { ...none, gateway } },
  {
    name: 'certificates',
    config: {},
    has: true,
    expected: { gateway, https: [{ host: undefined, port: 443 }], http: [] },
  },
  {
    name: 'certificates, and ports of their own',
    config: { host: '192.0.2.7', https_port: 8_443, http_port: 8_081 },
    has: true,
    expected: { gateway, https: [{ host: '192.0.2.7', port: 8_443 }], http: [{ host: '192.0.2.7', port: 8_081 }] },
  },
  {
    name: 'sockets that were passed, before any port',
    config: { http_port: 8_081 },
    passed: { gateway: [3], https: [4, 6], http: [5] },
    has: true,
    expected: { gateway: [{ fd: 3 }], https: [{ fd: 4 }, { fd: 6 }], http: [{ fd: 5 }] },
  },
])('where is listened with $name', ({ config, has, passed = none, expected }) => {
  expect(placesOf(passed, configSchema.parse({ server, tls: config }), has)).toEqual(expected)
})

const acme = { email: 'admin@example.org', domains: ['ai.example.org'] }
test.each([
  { name: 'as configured', config: { tls: { hsts: '1h' } }, seconds: 3_600 },
  { name: 'not at all', config: { tls: { hsts: '0s' } }, seconds: 0 },
  { name: 'by the staging directory', config: { letsencrypt: { ...acme, enabled: true, staging: true } }, seconds: 0 },
  { name: 'by the real one', config: { letsencrypt: { ...acme, enabled: true } }, seconds: 31_536_000 },
])('browsers insist on HTTPS: $name', ({ config, seconds }) => {
  expect(hstsSecondsOf(configSchema.parse({ server, ...config }))).toBe(seconds)
})

test.each([
  { code: 'EADDRNOTAVAIL', says: 'cannot listen on 203.0.113.9:8443 (EADDRNOTAVAIL): set tls.host' },
  { code: 'EADDRINUSE', says: 'cannot listen on 203.0.113.9:8443 (EADDRINUSE): set tls.https_port' },
])('a port that cannot be had names the key to change: $code', ({ code, says }) => {
  const error = Object.assign(new Error('listen'), { code })
  expect(ofTls(error, 'tls.https_port', { host: '203.0.113.9', port: 8_443 }).message).toBe(says)
})

import { expect, test } from 'vitest'
import { certificateSource } from '../../../config/certificate-source.ts'
import { ConfigError } from '../../../config/problems.ts'
import { configSchema } from '../../../schemas/config/config.ts'
import type { Tree } from '../../../syntax/tree.ts'
import { configPlace } from '../../support/config-place.ts'

const named = { enabled: true, domains: ['ai.example.org'] }
const rfc2136 = { provider: 'rfc2136', server: '192.0.2.53:53', zone: 'example.org', key_name: 'gate' }

function refusalOf(declared: Tree): string {
  try {
    configPlace({ declared }).open()
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

test.each<{ name: string; declared: Tree; says: RegExp }>([
  {
    name: 'ACME without a name',
    declared: { letsencrypt: { enabled: true } },
    says: /letsencrypt.domains names nothing/,
  },
  {
    name: 'a wildcard without DNS',
    declared: { letsencrypt: { enabled: true, domains: ['*.example.org'] } },
    says: /control of "\*\.example\.org" cannot be proven by tls-alpn-01/,
  },
  {
    name: 'an address that no CA is asked for',
    declared: { letsencrypt: { enabled: true, domains: ['ai.example.org', '127.0.0.1'] } },
    says: /letsencrypt\.domains has "127\.0\.0\.1", which is an address/,
  },
  {
    name: 'the name of every host',
    declared: { letsencrypt: { enabled: true, domains: ['localhost'] } },
    says: /"localhost", which every host has/,
  },
  {
    name: 'a wildcard without DNS, at the place that has it',
    declared: { letsencrypt: { enabled: true, domains: ['*.example.org'] } },
    says: /declared\.json: control of/,
  },
  {
    name: 'http-01 without a port',
    declared: { letsencrypt: { ...named, challenge: 'http-01' } },
    says: /tls.http_port is missing; set tls.http_port to 80/,
  },
  {
    name: 'dns-01 without a provider',
    declared: { letsencrypt: { ...named, challenge: 'dns-01' } },
    says: /letsencrypt.dns.provider is missing/,
  },
  {
    name: 'RFC 2136 without all that it needs',
    declared: {
      letsencrypt: { ...named, challenge: 'dns-01', dns: { ...rfc2136, zone: undefined, server: undefined } },
    },
    says: /letsencrypt.dns.server, letsencrypt.dns.zone are missing/,
  },
  {
    name: 'a certificate without its key',
    declared: { tls: { files: { cert: '/etc/gate/cert.pem' } } },
    says: /tls.files.cert is set, and tls.files.key is missing/,
  },
  {
    name: 'a key without its certificate',
    declared: { tls: { files: { key: '/etc/gate/key.pem' } } },
    says: /tls.files.key is set, and tls.files.cert is missing/,
  },
  {
    name: 'an ACME directory that is asked in the clear',
    declared: { tls: { acme: { directory: 'http://ca.example.org/dir' } } },
    says: /tls\.acme\.directory is http:\/\/ca\.example\.org….*; write its https address/,
  },
  { name: 'one port twice', declared: { tls: { http_port: 443 } }, says: /are both 443/ },
  {
    name: 'a gateway for all behind its own HTTPS',
    declared: { auth: { mode: 'none' }, tls: { internal_ca: true } },
    says: /auth.mode is "none" while tls.host is not set/,
  },
  {
    name: 'an origin with a path',
    declared: { server: { external_url: 'https://ai.example.org/gate' } },
    says: /server.external_url is not valid; write scheme, host and port/,
  },
])('refuses $name', ({ declared, says }) => {
  expect(refusalOf(declared)).toMatch(says)
})

test('refuses the key of an external account without its id', () => {
  const env = { GATE_TLS__ACME__EAB_HMAC: 'c2VjcmV0' }
  expect(() => configPlace({ env }).open()).toThrow(/tls\.acme\.eab_hmac is set, and tls\.acme\.eab_kid is missing/)
})

test.each<{ name: string; declared: Tree }>([
  { name: 'ACME by the listener itself, without an address of an account', declared: { letsencrypt: named } },
  { name: 'http-01', declared: { tls: { http_port: 80 }, letsencrypt: { ...named, challenge: 'http-01' } } },
  {
    name: 'a wildcard by RFC 2136',
    declared: { letsencrypt: { enabled: true, domains: ['*.example.org'], challenge: 'dns-01', dns: rfc2136 } },
  },
  { name: 'any free ports', declared: { tls: { internal_ca: true, https_port: 0, http_port: 0 } } },
  {
    name: 'a gateway for all on this host',
    declared: { auth: { mode: 'none' }, tls: { internal_ca: true, host: '127.0.0.1' } },
  },
  {
    name: 'a directory of this host in the clear',
    declared: { tls: { acme: { directory: 'http://127.0.0.1:1/dir' } } },
  },
  {
    name: 'ports without certificates, which the log warns of',
    declared: { tls: { http_port: 80, https_port: 8443 } },
  },
  { name: 'an id of an external account whose key is told later', declared: { tls: { acme: { eab_kid: 'k' } } } },
  { name: 'half of what ACME needs while it is off', declared: { letsencrypt: { challenge: 'dns-01' } } },
])('takes $name', ({ declared }) => {
  expect(refusalOf(declared)).toBe('')
})

test.each([
  { config: {}, source: 'none' },
  { config: { tls: { files: { cert: '/c', key: '/k' }, internal_ca: true } }, source: 'files' },
  { config: { tls: { internal_ca: true } }, source: 'internal-ca' },
  { config: { tls: { files: { cert: '/c', key: '/k' } }, letsencrypt: named }, source: 'acme' },
])('of %j the first way counts: $source', ({ config, source }) => {
  expect(certificateSource(configSchema.parse(config))).toBe(source)
})

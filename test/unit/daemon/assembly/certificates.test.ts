import { expect, test } from 'vitest'
import { openCertificates, settingsOf } from '../../../../daemon/assembly/certificates.ts'
import { configSchema } from '../../../../schemas/config/config.ts'
import type { Log } from '../../../../schemas/words/log.ts'

const domains = ['ai.example.org', 'gate.tail1234.ts.net']
const rfc2136 = {
  provider: 'rfc2136',
  server: '192.0.2.53:53',
  zone: 'example.org',
  key_name: 'gate',
  key_secret: 'c2VjcmV0',
}

test.each([
  { name: 'nothing', config: {}, expected: null },
  {
    name: 'files',
    config: { tls: { files: { cert: '/c.pem', key: '/k.pem' }, internal_ca: true } },
    expected: { files: { cert: '/c.pem', key: '/k.pem' }, internalCa: undefined },
  },
  {
    name: 'the CA of the host: the host of the external URL, and more',
    config: {
      server: { external_url: 'https://ai.lan:8443' },
      tls: { internal_ca: true, names: ['ai.lan', '192.0.2.7'] },
    },
    expected: { internalCa: { names: ['ai.lan', '192.0.2.7'] } },
  },
  {
    name: "Let's Encrypt, with a name of a tailnet",
    config: { letsencrypt: { enabled: true, email: 'a@example.org', domains } },
    expected: {
      acme: { directory: 'https://acme-v02.api.letsencrypt.org/directory', names: ['ai.example.org'], dns: undefined },
      tailscale: { names: ['gate.tail1234.ts.net'] },
    },
  },
  {
    name: 'the staging directory, DNS by Cloudflare',
    config: {
      letsencrypt: {
        enabled: true,
        domains: ['*.example.org'],
        staging: true,
        challenge: 'dns-01',
        dns: { provider: 'cloudflare', api_token: 'token-of-cloudflare' },
      },
    },
    expected: {
      acme: {
        directory: 'https://acme-staging-v02.api.letsencrypt.org/directory',
        dns: { provider: 'cloudflare', api: 'https://api.cloudflare.com/client/v4', token: 'token-of-cloudflare' },
      },
      tailscale: undefined,
    },
  },
  {
    name: 'a CA of its own, DNS by a name server',
    config: {
      tls: { acme: { directory: 'https://ca.example.org/dir', key: 'rsa', eab_kid: 'id', eab_hmac: 'aGVsbG8' } },
      letsencrypt: { enabled: true, domains: ['ai.example.org'], challenge: 'dns-01', dns: rfc2136 },
    },
    expected: {
      acme: {
        directory: 'https://ca.example.org/dir',
        key: 'rsa',
        eab: { kid: 'id', hmac: 'aGVsbG8' },
        dns: {
          provider: 'rfc2136',
          server: '192.0.2.53:53',
          zone: 'example.org',
          key: { name: 'gate', algorithm: 'hmac-sha256', secret: 'c2VjcmV0' },
        },
      },
    },
  },
])('where certificates come from with $name', ({ config, expected }) => {
  const settings = settingsOf(configSchema.parse(config))
  if (expected === null) expect(settings).toBeNull()
  else expect(settings).toMatchObject(expected)
})

test.each([
  { tls: {}, warned: [] },
  {
    tls: { http_port: 80 },
    warned: [expect.stringMatching(/^tls\.http_port has no effect.*: set letsencrypt\.enabled/)],
  },
  { tls: { https_port: 8443, http_port: 80 }, warned: [expect.stringMatching(/^tls\.https_port has no effect/)] },
])('ports of TLS without a certificate, $tls, are warned of', ({ tls, warned }) => {
  const lines: string[] = []
  const config = configSchema.parse({ tls })
  const log: Log = (level, message) => void (level === 'warn' && lines.push(message))
  const alert = () => {}
  const parts = { config: { current: () => config }, log, alert, now: () => 0, monotonic: () => 0, stateDirectory: '/' }
  const relay = { isOn: false, names: () => [], whenNamed: () => {} }
  expect(openCertificates(parts, relay)).toBeNull()
  expect(lines).toEqual(warned)
})

// ACME_DOMAIN, TLS_CERT_PATH, TLS_KEY_PATH, LISTEN_ADDR and EXTERNAL_URL, bare and with GATE_.
import { expect, test } from 'vitest'
import { certificateSource } from '../../../config/certificate-source.ts'
import { ConfigError } from '../../../config/problems.ts'
import type { Tree } from '../../../syntax/tree.ts'
import { configPlace } from '../../support/config-place.ts'

const FILES = { TLS_CERT_PATH: '/config/cert.pem', TLS_KEY_PATH: '/config/key.pem' }

const ROWS: readonly { name: string; env: Record<string, string>; source: string; config: Tree }[] = [
  {
    name: 'an address alone',
    env: { LISTEN_ADDR: '0.0.0.0:8080' },
    source: 'none',
    config: { server: { host: '0.0.0.0', port: 8080 } },
  },
  {
    name: 'a port alone',
    env: { LISTEN_ADDR: ':8080' },
    source: 'none',
    config: { server: { host: '0.0.0.0', port: 8080 } },
  },
  {
    name: 'files',
    env: { ...FILES, LISTEN_ADDR: '0.0.0.0:443', EXTERNAL_URL: 'https://Your-Domain.example.com/' },
    source: 'files',
    config: {
      server: { host: '127.0.0.1', port: 3000, external_url: 'https://your-domain.example.com' },
      tls: { host: '0.0.0.0', https_port: 443, files: { cert: '/config/cert.pem', key: '/config/key.pem' } },
    },
  },
  {
    name: 'ACME before files',
    env: {
      ...FILES,
      ACME_DOMAIN: 'ai.example.org, www.example.org',
      LISTEN_ADDR: '[::]:8443',
      GATE_LETSENCRYPT__EMAIL: 'admin@example.com',
    },
    source: 'acme',
    config: {
      letsencrypt: { enabled: true, domains: ['ai.example.org', 'www.example.org'], email: 'admin@example.com' },
      tls: { host: '[::]', https_port: 8443 },
    },
  },
  {
    name: 'an address for the CA of the host',
    env: { GATE_TLS__INTERNAL_CA: 'true', LISTEN_ADDR: '127.0.0.1:8443' },
    source: 'internal-ca',
    config: { tls: { host: '127.0.0.1', https_port: 8443 }, server: { port: 3000 } },
  },
  {
    name: 'the way in when nobody can sign in',
    env: { BREAK_GLASS: 'true', BOOTSTRAP_USER: 'admin', BOOTSTRAP_PASSWORD: 'changeme' },
    source: 'none',
    config: { auth: { mode: 'token', break_glass: true, bootstrap: { user: 'admin', password: 'changeme' } } },
  },
  {
    name: 'the same, switched off',
    env: { BREAK_GLASS: 'FALSE', BOOTSTRAP_USER: 'root', BOOTSTRAP_PASSWORD: 'changeme' },
    source: 'none',
    config: { auth: { break_glass: false, bootstrap: { user: 'root' } } },
  },
]

test.each(
  ROWS.flatMap((row) => [
    { ...row, prefix: '' },
    { ...row, prefix: 'GATE_' },
  ]),
)('takes $name, with "$prefix" before', ({ env, prefix, source, config }) => {
  const named = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name.startsWith('GATE_') ? name : prefix + name, value]),
  )
  const current = configPlace({ env: named }).open().current()
  expect(current).toMatchObject(config)
  expect(certificateSource(current)).toBe(source)
})

test('explain names the variable', () => {
  const config = configPlace({
    env: { ACME_DOMAIN: 'ai.example.org', GATE_EXTERNAL_URL: 'https://ai.example.org' },
  }).open()
  expect(config.explain('letsencrypt.domains')).toMatchObject({ winner: 'env' })
  expect(config.explain('letsencrypt.domains').layers[0]).toMatchObject({ layer: 'env', source: 'ACME_DOMAIN' })
  expect(config.explain('letsencrypt.enabled').layers[0]).toMatchObject({ value: true, source: 'ACME_DOMAIN' })
  expect(config.explain('server.external_url').layers[0]).toMatchObject({ source: 'GATE_EXTERNAL_URL' })
})

test('they win over config.toml, as every variable does, and an empty one says nothing', () => {
  const runtime = '[server]\nexternal_url = "https://old.example.org"\n'
  const at = (url: string) =>
    configPlace({ runtime, env: { EXTERNAL_URL: url } })
      .open()
      .current().server.external_url
  expect(at('https://new.example.org')).toBe('https://new.example.org')
  expect(at('')).toBe('https://old.example.org')
})

test.each([
  {
    name: 'two that differ',
    env: { EXTERNAL_URL: 'https://a.example.org', GATE_EXTERNAL_URL: 'https://b.example.org' },
    says: 'GATE_EXTERNAL_URL: server.external_url is also set by EXTERNAL_URL; keep only one of them',
  },
  {
    name: 'one that differs from the variable of the key',
    env: { LISTEN_ADDR: '0.0.0.0:8080', GATE_SERVER__PORT: '3000' },
    says: 'LISTEN_ADDR: server.port is also set by GATE_SERVER__PORT; keep only one of them',
  },
  {
    name: 'a certificate without its key',
    env: { TLS_CERT_PATH: '/config/cert.pem' },
    says: 'TLS_CERT_PATH: tls.files.cert is set, and tls.files.key is missing; set tls.files.key',
  },
  {
    name: 'break-glass without a password',
    env: { BREAK_GLASS: 'true', BOOTSTRAP_USER: 'admin', BOOTSTRAP_PASSWORD: '' },
    says: 'BREAK_GLASS: auth.break_glass is true, and auth.bootstrap.password is missing; set BOOTSTRAP_PASSWORD, at least 8 characters, or remove BREAK_GLASS',
  },
  {
    name: 'break-glass with a short password',
    env: { BREAK_GLASS: 'true', GATE_BOOTSTRAP_PASSWORD: 'change' },
    says: 'GATE_BOOTSTRAP_PASSWORD: auth.bootstrap.password is not valid; use at least 8 characters',
  },
  {
    name: 'break-glass neither on nor off',
    env: { BREAK_GLASS: 'yes' },
    says: 'BREAK_GLASS: is not a boolean; write true or false',
  },
  {
    name: 'an address without a port',
    env: { GATE_LISTEN_ADDR: '0.0.0.0' },
    says: 'GATE_LISTEN_ADDR: is not an address; write host:port, such as "0.0.0.0:443"',
  },
  {
    name: 'a name that is none',
    env: { ACME_DOMAIN: 'https://ai.example.org' },
    says: 'ACME_DOMAIN: letsencrypt.domains.0 is not valid; write a lower-case host name such as "ai.example.org"',
  },
])('says what is wrong with $name', ({ env, says }) => {
  const open = () => configPlace({ env }).open()
  expect(open).toThrow(ConfigError)
  expect(open).toThrow(says)
})

test('two that say the same are one', () => {
  const env = { LISTEN_ADDR: '0.0.0.0:3000', GATE_LISTEN_ADDR: '0.0.0.0:3000', GATE_SERVER__HOST: '0.0.0.0' }
  expect(configPlace({ env }).open().current().server).toMatchObject({ host: '0.0.0.0', port: 3000 })
})

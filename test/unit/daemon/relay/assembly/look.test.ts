import { afterAll, expect, test } from 'vitest'
import { waitingKeys } from '../../../../../config/relay/load.ts'
import { lookAtConfiguration } from '../../../../../daemon/relay/assembly/look.ts'
import { relayConfigSchema } from '../../../../../schemas/relay-config.ts'
import { makeIdentity } from '../../../../support/identities.ts'
import { temporaryDirectory } from '../../../../support/temporary-directory.ts'

const directory = temporaryDirectory()
afterAll(directory.remove)
const [own, other] = [makeIdentity(['relay.example.org']), makeIdentity(['relay.example.org'])]
const CERT = written('cert.pem', own.cert)
const KEY = written('key.pem', own.key)
const OTHER_KEY = written('other.pem', other.key)
const NO_PEM = written('none.pem', 'none')
const NOT_THERE = directory.file('not-there.pem')

function written(name: string, text: string): string {
  directory.write(name, text)
  return directory.file(name)
}

async function check(env: Readonly<Record<string, string>>, as: 'check' | 'text' = 'check'): Promise<string> {
  const options = {
    env,
    stdout: process.stdout,
    instance: 'default',
    stateDirectory: directory.path,
    runtimeFile: undefined,
    declaredFile: NOT_THERE,
  }
  return await lookAtConfiguration(options, as).catch((error) => error.message)
}

const RIGHT = 'the configuration of relay default is right\n'
const ETCD = { RELAY__REGISTRY__KIND: 'etcd', RELAY__REGISTRY__ENDPOINTS: '["https://10.0.0.1:2379"]' }
const ACME = { RELAY__DOMAIN_SUFFIX: 'example.org', RELAY__TLS__ACME__ENABLED: 'true' }

test.each<{ name: string; env: Readonly<Record<string, string>>; says: string }>([
  { name: 'nothing', env: {}, says: RIGHT },
  {
    name: 'one port for visitors and nodes',
    env: { RELAY__HTTPS_PORT: '9443', RELAY__P2P_PORT: '9443' },
    says: 'RELAY__P2P_PORT: p2p_port is the port of https_port too; write another port',
  },
  {
    name: 'one port for visitors and metrics',
    env: { RELAY__METRICS_PORT: '443' },
    says: 'RELAY__METRICS_PORT: metrics_port is the port of https_port too; write another port',
  },
  {
    name: 'one port for nodes and metrics',
    env: { RELAY__METRICS_PORT: '31145', RELAY__BIND_ADDRESS: '127.0.0.1' },
    says: 'RELAY__METRICS_PORT: metrics_port is the port of p2p_port too; write another port',
  },
  {
    name: 'one port for visitors and metrics, at different addresses',
    env: { RELAY__METRICS_PORT: '443', RELAY__BIND_ADDRESS: '203.0.113.7' },
    says: RIGHT,
  },
  {
    name: 'a variable with one underscore too few',
    env: { RELAY_HTTPS_PORT: '8443' },
    says: 'RELAY_HTTPS_PORT: is not a configuration key: levels are separated by two underscores; did you mean RELAY__HTTPS_PORT?',
  },
  {
    name: 'a variable of a table with one underscore too few',
    env: { RELAY__TLS_CERT_FILE: CERT, RELAY_TLS__KEY_FILE: KEY },
    says: [
      'RELAY_TLS__KEY_FILE: is not a configuration key: levels are separated by two underscores; did you mean RELAY__TLS__KEY_FILE?',
      'RELAY__TLS_CERT_FILE: is not a configuration key; did you mean RELAY__TLS__CERT_FILE?',
    ].join('\n'),
  },
  {
    name: 'variables of others',
    env: { RELAY_INSTANCE: 'default', RELAY_PORT_443_TCP: 'tcp://10.0.0.1:443' },
    says: RIGHT,
  },
  {
    name: 'any free ports',
    env: { RELAY__HTTPS_PORT: '0', RELAY__P2P_PORT: '0', RELAY__METRICS_PORT: '0' },
    says: RIGHT,
  },
  { name: 'a certificate', env: { RELAY__TLS__CERT_FILE: CERT, RELAY__TLS__KEY_FILE: KEY }, says: RIGHT },
  {
    name: 'a certificate that is not there',
    env: { RELAY__TLS__CERT_FILE: NOT_THERE, RELAY__TLS__KEY_FILE: KEY },
    says: `RELAY__TLS__CERT_FILE: tls.cert_file: there is no file ${NOT_THERE} (ENOENT)`,
  },
  {
    name: 'a key that is not there',
    env: { RELAY__TLS__CERT_FILE: CERT, RELAY__TLS__KEY_FILE: NOT_THERE },
    says: `RELAY__TLS__KEY_FILE: tls.key_file: there is no file ${NOT_THERE} (ENOENT)`,
  },
  {
    name: 'a certificate with the key of another',
    env: { RELAY__TLS__CERT_FILE: CERT, RELAY__TLS__KEY_FILE: OTHER_KEY },
    says: `RELAY__TLS__CERT_FILE: tls.cert_file: ${OTHER_KEY} is not the private key of ${CERT}`,
  },
  {
    name: 'a CA of ACME that is no PEM',
    env: { ...ACME, RELAY__TLS__ACME__CA_FILE: NO_PEM },
    says: `RELAY__TLS__ACME__CA_FILE: tls.acme.ca_file: ${NO_PEM} has no certificate in PEM`,
  },
  {
    name: 'a CA of etcd that is not there',
    env: { ...ETCD, RELAY__REGISTRY__CA_FILE: NOT_THERE },
    says: `RELAY__REGISTRY__CA_FILE: registry.ca_file: there is no file ${NOT_THERE} (ENOENT)`,
  },
  {
    name: 'a key for etcd that is not there',
    env: { ...ETCD, RELAY__REGISTRY__CERT_FILE: CERT, RELAY__REGISTRY__KEY_FILE: NOT_THERE },
    says: `RELAY__REGISTRY__KEY_FILE: registry.key_file: there is no file ${NOT_THERE} (ENOENT)`,
  },
  {
    name: 'Cloudflare without a token',
    env: { RELAY__DNS__PROVIDER: 'cloudflare' },
    says: 'RELAY__DNS__PROVIDER: dns.cloudflare.api_token is missing, which dns.provider = "cloudflare" needs',
  },
  {
    name: 'Cloudflare with a token',
    env: { RELAY__DNS__PROVIDER: 'cloudflare', RELAY__DNS__CLOUDFLARE__API_TOKEN: 'secret-token' },
    says: RIGHT,
  },
  {
    name: 'a name server without the TSIG key',
    env: {
      RELAY__DNS__PROVIDER: 'rfc2136',
      RELAY__DNS__RFC2136__SERVER: '127.0.0.1:53',
      RELAY__DNS__RFC2136__KEY_NAME: 'key',
    },
    says: 'RELAY__DNS__PROVIDER: dns.rfc2136.secret is missing, which dns.provider = "rfc2136" needs',
  },
])('--check of a relay with $name', async ({ env, says }) => {
  expect(await check(env)).toBe(says)
})

test('--explain says which domain a relay has that is given none', async () => {
  expect(await check({}, 'text')).toMatch(/^domain_suffix = \(not set: gate\.internal\)$/m)
})

test.each([
  { name: 'a port', next: { https_port: 8443 }, waiting: ['https_port'] },
  {
    name: 'the domain and the log',
    next: { domain_suffix: 'example.org', log_level: 'warn' },
    waiting: ['domain_suffix'],
  },
  {
    name: 'the endpoints of etcd',
    next: { registry: { endpoints: ['https://a:1'] } },
    waiting: ['registry.endpoints'],
  },
  { name: 'a limit', next: { limits: { visitors: 7 } }, waiting: [] },
])('$name that has changed waits for a restart: $waiting', ({ next, waiting }) => {
  expect(waitingKeys(relayConfigSchema.parse({}), relayConfigSchema.parse(next))).toEqual(waiting)
})

test('--check says all that is wrong at once', async () => {
  const files = { RELAY__TLS__CERT_FILE: NOT_THERE, RELAY__TLS__KEY_FILE: NOT_THERE }
  const said = await check({ ...files, RELAY__DNS__PROVIDER: 'cloudflare' })
  expect(said.split('\n')).toHaveLength(3)
})

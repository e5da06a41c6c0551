import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import { isLoopback } from '../../schemas/words/address.ts'
import type { Finding } from '../diagnostic.ts'

const TLS: SpecPath = ['gate', 'tls']
const ACME: SpecPath = [...TLS, 'acme']

/** The keys of gate.tls make sense together, and have somebody who heeds them. */
export function checkTls(spec: Spec): Finding[] {
  return [...checkNamed(spec), ...checkChallenge(spec), ...checkAccounts(spec), ...checkPlainPort(spec)]
}

/** The internal CA signs for names that the spec says, and for nothing else. */
function checkNamed({ gate }: Spec): Finding[] {
  const { acme, files, internal_ca, names } = gate.tls
  if (!internal_ca || acme !== undefined || files !== undefined) return []
  if (gate.domain !== undefined || names.length > 0 || gate.server.external_url !== undefined) return []
  const message = 'the internal CA has no name to certify'
  const hint = 'write gate.domain, or gate.tls.names = ["192.0.2.7"]'
  return [{ code: 'MISSING_KEY', path: [...TLS, 'internal_ca'], message, hint }]
}

type Acme = NonNullable<Spec['gate']['tls']['acme']>

function checkChallenge({ gate, proxy }: Spec): Finding[] {
  const { acme, http_port } = gate.tls
  if (acme === undefined) return []
  const { challenge, domains, dns } = acme
  const wildcard = domains.findIndex((name) => name.startsWith('*.'))
  const findings: Finding[] = []
  if (wildcard !== -1 && challenge !== 'dns-01')
    findings.push({
      code: 'INVALID_VALUE',
      path: [...ACME, 'domains', wildcard],
      message: `control of "${domains[wildcard]}" cannot be proven by ${challenge}`,
      hint: 'write challenge = "dns-01", or the names one by one',
    })
  if (proxy.engine !== 'none') return findings
  if (challenge === 'http-01' && http_port === 'off')
    findings.push({
      code: 'INVALID_VALUE',
      path: [...TLS, 'http_port'],
      message: 'the CA asks on port 80 for what challenge = "http-01" proves',
      hint: 'remove it, or use another challenge',
    })
  if (challenge === 'dns-01' && dns === undefined)
    findings.push({
      code: 'MISSING_KEY',
      path: ACME,
      part: 'key',
      message: 'challenge = "dns-01" needs to know who changes the zone',
      hint: 'add dns = { provider = "cloudflare", api_token = { credential = "dns" } }',
    })
  return [...findings, ...(challenge === 'dns-01' && dns !== undefined ? missingKeys(dns) : [])]
}

const NEEDED = { cloudflare: ['api_token'], rfc2136: ['server', 'zone', 'key_name', 'key_secret'] } as const

function missingKeys(dns: NonNullable<Acme['dns']>): Finding[] {
  const needed: readonly (keyof typeof dns)[] = NEEDED[dns.provider]
  return needed
    .filter((key) => dns[key] === undefined)
    .map((key) => {
      const finding = { code: 'MISSING_KEY', path: [...ACME, 'dns'], part: 'key' } as const
      const message = `provider "${dns.provider}" needs ${key}`
      return key === 'api_token' || key === 'key_secret'
        ? { ...finding, severity: 'warning', message, hint: `write ${key} = { credential = "dns" }` }
        : { ...finding, message, hint: `write ${key}` }
    })
}

/** A secret may come in another way than by the spec, so that it is missed with a warning. */
function checkAccounts({ gate }: Spec): Finding[] {
  const { eab_kid, eab_hmac } = gate.tls.acme ?? {}
  if ((eab_kid === undefined) === (eab_hmac === undefined)) return []
  const missing = eab_kid === undefined ? 'eab_kid' : 'eab_hmac'
  const message = `an external account has a key id and a key, and ${missing} is missing`
  const severity = missing === 'eab_kid' ? 'error' : 'warning'
  const hint = `write ${missing}, or remove the other`
  return [{ code: 'MISSING_KEY', severity, path: ACME, part: 'key', message, hint }]
}

/** Beside its own HTTPS, the gateway still answers HTTP at server.host. */
function checkPlainPort({ gate, proxy }: Spec): Finding[] {
  const { tls, server, auth } = gate
  if (proxy.engine !== 'none' || !hasCertificates(tls)) return []
  const findings: Finding[] = []
  if (!isLoopback(server.host))
    findings.push({
      code: 'PUBLIC_WITHOUT_TLS',
      severity: 'warning',
      path: ['gate', 'server', 'host'],
      message: `keys cross the network unencrypted on ${server.host}, beside HTTPS on port ${tls.https_port}`,
      hint: 'remove it, or write gate.tls.host for the address of HTTPS',
    })
  if ([auth.mode].flat().includes('none') && (tls.host === undefined || !isLoopback(tls.host)))
    findings.push({
      code: 'OPEN_WITHOUT_AUTH',
      path: ['gate', 'auth', 'mode'],
      message: `without authentication, any client that can reach port ${tls.https_port} may use the gateway`,
      hint: 'write gate.tls.host = "127.0.0.1", or use "token"',
    })
  return findings
}

export const hasCertificates = ({ acme, files, internal_ca }: Spec['gate']['tls']): boolean =>
  acme !== undefined || files !== undefined || internal_ca

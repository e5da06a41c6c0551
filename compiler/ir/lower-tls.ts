import { durationMs } from '../../schemas/config/values.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import { canonicalHost, hostPort } from '../../schemas/words/address.ts'
import type { Gateway } from './nodes/gateway.ts'
import type { Secret } from './nodes/host.ts'
import type { Tls, TlsServing } from './nodes/tls.ts'

/** The first way to certificates that is set. */
export function lowerTls({ acme, files, internal_ca }: Spec['gate']['tls']): Tls {
  if (acme !== undefined) return { kind: 'acme', ...acme }
  if (files !== undefined) return { kind: 'files', ...files }
  return internal_ca ? { kind: 'internal-ca' } : { kind: 'none' }
}

/** How the daemon serves TLS where no proxy does it; undefined: it serves plain HTTP. */
export function lowerTlsServing({ gate, proxy }: Spec): TlsServing | undefined {
  const { acme, files, internal_ca, host, https_port, http_port, names, hsts, alarm_webhook, ...rest } = gate.tls
  rest satisfies Record<string, never>
  if (lowerTls(gate.tls).kind === 'none') return undefined
  const own = gate.domain === undefined ? [] : [gate.domain, ...proxy.aliases.map((label) => `${label}.${gate.domain}`)]
  return {
    host: host === undefined ? undefined : canonicalHost(host),
    httpsPort: https_port,
    httpPort: http_port === 'off' ? undefined : http_port,
    names: [...new Set([...own, ...names])],
    hstsMs: durationMs(hsts),
    acme,
    files,
    internalCa: internal_ca,
    webhook: alarm_webhook,
  }
}

/** What the spec says, or what follows from domain, TLS and ports; undefined: clients use addresses. */
export function lowerExternalUrl({ gate, proxy }: Spec): string | undefined {
  const { server, domain, tls } = gate
  if (server.external_url !== undefined || domain === undefined) return server.external_url
  const hasTls = lowerTls(tls).kind !== 'none'
  if (proxy.engine === 'none') return hasTls ? originOf('https', domain, tls.https_port) : undefined
  return hasTls ? originOf('https', domain, proxy.https_port) : originOf('http', domain, proxy.http_port)
}

function originOf(scheme: 'http' | 'https', host: string, port: number): string {
  const isUsual = port === (scheme === 'https' ? 443 : 80)
  return `${scheme}://${isUsual ? host : hostPort(host, port)}`
}

/** Secrets of the daemon that TLS needs; a credential is named like the configuration key that it fills. */
export function tlsSecrets({ tlsServing }: Pick<Gateway, 'tlsServing'>): Secret[] {
  const { acme, webhook } = tlsServing ?? {}
  const secrets = [
    { at: ['alarm_webhook'], credential: 'tls.alarm_webhook', source: webhook },
    { at: ['acme', 'eab_hmac'], credential: 'tls.acme.eab_hmac', source: acme?.eab_hmac },
    { at: ['acme', 'dns', 'api_token'], credential: 'letsencrypt.dns.api_token', source: acme?.dns?.api_token },
    { at: ['acme', 'dns', 'key_secret'], credential: 'letsencrypt.dns.key_secret', source: acme?.dns?.key_secret },
  ]
  return secrets.flatMap(({ at, credential, source }) => {
    if (source === undefined) return []
    const origin = ['gate', 'tls', ...at]
    return [{ origin, name: origin.join('.'), source, destination: { kind: 'daemon', credential } }]
  })
}

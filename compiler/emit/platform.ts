import type { Finding } from '../diagnostic.ts'
import type { Deployment } from '../ir/deployment.ts'
import { tlsSecrets } from '../ir/lower-tls.ts'
import type { Gateway } from '../ir/nodes/gateway.ts'
import { notExpressed } from './not-expressed.ts'

/** The deployment as a hosting platform runs it: the platform ends TLS, the gateway speaks plain HTTP behind it. */
export function platformTls(deployment: Deployment): Deployment {
  const { gateway, domain } = deployment
  const { server } = deployment.written.gate ?? {}
  const externalUrl = server?.external_url ?? (domain === undefined ? undefined : `https://${domain}`)
  return withTls(deployment, { ...gateway, tls: { kind: 'none' }, tlsServing: undefined, externalUrl })
}

/** The deployment where no proxy runs: the gateway ends TLS itself. */
export function withoutProxy(deployment: Deployment): Deployment {
  const { proxy, gateway } = deployment
  const trustedProxies = gateway.outerProxies
  const own = { ...gateway, trustedProxies, tlsServing: gateway.tlsWithoutProxy }
  return withTls({ ...deployment, proxy: { ...proxy, engine: 'none' } }, own)
}

/** The deployment with another gateway, and the secrets that its TLS needs. */
function withTls(deployment: Deployment, gateway: Gateway): Deployment {
  const others = deployment.secrets.filter(({ origin }) => !(origin[0] === 'gate' && origin[1] === 'tls'))
  return { ...deployment, gateway, secrets: [...others, ...tlsSecrets(gateway)] }
}

/** The CA of a host is made by `gatectl apply`, which other targets are without. */
export function withoutCa({ gateway: { tlsServing, tls } }: Deployment, target: string): Finding[] {
  if (tlsServing === undefined || tls.kind !== 'internal-ca') return []
  const message = `the target ${target} has no CA of the host, which gatectl apply makes`
  const hint =
    'write gate.tls.files with a certificate from "gatectl ca issue" on a host that has one, or gate.tls.acme'
  return [{ code: 'NOT_EXPRESSIBLE', path: ['gate', 'tls', 'internal_ca'], message, hint }]
}

/** What of the spec's way into the gateway has no effect behind a platform's own. */
export function tlsFindings({ gateway, proxy, dns }: Deployment, target: string): Finding[] {
  const findings: Finding[] = []
  if (gateway.tls.kind !== 'none')
    findings.push(notExpressed(['gate', 'tls'], `${target} ends TLS with its own certificates`, 'remove [gate.tls]'))
  if (proxy.engine !== 'none')
    findings.push(notExpressed(['proxy', 'engine'], `${target} has its own proxy`, 'remove [proxy]'))
  if (dns !== undefined)
    findings.push(notExpressed(['dns', 'engine'], `${target} serves none of your names`, 'remove [dns]'))
  if (gateway.allowFrom.length > 0 && gateway.trustedProxies.length === 0) {
    const message = `all requests reach the gateway from the proxy of ${target}, so allow_from refuses or admits all of them`
    const hint = 'name the addresses of that proxy in gate.server.trusted_proxies'
    findings.push(notExpressed(['gate', 'server', 'allow_from'], message, hint))
  }
  return findings
}

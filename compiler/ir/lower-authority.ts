import { isIP } from 'node:net'
import type { Spec } from '../../schemas/spec/spec.ts'
import type { GatewayNames } from './names.ts'
import type { AuthorityNode } from './nodes/authority.ts'
import type { Gateway } from './nodes/gateway.ts'
import type { Directory } from './nodes/host.ts'
import type { Vhost } from './nodes/web.ts'

/** Undefined: certificates come from elsewhere, or there is no name to certify. */
export function lowerAuthority(
  { gate, proxy }: Spec,
  { tls, tlsServing, externalUrl }: Gateway,
  vhosts: readonly Vhost[],
): AuthorityNode | undefined {
  if (tls.kind !== 'internal-ca') return undefined
  const hasProxy = proxy.engine !== 'none'
  const served = hasProxy ? vhosts.map(({ host }) => host) : (tlsServing?.names ?? [])
  const asked = [...(gate.domain === undefined ? [] : [gate.domain]), ...served, ...hostOf(externalUrl)]
  const names = [...new Set(asked.map((name) => name.toLowerCase().replace(/^\*\./, '')))]
  const [label] = names
  if (label === undefined) return undefined
  return {
    origin: ['gate', 'tls', 'internal_ca'],
    label: label.slice(0, LABEL_MAX),
    permitted: {
      domains: topmost(names.filter((name) => isIP(name) === 0)),
      addresses: names.filter((name) => isIP(name) > 0),
    },
    proxyNames: hasProxy ? [...new Set(served)] : undefined,
  }
}

/** Of a common name, which has 64 characters, beside what makes it unique. */
const LABEL_MAX = 40

function hostOf(url: string | undefined): string[] {
  const host = url === undefined ? '' : (URL.parse(url)?.hostname ?? '')
  return host === '' ? [] : [host.replace(/^\[(.*)\]$/, '$1')]
}

/** Without those below another one. */
function topmost(names: readonly string[]): string[] {
  return names.filter((name) => !names.some((other) => name.endsWith(`.${other}`)))
}

/**
 * Directories that the CA writes to. The one of the daemon is root's, in a directory in which the daemon makes its own:
 * it can put nothing in the place of what root writes.
 */
export function authorityDirectories(authority: AuthorityNode | undefined, names: GatewayNames): Directory[] {
  if (authority === undefined) return []
  const { origin, proxyNames } = authority
  const root = { origin, user: 'root', group: 'root' }
  const daemon = { origin, user: 'root', group: names.user }
  return [
    { ...root, path: names.caDirectory, mode: 0o700 },
    { ...root, path: names.certificatesDirectory, mode: 0o755 },
    ...(proxyNames === undefined
      ? [
          { ...daemon, path: names.tlsDirectory, mode: 0o1771 },
          { ...daemon, path: names.issuerDirectory, mode: 0o750 },
        ]
      : []),
  ]
}

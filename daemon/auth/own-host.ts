import { isIP } from 'node:net'
import { isLoopback, parseHostPort } from '../../schemas/words/address.ts'

/** Names that are a gateway's own. */
export type OwnNames = {
  /** The host of `server.external_url`; undefined: there is none. */
  readonly externalHost: string | undefined
  /** `server.allowed_hosts`, canonical. */
  readonly allowed: ReadonlySet<string>
  /** `auth.tailscale.tailnets` */
  readonly tailnets: readonly string[]
}

/**
 * Whether a request asks for a host that no other site can have: an address, this host, or a name of the gateway's own. A
 * page of another site can have its own name lead here (DNS rebinding), and a browser takes it for a page of Gate's.
 * @param header Host
 */
export function isOwnHost(header: string | undefined, { externalHost, allowed, tailnets }: OwnNames): boolean {
  const { host } = parseHostPort(header ?? '')
  if (isIP(host.replace(/^\[|\]$/g, '')) !== 0 || isLoopback(host)) return true
  return host === externalHost || allowed.has(host) || tailnets.some((tailnet) => host.endsWith(`.${tailnet}`))
}

import { parseHostPort } from '../../../schemas/words/address.ts'

export type NameSettings = {
  /** Relays as `host:port`. */
  readonly addresses: readonly string[]
  /** Domain of the relays; undefined: what follows `relay.` in their addresses. */
  readonly domain: string | undefined
  /** Label below the relay's domain. */
  readonly customDomain: string | undefined
  /** Host names elsewhere. */
  readonly hosts: readonly string[]
}

/** What a relay calls itself below its domain. */
const RELAY_LABEL = 'relay.'

/**
 * The host names that can be this node's, whatever relays say: that of its key and the label that is asked for, below
 * the domains of the configured relays, and the configured names elsewhere.
 */
export function ownNames(nodeId: string, settings: NameSettings): ReadonlySet<string> {
  const { customDomain, hosts } = settings
  const labels = [nodeId, ...(customDomain === undefined ? [] : [customDomain])]
  return new Set([...domainsOf(settings).flatMap((domain) => labels.map((label) => `${label}.${domain}`)), ...hosts])
}

/** Domains of the configured relays; none where addresses say none and `relay.domain` is not set. */
export function domainsOf({ addresses, domain }: Pick<NameSettings, 'addresses' | 'domain'>): readonly string[] {
  if (domain !== undefined) return [domain]
  const hosts = addresses.map((address) => parseHostPort(address).host)
  return hosts.flatMap((host) => (host.startsWith(RELAY_LABEL) ? [host.slice(RELAY_LABEL.length)] : []))
}

import { lookup, Resolver } from 'node:dns/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from '../../../system/error-code.ts'
import type { DnsView } from '../challenges/dns.ts'

/** Aliases in a row. */
const MAX_ALIASES = 8
/** For one question to one server. */
const QUERY = { timeout: 3_000, tries: 2 } as const
const FIRST_LOOK_MS = 250
const LAST_LOOK_MS = 5_000
/** How long the servers of a zone may take to agree. */
const VISIBLE_DEADLINE_MS = 180_000
/** A name server that is asked, of those that a zone has. */
const MAX_SERVERS = 8

/**
 * Asks the DNS, to tell the CA only what its servers will see.
 * @param resolvers addresses, with ports where they are not 53, that know the zone's name servers; empty: the system's
 * @param primary `host:port` of a server that has the record first
 */
export function dnsView(resolvers: readonly string[], primary: string | undefined): DnsView {
  const resolver = new Resolver(QUERY)
  if (resolvers.length > 0) resolver.setServers([...resolvers])

  return {
    async target(name) {
      let at = name
      for (let aliases = 0; aliases < MAX_ALIASES; aliases++) {
        const [next] = await resolver.resolveCname(at).catch((): string[] => [])
        if (next === undefined) return at
        at = next.toLowerCase().replace(/\.$/, '')
      }
      throw new Error(`${name}: more than ${MAX_ALIASES} CNAMEs in a row`)
    },

    async visible(name, value, signal) {
      const servers = [
        ...(primary === undefined ? [] : [await addressOf(primary)]),
        ...(await authorities(resolver, name)),
      ]
      const deadline = AbortSignal.timeout(VISIBLE_DEADLINE_MS)
      for (const server of new Set(servers)) await seenAt(server, name, value, deadline, signal)
    },
  }
}

/** As `setServers` takes it. @throws Error for a host without address */
async function addressOf(server: string): Promise<string> {
  const { hostname, port } = new URL(`dns://${server}`)
  const { address, family } = await lookup(hostname.replace(/^\[|\]$/g, ''))
  const host = family === 6 ? `[${address}]` : address
  return port === '' ? host : `${host}:${port}`
}

/** Addresses of the name servers of the zone that a name is in; empty where that cannot be found out. */
async function authorities(resolver: Resolver, name: string): Promise<readonly string[]> {
  const labels = name.split('.')
  for (let from = 1; from < labels.length - 1; from++) {
    const names = await resolver.resolveNs(labels.slice(from).join('.')).catch((): string[] => [])
    if (names.length === 0) continue
    const addresses = names.slice(0, MAX_SERVERS).map(async (server) => {
      const [address] = await resolver.resolve4(server).catch(() => resolver.resolve6(server).catch((): string[] => []))
      return address
    })
    return (await Promise.all(addresses)).filter((address) => address !== undefined)
  }
  return []
}

/** A server that does not answer at all is passed over: not every network lets questions out. */
async function seenAt(
  server: string,
  name: string,
  value: string,
  deadline: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const resolver = new Resolver(QUERY)
  resolver.setServers([server])
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(waitMs * 2, LAST_LOOK_MS)) {
    const found = await look(resolver, name)
    if (found === 'unreachable' || found.includes(value)) return
    if (deadline.aborted)
      throw new Error(`${server} has no TXT record of ${name} after ${VISIBLE_DEADLINE_MS / 60_000} minutes`)
    await sleep(waitMs, undefined, { signal })
  }
}

async function look(resolver: Resolver, name: string): Promise<'unreachable' | readonly string[]> {
  try {
    return (await resolver.resolveTxt(name)).map((parts) => parts.join(''))
  } catch (error) {
    return ['ENODATA', 'ENOTFOUND', 'ESERVFAIL'].includes(codeOf(error)) ? [] : 'unreachable'
  }
}

import type { UpstreamConfig } from '../../schemas/config/config.ts'
import { boundedConnector, type DialPeer } from './connector.ts'
import { openUpstream, type Speech, type Upstream, type UpstreamTable } from './upstream.ts'

export type Upstreams = ReturnType<typeof createUpstreams>

/**
 * The upstreams of the current configuration, one connection pool each.
 * @param mostConnections to all of them together
 */
export function createUpstreams(
  speech: Speech,
  mostConnections = Number.POSITIVE_INFINITY,
  now = Date.now,
  dialPeer?: DialPeer,
) {
  const connectorOf = boundedConnector(mostConnections, dialPeer)
  let byName = new Map<string, { readonly upstream: Upstream; readonly made: string }>()
  const retiring = new Set<Promise<void>>()

  function retire(upstream: Upstream): void {
    const closed = upstream.close().finally(() => retiring.delete(closed))
    retiring.add(closed)
  }

  return {
    /** Takes over a configuration: unchanged upstreams keep their connections, others are replaced and drained. */
    apply(
      configs: Readonly<Record<string, UpstreamConfig>>,
      tableOf: (name: string) => UpstreamTable = () => 'upstreams',
    ): void {
      const next: typeof byName = new Map()
      for (const [name, config] of Object.entries(configs)) {
        if (!config.enabled) continue
        const named = { name, table: tableOf(name) }
        const made = JSON.stringify([named.table, config])
        const known = byName.get(name)
        next.set(
          name,
          known?.made === made ? known : { upstream: openUpstream(named, config, speech, connectorOf, now), made },
        )
      }
      for (const [name, known] of byName) if (next.get(name) !== known) retire(known.upstream)
      byName = next
    },
    /**
     * Asks an upstream for its models, to see whether it answers. @returns the HTTP status
     * @throws Error when it does not
     */
    async probe(name: string, signal: AbortSignal): Promise<number> {
      const upstream = byName.get(name)?.upstream
      if (upstream === undefined) throw new Error('it was removed from the configuration')
      if (upstream.ask === null) return 200 // built in
      const response = await upstream.ask(upstream.lists.modelsPath, signal)
      await response.body?.cancel()
      return response.status
    },
    get: (name: string): Upstream | undefined => byName.get(name)?.upstream,
    all: (): readonly Upstream[] => [...byName.values()].map(({ upstream }) => upstream),
    async close(): Promise<void> {
      for (const { upstream } of byName.values()) retire(upstream)
      byName = new Map()
      await Promise.all(retiring)
    },
  }
}

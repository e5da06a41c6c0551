import type { Config } from '../../schemas/config/config.ts'
import { isLoopback } from '../../schemas/words/address.ts'
import type { Log } from '../../schemas/words/log.ts'
import { discoverEngines, MISSES_UNTIL_GONE } from '../upstream/discovery.ts'
import type { Speech } from '../upstream/upstream.ts'

const NOTHING = { found: {}, foreign: new Set<string>() }

/** The engines on loopback that no configuration names. */
export function createFoundEngines(listingOf: Speech['listingOf'], log: Log) {
  let engines: Config['upstreams'] = {}
  const misses = new Map<string, number>()

  /** Counts one more look that an engine did not answer. */
  function mayStillBeThere(name: string): boolean {
    const count = (misses.get(name) ?? 0) + 1
    misses.set(name, count)
    return count < MISSES_UNTIL_GONE
  }

  return {
    /** By name, ready to be used as upstreams. */
    found: () => engines,
    /**
     * Looks once. @param ownPorts those of Gate itself, where no engine is looked for
     * @returns whether anything has changed
     */
    async look(config: Config, ownPorts: ReadonlySet<number>, signal: AbortSignal): Promise<boolean> {
      const { enabled } = config.discovery
      const { found, foreign } = enabled
        ? await discoverEngines(notToLookFor(config, ownPorts), listingOf, signal)
        : NOTHING
      if (signal.aborted) return false
      for (const [name, engine] of Object.entries(found)) {
        if (!(name in engines)) log('info', 'found an engine', { upstream: name, url: engine.base_url ?? '' })
        misses.delete(name)
      }
      const known = enabled ? Object.entries(engines) : []
      const kept = known.filter(([name]) => !(name in found) && !foreign.has(name) && mayStillBeThere(name))
      const before = JSON.stringify(engines)
      engines = { ...Object.fromEntries(kept), ...found }
      return JSON.stringify(engines) !== before
    },
  }
}

/** What is configured already, by name or by its loopback port, and Gate itself. */
function notToLookFor({ upstreams, backends }: Config, ownPorts: ReadonlySet<number>) {
  const ports = new Set(ownPorts)
  for (const { base_url } of Object.values({ ...upstreams, ...backends })) {
    const url = URL.parse(base_url ?? '')
    if (url !== null && isLoopback(url.hostname)) ports.add(Number(url.port))
  }
  return { names: new Set([...Object.keys(upstreams), ...Object.keys(backends)]), ports }
}

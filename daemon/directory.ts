import { type Config, durationMs } from '../schemas/config.ts'
import type { Log } from '../schemas/log.ts'
import { createRoutes, type Routes, type RouteUpstream } from './route/routes.ts'
import type { TargetHealth } from './route/target-health.ts'
import { createCatalog } from './upstream/catalog.ts'
import { discoverEngines } from './upstream/discovery.ts'
import type { Upstream, Upstreams } from './upstream/upstreams.ts'

/** An upstream as an operator sees it. */
export type UpstreamStatus = {
  readonly name: string
  readonly provider: string
  readonly state: string
  readonly models_count: number
  readonly last_error?: string
}

type DirectoryParts = {
  readonly upstreams: Upstreams
  readonly health: TargetHealth
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly random: () => number
  /** Ports of Gate itself, where no engine is looked for. */
  readonly ownPorts: () => ReadonlySet<number>
}

/**
 * Keeps what clients can ask for in step with the configuration and the outside: which upstreams there are (configured
 * or found on loopback), what each serves, and the routes that follow from it.
 */
export function createDirectory(parts: DirectoryParts, initial: Config) {
  const { upstreams, health, log, random } = parts
  const catalog = createCatalog({ log, now: parts.now, onChange: rebuild })
  const stopping = new AbortController()
  let config = initial
  let discovered: Config['upstreams'] = {}
  let routes: Routes
  let work: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | null = null
  adopt()

  function adopt(): void {
    upstreams.apply({ ...discovered, ...config.upstreams })
    rebuild()
  }

  function rebuild(): void {
    routes = createRoutes(config.models, upstreams.all().map(routeUpstream), health, random)
  }

  function routeUpstream(upstream: Upstream): RouteUpstream {
    const { models } = catalog.entryOf(upstream)
    return { name: upstream.name, models, open: upstream.configuredModels === null }
  }

  /** One look around. Looks never overlap. */
  function refresh(): Promise<void> {
    const { signal } = stopping
    work = work.then(async () => {
      if (signal.aborted) return
      await discover(signal)
      await catalog.refresh(upstreams.all(), signal)
    })
    return work
  }

  async function discover(signal: AbortSignal): Promise<void> {
    const names = new Set(Object.keys(config.upstreams))
    const found = config.discovery.enabled ? await discoverEngines({ names, ports: parts.ownPorts() }, signal) : {}
    if (signal.aborted || Object.keys(found).join() === Object.keys(discovered).join()) return
    for (const [name, { base_url }] of Object.entries(found)) {
      if (!(name in discovered)) log('info', 'found an engine', { upstream: name, url: base_url ?? '' })
    }
    discovered = found
    adopt()
  }

  function schedule(): void {
    timer = setTimeout(() => void refresh().then(schedule), durationMs(config.discovery.interval)).unref()
  }

  return {
    routes: () => routes,
    refresh,
    /** Looks around every `discovery.interval` from now on. */
    start(): void {
      void refresh().then(schedule)
    },
    /** Takes over a configuration at once; what its upstreams serve is asked behind it. */
    apply(next: Config): void {
      config = next
      adopt()
      void refresh()
    },
    status: (): readonly UpstreamStatus[] =>
      upstreams.all().map((upstream) => {
        const { models, state, lastError } = catalog.entryOf(upstream)
        return {
          name: upstream.name,
          provider: upstream.provider,
          state: state === 'configured' ? 'ready' : state === 'up' ? 'ready' : state,
          models_count: models.length,
          ...(lastError !== null && { last_error: lastError }),
        }
      }),
    async stop(): Promise<void> {
      stopping.abort()
      if (timer !== null) clearTimeout(timer)
      await work
      if (timer !== null) clearTimeout(timer)
    },
  }
}

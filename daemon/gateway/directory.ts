import type { Config } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import { knownFacts } from '../../schemas/words/known-models.ts'
import type { Log } from '../../schemas/words/log.ts'
import { type ModelFacts, sharedFacts } from '../../schemas/words/model-facts.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import { guarded } from '../../system/background.ts'
import type { BackendState } from '../backends/status.ts'
import type { TargetFacts } from '../route/choice.ts'
import type { RouteUpstream } from '../route/route-table.ts'
import { createRoutes, type Routes } from '../route/routes.ts'
import { createSessions } from '../route/sessions.ts'
import type { Target, TargetHealth } from '../route/target-health.ts'
import { createCatalog } from '../upstream/catalog.ts'
import { createProbes } from '../upstream/probe.ts'
import type { Speech, Upstream } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { createFoundEngines } from './found-engines.ts'
import { createPrices, isOwn } from './prices.ts'
import { readinessOf } from './readiness.ts'
import { type UpstreamStatus, upstreamStatus } from './upstream-status.ts'

type DirectoryParts = {
  readonly upstreams: Upstreams
  readonly health: TargetHealth
  readonly log: Log
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly random: () => number
  /** Whether asking an upstream for its models would start it. */
  readonly isAsleep: (name: string) => boolean
  /** What an operator sees of a backend; undefined for any other upstream. */
  readonly backendState: (name: string) => BackendState | undefined
  /** How upstreams of a provider list their models. */
  readonly listingOf: Speech['listingOf']
  /** How engines are asked which dialects they speak. */
  readonly probes: Speech['probes']
}

const SHORTEST_INTERVAL_MS = 1_000

const LOOK_FAILED = 'it could not be looked around for upstreams and models'

/**
 * Keeps what clients can ask for in step with the configuration and the outside: which upstreams there are (configured
 * or found on loopback), what each serves, and the routes that follow from it.
 */
export function createDirectory(parts: DirectoryParts, initial: Config) {
  const { upstreams, health, log, random } = parts
  const catalog = createCatalog({ log, now: parts.now, onChange: rebuild })
  const probes = createProbes(parts.probes, parts.now)
  const sessions = createSessions()
  const stopping = new AbortController()
  let config = initial
  let ownPorts: ReadonlySet<number> = new Set()
  const engines = createFoundEngines(parts.listingOf, log)
  const prices = createPrices(upstreams, factsOf, log)
  let routes: Routes
  let work: Promise<void> = Promise.resolve()
  let probing: Promise<void> = Promise.resolve()
  let isProbeWaiting = false
  let timer: NodeJS.Timeout | null = null
  adopt()

  function adopt(): void {
    const own = { ...config.upstreams, ...config.backends }
    // what was found comes last: any user of this machine may listen on loopback, and of two that list a model the
    // first gets it
    const found = Object.entries(engines.found()).filter(([name]) => !Object.hasOwn(own, name))
    const isBackend = (name: string) => Object.hasOwn(config.backends, name)
    upstreams.apply({ ...own, ...Object.fromEntries(found) }, (name) => (isBackend(name) ? 'backends' : 'upstreams'))
    rebuild()
  }

  function rebuild(): void {
    prices.forget()
    const all = upstreams.all().map(routeUpstream)
    routes = createRoutes(config.models, all, health, random, routeFacts, sessions, (name) =>
      readinessOf(parts.backendState(name), parts.isAsleep(name)),
    )
  }

  function routeUpstream(upstream: Upstream): RouteUpstream {
    const { models } = catalog.entryOf(upstream)
    const isBackend = upstream.table === 'backends'
    return { name: upstream.name, models, open: upstream.configuredModels === null, isBackend }
  }

  /** Of its own list, with the operator's prices, or else of the table of hosted models. */
  function factsOf({ upstream: name, model }: Target): ModelFacts {
    const upstream = upstreams.get(name)
    if (upstream === undefined) return {}
    const price = upstream.prices.get(model)
    const facts = { ...knownFacts(upstream.provider, model), ...catalog.entryOf(upstream).facts.get(model) }
    return price === undefined ? facts : { ...facts, price }
  }

  function routeFacts(target: Target): TargetFacts {
    const upstream = upstreams.get(target.upstream)
    if (upstream === undefined) return {}
    const isRouter = providerRow(upstream.provider).routes === true
    return { ...factsOf(target), isOwn: isOwn(upstream), isRouter }
  }

  /** One look around. Looks never overlap. */
  function refresh(): Promise<void> {
    const { signal } = stopping
    work = work.then(async () => {
      try {
        if (!signal.aborted && (await engines.look(config, ownPorts, signal))) adopt()
        if (!signal.aborted) await catalog.refresh(upstreams.all(), parts.isAsleep, signal)
        probe()
      } catch (error) {
        log('error', 'the search for upstreams failed', { error: String(error) })
      }
    })
    return work
  }

  /** Asks engines what they speak, beside the looks: a busy one takes minutes. One round runs, and at most one waits. */
  function probe(): void {
    if (isProbeWaiting) return
    isProbeWaiting = true
    probing = probing.then(async () => {
      isProbeWaiting = false
      const { signal } = stopping
      try {
        if (!signal.aborted) await probes.refresh(upstreams.all(), modelsToProbe, signal)
      } catch (error) {
        log('error', 'asking engines what they speak failed', { error: String(error) })
      }
    })
  }

  /** The models of an upstream that has answered, and is not asleep. */
  function modelsToProbe(upstream: Upstream): readonly string[] | null {
    if (parts.isAsleep(upstream.name)) return null
    return catalog.isUp(upstream) ? catalog.entryOf(upstream).models : []
  }

  const look = guarded(parts.log, LOOK_FAILED, () => refresh())
  const lookAround = guarded(parts.log, LOOK_FAILED, () => refresh().then(schedule))

  function schedule(): void {
    timer = setTimeout(lookAround, Math.max(durationMs(config.discovery.interval), SHORTEST_INTERVAL_MS)).unref()
  }

  return {
    routes: () => routes,
    factsOf: (targets: readonly Target[]): ModelFacts => sharedFacts(targets.map(factsOf)),
    priceOf: prices.of,
    longestAnswerOf: prices.longestAnswerOf,
    refresh,
    /** The engine of an upstream was started: it may be another one than before. */
    restarted(name: string): void {
      probes.forget(name)
      look()
    },
    /**
     * Looks around every `discovery.interval` from now on.
     * @param own ports of Gate itself, where no engine is looked for
     */
    start(own: ReadonlySet<number>): void {
      ownPorts = own
      lookAround()
    },
    /** Takes over a configuration at once; model lists are refreshed in the background. */
    apply(next: Config): void {
      config = next
      adopt()
      look()
    },
    status: (): readonly UpstreamStatus[] =>
      upstreams.all().map((one) => upstreamStatus(one, catalog.entryOf(one), parts.backendState(one.name))),
    async stop(): Promise<void> {
      stopping.abort()
      if (timer !== null) clearTimeout(timer)
      await work
      await probing
      if (timer !== null) clearTimeout(timer)
    },
  }
}

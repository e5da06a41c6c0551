import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Config } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import { isLoopback } from '../../schemas/words/address.ts'
import { LOCAL_ENGINES } from '../../schemas/words/local-engines.ts'
import type { Log } from '../../schemas/words/log.ts'
import { type Reading, readExposition } from './exposition.ts'
import { metricsRequest, type Sender, traceRequest } from './otlp.ts'
import { createOutbox, type Destination, type OutboxCounts } from './outbox.ts'
import { poster } from './post.ts'
import { providerNameOf } from './provider-names.ts'
import { RequestTrace, type Span } from './trace.ts'
import { newTraceId, readTraceparent } from './trace-context.ts'

export type Telemetry = ReturnType<typeof createTelemetry>

type Parts = {
  readonly version: string
  readonly log: Log
  /** Unix milliseconds. */
  readonly now: () => number
  readonly monotonic: () => number
  /** From 0 to 1. */
  readonly random: () => number
}

/** Sends traces and metrics to an OpenTelemetry collector, when one is configured. No request ever waits for it. */
export function createTelemetry({ version, log, now, monotonic, random }: Parts, initial: Config) {
  const stopping = new AbortController()
  const startedAt = now()
  const sender: Sender = { version, instanceId: randomUUID(), epochMs: now() - monotonic() }
  const post = poster(stopping.signal, now)
  let { telemetry } = initial
  let told = tellingOf(initial)
  let providers = providersOf(initial)
  let expose: () => Promise<{ readonly text: string }> = () => Promise.resolve({ text: '' })
  let timer: NodeJS.Timeout | null = null

  const traces = createOutbox<Span>({
    signal: 'traces',
    destination: () => destinationOf(telemetry, 'traces'),
    encode: (spans) => traceRequest(spans, sender),
    post,
    log,
  })
  const metrics = createOutbox<readonly Reading[]>({
    signal: 'metrics',
    destination: () => destinationOf(telemetry, 'metrics'),
    encode: (all) => metricsRequest(all.at(-1) ?? [], sender, startedAt, now()), // each has all that the ones before had
    post,
    log,
  })

  async function readMetrics(): Promise<void> {
    if (destinationOf(telemetry, 'metrics') === null) return
    const { text } = await expose()
    metrics.put([readExposition(text, (upstream) => providers.get(upstream))])
  }

  function schedule(): void {
    if (timer !== null) clearInterval(timer)
    timer = setInterval(() => void readMetrics().catch(() => {}), durationMs(telemetry.interval)).unref()
  }
  schedule()

  return {
    /**
     * Null when this request is not traced, which costs nothing. @param isTrusted whether a peer is a proxy that
     * decides what is traced; what another client says counts once it is known who that is: `join`
     */
    begin(
      headers: IncomingHttpHeaders,
      startMs: number,
      peer: string | null,
      isTrusted: (peer: string | null) => boolean,
    ): RequestTrace | null {
      if (telemetry.endpoint === undefined || !telemetry.traces) return null
      if (readTraceparent(headers['traceparent']) !== null) return isTrusted(peer) ? joined(headers, startMs) : null
      return random() < telemetry.sample ? new RequestTrace(newTraceId(), '', startMs) : null
    },
    /** The trace that a client has begun, which has shown who it is; null: none, or one that is not kept. */
    join(headers: IncomingHttpHeaders, startMs: number): RequestTrace | null {
      if (telemetry.endpoint === undefined || !telemetry.traces) return null
      return joined(headers, startMs)
    },
    put: traces.put,
    /** Whether an upstream is told the trace. */
    tells: (upstream: string): boolean => told(upstream),
    providerOf: (upstream: string): string => providers.get(upstream) ?? upstream,
    counts: (): Readonly<Record<'traces' | 'metrics', OutboxCounts>> => ({
      traces: traces.counts(),
      metrics: metrics.counts(),
    }),
    /** Where metrics are read from. */
    readsFrom(source: typeof expose): void {
      expose = source
    },
    apply(config: Config): void {
      const isSame = config.telemetry.interval === telemetry.interval
      telemetry = config.telemetry
      told = tellingOf(config)
      providers = providersOf(config)
      if (!isSame) schedule()
    },
    async close(): Promise<void> {
      if (timer !== null) clearInterval(timer)
      await readMetrics().catch(() => {})
      await Promise.race([Promise.all([traces.close(), metrics.close()]), later(CLOSE_MS)])
      stopping.abort()
    },
  }
}

function joined(headers: IncomingHttpHeaders, startMs: number): RequestTrace | null {
  const from = readTraceparent(headers['traceparent'])
  return from?.isSampled === true ? new RequestTrace(from.traceId, from.spanId, startMs) : null
}

/** How long a stop waits for a collector. */
const CLOSE_MS = 2_000
const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms).unref())

function destinationOf(
  { endpoint, headers, traces, metrics }: Config['telemetry'],
  signal: 'traces' | 'metrics',
): Destination {
  if (endpoint === undefined || !(signal === 'traces' ? traces : metrics)) return null
  return { url: `${endpoint.replace(/\/+$/, '')}/v1/${signal}`, headers: headersOf(headers ?? '') }
}

/** As OTEL_EXPORTER_OTLP_HEADERS has them. */
function headersOf(text: string): Record<string, string> {
  const pairs = text.split(',').flatMap((pair) => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [[pair.slice(0, at).trim().toLowerCase(), decoded(pair.slice(at + 1).trim())] as const]
  })
  return Object.fromEntries(pairs)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Whom the trace is told: own ones are backends, and what listens on this host. */
function tellingOf({ telemetry, upstreams, backends }: Config): (upstream: string) => boolean {
  if (telemetry.propagate !== 'own') return () => telemetry.propagate === 'all'
  const own = Object.entries(upstreams).flatMap(([name, { base_url, socket }]) => {
    const host = base_url === undefined ? '' : (URL.parse(base_url)?.hostname ?? '')
    return socket !== undefined || isLoopback(host) ? [name] : []
  })
  const found = LOCAL_ENGINES.map(({ name }) => name).filter((name) => upstreams[name] === undefined)
  const all = new Set([...own, ...Object.keys(backends), ...found])
  return (upstream) => all.has(upstream)
}

function providersOf({ upstreams, backends }: Config): Map<string, string> {
  const entries = [...Object.entries(upstreams), ...Object.entries(backends)]
  return new Map(entries.map(([name, { provider = name }]) => [name, providerNameOf(provider)]))
}

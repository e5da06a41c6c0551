import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { UsageRow } from './usage.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** What is read when somebody asks, not counted. */
export type MetricReadings = {
  readonly requestsInFlight: () => number
  readonly bufferedBytes: () => number
  readonly backlogRows: () => number
  readonly backends: () => readonly {
    readonly name: string
    readonly state: string
    readonly requests_in_flight: number
    readonly requests_waiting: number
  }[]
}

/** The buckets that OpenTelemetry's GenAI conventions give for durations, in seconds. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
/** From an engine that answers at once to a model of hundreds of GB. */
const START_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640]
const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576]
/**
 * Models with series of their own, for each upstream. Names come from clients where an upstream takes any: only a model that has
 * answered once gets its name as a label, all others are counted together.
 */
const MAX_MODELS = 100
const OTHER_MODELS = 'other'
/** Series that are kept at hand. */
const MAX_SERIES = 10_000

/**
 * Prometheus metrics under the names of OpenTelemetry's GenAI conventions (dots as underscores), and gate_* for the rest.
 * Series are looked up once per (upstream, model, status) and kept, so that counting costs no label hashing.
 */
export function createMetrics(readings: MetricReadings) {
  const registers = [new Registry()] as const
  const [registry] = registers
  collectDefaultMetrics({ register: registry })
  const labelNames = ['upstream', 'gen_ai_request_model'] as const
  const requests = new Counter({
    name: 'gate_requests_total',
    help: 'Attempts at upstreams, by HTTP status (0: none came).',
    labelNames: [...labelNames, 'status'],
    registers: [...registers],
  })
  const duration = new Histogram({
    name: 'gen_ai_client_operation_duration_seconds',
    help: 'Time from sending an attempt to its end.',
    labelNames,
    buckets: SECONDS,
    registers: [...registers],
  })
  const firstToken = new Histogram({
    name: 'gen_ai_server_time_to_first_token_seconds',
    help: 'Time from sending an attempt to the first frame of its stream.',
    labelNames,
    buckets: SECONDS,
    registers: [...registers],
  })
  const tokens = new Histogram({
    name: 'gen_ai_client_token_usage',
    help: 'Tokens of an attempt.',
    labelNames: [...labelNames, 'gen_ai_token_type'],
    buckets: TOKENS,
    registers: [...registers],
  })
  const refused = new Counter({
    name: 'gate_refused_total',
    help: 'Requests answered with an error of Gate itself, by code.',
    labelNames: ['code'],
    registers: [...registers],
  })
  for (const [name, help, read] of [
    ['gate_requests_in_flight', 'Requests that are being answered.', readings.requestsInFlight],
    ['gate_request_bytes_held', 'Bytes of request bodies in memory.', readings.bufferedBytes],
    ['gate_usage_backlog_rows', 'Usage rows that wait for the database.', readings.backlogRows],
  ] as const) {
    const gauge: Gauge = new Gauge({ name, help, registers: [...registers], collect: () => gauge.set(read()) })
  }

  const starts = new Histogram({
    name: 'gate_backend_start_seconds',
    help: 'Time that a backend took to start, by outcome: started or failed.',
    labelNames: ['upstream', 'outcome'],
    buckets: START_SECONDS,
    registers: [...registers],
  })
  for (const [name, help, read] of [
    ['gate_backend_requests_waiting', 'Requests that wait for their turn at a backend.', 'requests_waiting'],
    ['gate_backend_requests_in_flight', 'Requests that a backend is answering.', 'requests_in_flight'],
  ] as const) {
    const gauge: Gauge<'upstream'> = new Gauge({
      name,
      help,
      labelNames: ['upstream'],
      registers: [...registers],
      collect: () => {
        gauge.reset()
        for (const backend of readings.backends()) gauge.set({ upstream: backend.name }, backend[read])
      },
    })
  }
  const states: Gauge<'upstream' | 'state'> = new Gauge({
    name: 'gate_backend_state',
    help: 'The state of each backend: 1 at its label.',
    labelNames: ['upstream', 'state'],
    registers: [...registers],
    collect: () => {
      states.reset()
      for (const { name, state } of readings.backends()) states.set({ upstream: name, state }, 1)
    },
  })

  const answeredBy = new Map<string, Set<string>>()
  function labelOf({ upstream, targetModel, outcome }: UsageRow): string {
    const answered = answeredBy.get(upstream) ?? new Set()
    answeredBy.set(upstream, answered)
    if (answered.has(targetModel)) return targetModel
    if (outcome !== 'ok' || answered.size >= MAX_MODELS) return OTHER_MODELS
    answered.add(targetModel)
    return targetModel
  }

  const seriesByKey = new Map<string, ReturnType<typeof makeSeries>>()
  function makeSeries(upstream: string, model: string, status: number) {
    const labels = { upstream, gen_ai_request_model: model }
    return {
      requests: requests.labels({ ...labels, status: String(status) }),
      duration: duration.labels(labels),
      firstToken: firstToken.labels(labels),
      input: tokens.labels({ ...labels, gen_ai_token_type: 'input' }),
      output: tokens.labels({ ...labels, gen_ai_token_type: 'output' }),
    }
  }
  function seriesOf(upstream: string, model: string, status: number) {
    const key = `${upstream} ${status} ${model}`
    const known = seriesByKey.get(key)
    if (known !== undefined) return known
    const series = makeSeries(upstream, model, status)
    if (seriesByKey.size < MAX_SERIES) seriesByKey.set(key, series)
    return series
  }

  return {
    attempt(row: UsageRow): void {
      const series = seriesOf(row.upstream, labelOf(row), row.status)
      series.requests.inc()
      series.duration.observe(row.durationMs / 1_000)
      if (row.ttftMs !== null) series.firstToken.observe(row.ttftMs / 1_000)
      if (row.outcome !== 'ok') return
      series.input.observe(row.inputTokens)
      series.output.observe(row.outputTokens)
    },
    backendStart: (upstream: string, outcome: 'started' | 'failed', seconds: number): void =>
      starts.observe({ upstream, outcome }, seconds),
    refused: (code: string): void => refused.inc({ code }),
    /** The exposition text, and the media type that belongs to it. */
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    close: (): void => registry.clear(),
  }
}

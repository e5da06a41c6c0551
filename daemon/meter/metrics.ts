import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CertificateStatus } from '../../schemas/admin-tls.ts'
import { type BudgetReading, budgetMetrics } from './budgets.ts'
import { certificateMetrics } from './certificates.ts'
import {
  type CounterSeries,
  counter,
  countText,
  gaugeText,
  type HistogramSeries,
  histogram,
  labelText,
} from './series.ts'
import type { UsageRow } from './usage.ts'

export type Metrics = ReturnType<typeof createMetrics>

/** What is read at the scrape, not counted. */
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
  readonly certificates: () => readonly CertificateStatus[]
  readonly budgets: () => readonly BudgetReading[]
  /** What was handed to the collector of telemetry, and what was dropped. */
  readonly telemetry: () => Readonly<Record<string, { readonly sent: number; readonly dropped: number }>>
}

/** The buckets that OpenTelemetry's GenAI conventions give for durations, in seconds. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
/** For each token, by the same conventions. */
const TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
/** From an engine that answers at once to a model of hundreds of GB. */
const START_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640]
const TOKENS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576]
/**
 * Models with their own series, for each upstream. Names come from clients where an upstream takes any: only a model
 * that has answered once gets its name as a label, all others are counted together.
 */
const MAX_MODELS = 100
const OTHER_MODELS = 'other'
/** Series that are kept at hand. */
const MAX_SERIES = 10_000

/** The series of one (upstream, model, status); those that are null have no value yet, so they are not shown. */
type Series = {
  readonly upstream: string
  readonly model: string
  readonly status: number
  readonly labels: string
  readonly requests: CounterSeries
  readonly duration: HistogramSeries
  request: HistogramSeries | null
  firstToken: HistogramSeries | null
  perToken: HistogramSeries | null
  input: HistogramSeries | null
  output: HistogramSeries | null
}

/**
 * Prometheus metrics under the names of OpenTelemetry's GenAI conventions (dots as underscores), and gate_* for the
 * rest. Series are looked up once per (upstream, status, model) and kept: counting is then a lookup and additions in
 * arrays, and text is made at the scrape. prom-client knows the process only.
 */
export function createMetrics(readings: MetricReadings) {
  const processRegistry = new Registry()
  collectDefaultMetrics({ register: processRegistry })
  const requests = counter('gate_requests_total', 'Attempts at upstreams, by HTTP status (0: no answer).')
  const duration = histogram(
    'gen_ai_client_operation_duration_seconds',
    'Time from sending an attempt to its end.',
    SECONDS,
  )
  const firstToken = histogram(
    'gen_ai_server_time_to_first_token_seconds',
    'Time from sending an attempt to the first frame of its stream.',
    SECONDS,
  )
  const requestDuration = histogram(
    'gen_ai_server_request_duration_seconds',
    'Time from the arrival of a request to the end of its answer, all attempts included.',
    SECONDS,
  )
  const perToken = histogram(
    'gen_ai_server_time_per_output_token_seconds',
    'Time for each token of a stream after the first.',
    TOKEN_SECONDS,
  )
  const tokens = histogram('gen_ai_client_token_usage', 'Tokens of an attempt.', TOKENS)
  const cost = counter('gate_cost_microdollars_total', 'What attempts cost, as far as prices are known.')
  const refused = counter('gate_refused_total', 'Requests answered with an error of Gate itself, by code.')
  const starts = histogram(
    'gate_backend_start_seconds',
    'Time that a backend took to start, by outcome: started or failed.',
    START_SECONDS,
  )

  const handshakes = counter(
    'gate_tls_handshakes_total',
    'TLS handshakes, by outcome and by the protocols that were agreed on.',
  )

  const clientTelemetry = counter('gate_client_telemetry_total', 'Exports of telemetry that clients sent, by signal.')

  const answeredBy = new Map<string, Set<string>>()
  function labelOf({ upstream, model, targetModel, outcome }: UsageRow): string {
    if (model === '') return '' // files and the like
    let answered = answeredBy.get(upstream)
    if (answered === undefined) {
      answered = new Set()
      answeredBy.set(upstream, answered)
    }
    if (answered.has(targetModel)) return targetModel
    if (outcome !== 'ok' || answered.size >= MAX_MODELS) return OTHER_MODELS
    answered.add(targetModel)
    return targetModel
  }

  const seriesByKey = new Map<string, Series>()
  let latest: Series | null = null
  function makeSeries(upstream: string, model: string, status: number) {
    const labels = labelText(['upstream', 'gen_ai_request_model'], [upstream, model])
    const series: Series = {
      upstream,
      model,
      status,
      labels,
      requests: requests.series(`${labels},status="${status}"`),
      duration: duration.series(labels),
      request: null,
      firstToken: null,
      perToken: null,
      input: null,
      output: null,
    }
    return series
  }
  function seriesOf(upstream: string, model: string, status: number) {
    // most attempts are like the one before, and making the key costs more than counting
    if (latest?.upstream === upstream && latest.model === model && latest.status === status) return latest
    latest = lookUpSeries(upstream, model, status)
    return latest
  }
  function lookUpSeries(upstream: string, model: string, status: number) {
    const key = `${upstream} ${status} ${model}`
    const known = seriesByKey.get(key)
    if (known !== undefined) return known
    const series = makeSeries(upstream, model, status)
    if (seriesByKey.size < MAX_SERIES) seriesByKey.set(key, series)
    return series
  }

  function telemetryCounts() {
    return Object.entries(readings.telemetry()).flatMap(([signal, { sent, dropped }]) => {
      const labels = (outcome: string) => labelText(['signal', 'outcome'], [signal, outcome])
      return [[labels('sent'), sent] as const, [labels('dropped'), dropped] as const]
    })
  }

  function gauges(): string[] {
    const backends = readings.backends()
    const ofBackends = (key: 'requests_waiting' | 'requests_in_flight') =>
      backends.map((backend) => [labelText(['upstream'], [backend.name]), backend[key]] as const)
    const states = backends.map(({ name, state }) => [labelText(['upstream', 'state'], [name, state]), 1] as const)
    return [
      gaugeText('gate_requests_in_flight', 'Requests that are being answered.', [['', readings.requestsInFlight()]]),
      gaugeText('gate_request_bytes_held', 'Bytes of requests and answers held in memory.', [
        ['', readings.bufferedBytes()],
      ]),
      gaugeText('gate_usage_backlog_rows', 'Usage rows waiting for the database.', [['', readings.backlogRows()]]),
      starts.text(),
      gaugeText(
        'gate_backend_requests_waiting',
        'Requests waiting for their turn at a backend.',
        ofBackends('requests_waiting'),
      ),
      gaugeText(
        'gate_backend_requests_in_flight',
        'Requests that a backend is answering.',
        ofBackends('requests_in_flight'),
      ),
      gaugeText('gate_backend_state', 'The state of each backend: 1 at its label.', states),
      countText(
        'gate_telemetry_items_total',
        'Spans and readings of metrics, by what became of them.',
        telemetryCounts(),
      ),
      handshakes.text(),
      clientTelemetry.text(),
      ...budgetMetrics(readings.budgets()),
      ...certificateMetrics(readings.certificates()),
    ]
  }

  return {
    attempt(row: UsageRow): void {
      const series = seriesOf(row.upstream, labelOf(row), row.status)
      add(series.requests)
      series.duration.observe(row.durationMs / 1_000)
      if (row.ttftMs !== null) {
        series.firstToken ??= firstToken.series(series.labels)
        series.firstToken.observe(row.ttftMs / 1_000)
        if (row.outcome === 'ok' && row.outputTokens > 1) {
          series.perToken ??= perToken.series(series.labels)
          series.perToken.observe((row.durationMs - row.ttftMs) / 1_000 / (row.outputTokens - 1))
        }
      }
      if (row.costMicrodollars > 0) add(cost.series(series.labels), row.costMicrodollars)
      if (row.outcome !== 'ok') return
      series.input ??= tokens.series(`${series.labels},gen_ai_token_type="input"`)
      series.output ??= tokens.series(`${series.labels},gen_ai_token_type="output"`)
      series.input.observe(row.inputTokens)
      series.output.observe(row.outputTokens)
    },
    /** A request with at least one attempt is over. @param row of its last one @param durationMs of all of it */
    request(row: UsageRow, durationMs: number): void {
      const series = seriesOf(row.upstream, labelOf(row), row.status)
      series.request ??= requestDuration.series(series.labels)
      series.request.observe(durationMs / 1_000)
    },
    backendStart: (upstream: string, outcome: 'started' | 'failed', seconds: number): void =>
      starts.series(labelText(['upstream', 'outcome'], [upstream, outcome])).observe(seconds),
    /** @param agreed what a handshake that went well agreed on, such as `TLSv1.3` and `h2` */
    handshake: (outcome: 'done' | 'failed', { version = '', alpn = '' }: Agreed = {}): void =>
      add(handshakes.series(labelText(['outcome', 'version', 'alpn'], [outcome, version, alpn]))),
    /** One export of a client's telemetry, such as `metrics`. */
    clientTelemetry: (signal: string): void => add(clientTelemetry.series(labelText(['signal'], [signal]))),
    refused: (code: string): void => add(refused.series(labelText(['code'], [code]))),
    /** The exposition text, and the media type that belongs to it. */
    expose: async () => {
      const own = [requests, duration, requestDuration, firstToken, perToken, tokens, cost, refused].map((metric) =>
        metric.text(),
      )
      const text = [(await processRegistry.metrics()).trimEnd(), ...own, ...gauges()].join('\n\n')
      return { contentType: processRegistry.contentType, text: `${text}\n` }
    },
    close: (): void => processRegistry.clear(),
  }
}

type Agreed = { readonly version?: string; readonly alpn?: string }

function add({ values }: CounterSeries, by = 1): void {
  values[0] = (values[0] as number) + by
}

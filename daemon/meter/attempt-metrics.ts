import { type CounterSeries, counter, type HistogramSeries, histogram, increase, labelText } from './series.ts'
import type { UsageRow } from './usage.ts'

/** The buckets that OpenTelemetry's GenAI conventions give for durations, in seconds. */
const SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
/** For each token, by the same conventions. */
const TOKEN_SECONDS = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]
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
 * What attempts and requests were like. Series are looked up once per (upstream, status, model) and kept: counting is
 * then a lookup and additions in arrays, and text is made at the scrape.
 */
export function attemptMetrics() {
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

  return {
    attempt(row: UsageRow): void {
      const series = seriesOf(row.upstream, labelOf(row), row.status)
      increase(series.requests)
      series.duration.observe(row.durationMs / 1_000)
      if (row.ttftMs !== null) {
        series.firstToken ??= firstToken.series(series.labels)
        series.firstToken.observe(row.ttftMs / 1_000)
        if (row.outcome === 'ok' && row.outputTokens > 1) {
          series.perToken ??= perToken.series(series.labels)
          series.perToken.observe((row.durationMs - row.ttftMs) / 1_000 / (row.outputTokens - 1))
        }
      }
      if (row.costMicrodollars > 0) increase(cost.series(series.labels), row.costMicrodollars)
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
    text: (): readonly string[] =>
      [requests, duration, requestDuration, firstToken, perToken, tokens, cost].map((metric) => metric.text()),
  }
}

import { collectDefaultMetrics, Registry } from 'prom-client'
import type { CertificateStatus } from '../../schemas/admin-tls.ts'
import { attemptMetrics } from './attempt-metrics.ts'
import { type BudgetReading, budgetMetrics } from './budgets.ts'
import { certificateMetrics } from './certificates.ts'
import { type LimitReading, limitMetrics } from './limits.ts'
import { counter, countText, gaugeText, histogram, increase, labelText } from './series.ts'

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
  readonly limits: () => readonly LimitReading[]
  /** What was handed to the collector of telemetry, and what was dropped. */
  readonly telemetry: () => Readonly<Record<string, { readonly sent: number; readonly dropped: number }>>
}

/** From an engine that answers at once to a model of hundreds of GB. */
const START_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640]

/**
 * Prometheus metrics under the names of OpenTelemetry's GenAI conventions (dots as underscores), and gate_* for the
 * rest. prom-client knows the process only.
 */
export function createMetrics(readings: MetricReadings) {
  const processRegistry = new Registry()
  collectDefaultMetrics({ register: processRegistry })
  const attempts = attemptMetrics()
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
      ...limitMetrics(readings.limits()),
      ...certificateMetrics(readings.certificates()),
    ]
  }

  return {
    attempt: attempts.attempt,
    request: attempts.request,
    backendStart: (upstream: string, outcome: 'started' | 'failed', seconds: number): void =>
      starts.series(labelText(['upstream', 'outcome'], [upstream, outcome])).observe(seconds),
    /** @param agreed what a handshake that went well agreed on, such as `TLSv1.3` and `h2` */
    handshake: (outcome: 'done' | 'failed', { version = '', alpn = '' }: Agreed = {}): void =>
      increase(handshakes.series(labelText(['outcome', 'version', 'alpn'], [outcome, version, alpn]))),
    /** One export of a client's telemetry, such as `metrics`. */
    clientTelemetry: (signal: string): void => increase(clientTelemetry.series(labelText(['signal'], [signal]))),
    refused: (code: string): void => increase(refused.series(labelText(['code'], [code]))),
    /** The exposition text, and the media type that belongs to it. */
    expose: async () => {
      const own = [...attempts.text(), refused.text()]
      const text = [(await processRegistry.metrics()).trimEnd(), ...own, ...gauges()].join('\n\n')
      return { contentType: processRegistry.contentType, text: `${text}\n` }
    },
    close: (): void => processRegistry.clear(),
  }
}

type Agreed = { readonly version?: string; readonly alpn?: string }

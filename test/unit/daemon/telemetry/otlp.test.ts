import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readExposition } from '../../../../daemon/telemetry/exposition.ts'
import { metricsRequest, SCHEMA_URL, traceRequest } from '../../../../daemon/telemetry/otlp.ts'
import { RequestTrace } from '../../../../daemon/telemetry/trace.ts'
import { readTraceparent, traceparent } from '../../../../daemon/telemetry/trace-context.ts'
import { attributesOf, readMetrics, readTraces } from '../../../support/otlp.ts'

const SENDER = { version: '1.2.3', instanceId: 'an-id', epochMs: 1_700_000_000_000 }
const TRACE = 'ab'.repeat(16)
const PARENT = 'cd'.repeat(8)
const ROW = {
  requestId: 'r',
  attempt: 1,
  startedAt: 1,
  keyId: 'k',
  model: 'm',
  upstream: 'box',
  targetModel: 'gpt-4.1',
  status: 200,
  outcome: 'ok',
  inputTokens: 12,
  outputTokens: 3,
  cachedTokens: 4,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
  estimated: false,
  costMicrodollars: 7,
  unpriced: false,
  endUser: '',
  userId: '',
  team: '',
  teams: '',
  category: '',
  provider: 'openai',
  durationMs: 30,
  ttftMs: 10,
} as const

test('the spans of a request, as a library of OpenTelemetry reads them', () => {
  const trace = new RequestTrace(TRACE, PARENT, 100)
  trace.stage('authenticate', 101)
  trace.stage('route', 103.5)
  const told = trace.attempt()
  trace.attempted(ROW, 'openai', 'chat', 140)
  const spans = trace.ended('POST /v1/chat/completions', { 'http.response.status_code': 200, share: 0.5 }, false, 141)
  const read = readTraces(traceRequest(spans, SENDER))
  expect(read).toMatchObject({
    schemaUrl: SCHEMA_URL,
    resource: { 'service.name': 'gate', 'service.version': '1.2.3' },
  })
  const [own, authenticate, route, attempt] = read.spans
  expect(own).toMatchObject({
    name: 'POST /v1/chat/completions',
    kind: 'SPAN_KIND_SERVER',
    traceId: TRACE,
    parentSpanId: PARENT,
    startTimeUnixNano: 1_700_000_000_100_000_000,
    endTimeUnixNano: 1_700_000_000_141_000_000,
    attributes: { 'http.response.status_code': 200, share: 0.5 },
  })
  for (const child of [authenticate, route, attempt])
    expect(child).toMatchObject({ traceId: TRACE, parentSpanId: own?.spanId })
  expect(
    [authenticate, route].map((span) => [
      span?.name,
      Math.round(((span?.endTimeUnixNano ?? 0) - (span?.startTimeUnixNano ?? 0)) / 1_000),
    ]),
  ).toEqual([
    ['authenticate', 1_000],
    ['route', 2_500],
  ])
  expect(attempt).toMatchObject({
    name: 'chat gpt-4.1',
    kind: 'SPAN_KIND_CLIENT',
    startTimeUnixNano: 1_700_000_000_110_000_000,
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4.1',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 3,
      'gen_ai.usage.cache_read.input_tokens': 4,
      'gen_ai.response.time_to_first_chunk': 0.01,
      'gate.upstream': 'box',
    },
  })
  expect(readTraceparent(told)).toEqual({ traceId: TRACE, spanId: attempt?.spanId, isSampled: true })
})

test('an attempt that failed says so', () => {
  const trace = new RequestTrace(TRACE, '', 0)
  trace.attempted({ ...ROW, outcome: 'refused', status: 500 }, 'openai', 'chat', 1)
  const [own, attempt] = readTraces(traceRequest(trace.ended('x', {}, true, 2), SENDER)).spans
  expect(own).toMatchObject({ status: { code: 'STATUS_CODE_ERROR' }, parentSpanId: '' })
  expect(attempt).toMatchObject({ status: { code: 'STATUS_CODE_ERROR' }, attributes: { 'error.type': 'refused' } })
  expect(attempt?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens')
})

test('any text and number in an attribute comes back', () =>
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.boolean(), fc.maxSafeInteger(), fc.double({ noNaN: true }))),
      (given) => {
        const spans = new RequestTrace(TRACE, '', 0).ended('x', given, false, 1)
        const [span] = readTraces(traceRequest(spans, SENDER)).spans
        const expected = Object.entries(given).map(([key, value]) => [key, value === 0 ? 0 : value])
        expect(Object.entries(span?.attributes ?? {}).map(([key, value]) => [key, value === 0 ? 0 : value])).toEqual(
          expected,
        )
      },
    ),
  ))

const TEXT = `# HELP gate_requests_total Attempts.
# TYPE gate_requests_total counter
gate_requests_total{upstream="box",gen_ai_request_model="a \\"b\\"",status="200"} 3

# HELP gate_requests_in_flight Requests.
# TYPE gate_requests_in_flight gauge
gate_requests_in_flight 2

# HELP gen_ai_client_operation_duration_seconds Time.
# TYPE gen_ai_client_operation_duration_seconds histogram
gen_ai_client_operation_duration_seconds_bucket{le="0.01",upstream="box"} 1
gen_ai_client_operation_duration_seconds_bucket{le="0.02",upstream="box"} 4
gen_ai_client_operation_duration_seconds_bucket{le="+Inf",upstream="box"} 5
gen_ai_client_operation_duration_seconds_sum{upstream="box"} 1.25
gen_ai_client_operation_duration_seconds_count{upstream="box"} 5

# HELP gate_cost_microdollars_total Nothing yet.
# TYPE gate_cost_microdollars_total counter
`

test('metrics, as a library of OpenTelemetry reads them', () => {
  const readings = readExposition(TEXT, (upstream) => (upstream === 'box' ? 'vllm' : undefined))
  const [requests, inFlight, duration, ...more] = readMetrics(metricsRequest(readings, SENDER, 1_000, 2_000))
  expect(more).toEqual([])
  expect(requests).toMatchObject({
    name: 'gate_requests_total',
    sum: { isMonotonic: true, aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE' },
  })
  expect(requests?.sum?.dataPoints[0]).toMatchObject({
    asDouble: 3,
    startTimeUnixNano: 1_000_000_000,
    timeUnixNano: 2_000_000_000,
  })
  expect(attributesOf(requests?.sum?.dataPoints[0]?.attributes)).toEqual({
    'gate.upstream': 'box',
    'gen_ai.request.model': 'a "b"',
    'gen_ai.provider.name': 'vllm',
    'http.response.status_code': '200',
  })
  expect(inFlight).toMatchObject({ gauge: { dataPoints: [{ asDouble: 2 }] } })
  expect(duration).toMatchObject({
    name: 'gen_ai.client.operation.duration',
    unit: 's',
    histogram: { dataPoints: [{ count: 5, sum: 1.25, bucketCounts: [1, 3, 1], explicitBounds: [0.01, 0.02] }] },
  })
})

test.each([
  [`00-${TRACE}-${PARENT}-01`, true],
  [`00-${TRACE}-${PARENT}-00`, false],
  [`00-${TRACE}-${PARENT}-03`, true],
  [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, true],
  [`00-${TRACE}-${PARENT}-01-more`, null],
  [`ff-${TRACE}-${PARENT}-01`, null],
  [`00-${TRACE.toUpperCase()}-${PARENT}-01`, null],
  [`00-${'0'.repeat(32)}-${PARENT}-01`, null],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
  ['00-ab-cd-01', null],
  ['', null],
  [undefined, null],
])('traceparent %s', (header, isSampled) => {
  expect(readTraceparent(header)?.isSampled ?? null).toBe(isSampled)
  if (isSampled !== null) expect(readTraceparent(header)).toMatchObject({ traceId: TRACE, spanId: PARENT })
  expect(readTraceparent(traceparent(TRACE, PARENT))).toMatchObject({ traceId: TRACE, spanId: PARENT })
})

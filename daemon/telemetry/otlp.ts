import type { Reading } from './exposition.ts'
import { bytes, double, type Field, fixed, message, packedDoubles, packedFixed, text, whole } from './protobuf.ts'
import type { Attributes, Span } from './trace.ts'

/** The conventions that names follow, as pinned. @see https://github.com/open-telemetry/semantic-conventions-genai */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/gen-ai/0.1.0'

/** Who sends. @param epochMs Unix milliseconds at which the monotonic clock was 0 */
export type Sender = { readonly version: string; readonly instanceId: string; readonly epochMs: number }

const KINDS = { internal: 1, server: 2, client: 3 } as const
const STATUS_ERROR = 2
const CUMULATIVE = 2

/** ExportTraceServiceRequest. @see opentelemetry-proto v1.9, collector/trace/v1 and trace/v1 */
export function traceRequest(spans: readonly Span[], sender: Sender): Buffer {
  const scope = [message(1, scopeFields(sender)), ...spans.map((span) => message(2, spanFields(span, sender)))]
  return message(1, [
    message(1, resourceFields(sender)),
    message(2, [...scope, text(3, SCHEMA_URL)]),
    text(3, SCHEMA_URL),
  ])
}

/** ExportMetricsServiceRequest. @param sinceMs Unix milliseconds from which on is counted */
export function metricsRequest(readings: readonly Reading[], sender: Sender, sinceMs: number, nowMs: number): Buffer {
  const times = [fixed(2, nanoseconds(sinceMs)), fixed(3, nanoseconds(nowMs))]
  const metrics = readings.map((reading) => message(2, metricFields(reading, times)))
  const scope = [message(1, scopeFields(sender)), ...metrics, text(3, SCHEMA_URL)]
  return message(1, [message(1, resourceFields(sender)), message(2, scope), text(3, SCHEMA_URL)])
}

const resourceFields = ({ version, instanceId }: Sender): Field[] =>
  attributes(1, { 'service.name': 'gate', 'service.version': version, 'service.instance.id': instanceId })

const scopeFields = ({ version }: Sender): Field[] => [text(1, 'gate'), text(2, version)]

function spanFields(span: Span, { epochMs }: Sender): Field[] {
  const { traceId, spanId, parentId, name, kind, startMs, endMs, hasFailed } = span
  return [
    bytes(1, Buffer.from(traceId, 'hex')),
    bytes(2, Buffer.from(spanId, 'hex')),
    ...(parentId === '' ? [] : [bytes(4, Buffer.from(parentId, 'hex'))]),
    text(5, name),
    whole(6, KINDS[kind]),
    fixed(7, nanoseconds(epochMs + startMs)),
    fixed(8, nanoseconds(epochMs + Math.max(startMs, endMs))),
    ...attributes(9, span.attributes),
    ...(hasFailed ? [message(15, [whole(3, STATUS_ERROR)])] : []),
  ]
}

function metricFields({ name, help, unit, kind, points }: Reading, times: readonly Field[]): Field[] {
  const head = [text(1, name), text(2, help), text(3, unit)]
  switch (kind) {
    case 'gauge':
      return [
        ...head,
        message(
          5,
          points.map((point) => message(1, numberPoint(point, times))),
        ),
      ]
    case 'counter': {
      const all = points.map((point) => message(1, numberPoint(point, times)))
      return [...head, message(7, [...all, whole(2, CUMULATIVE), whole(3, 1)])]
    }
    case 'histogram': {
      const all = points.map((point) => message(1, histogramPoint(point, times)))
      return [...head, message(9, [...all, whole(2, CUMULATIVE)])]
    }
  }
}

type Point = Reading['points'][number]

const numberPoint = ({ labels, value }: Point, times: readonly Field[]): Field[] => [
  ...times,
  double(4, value),
  ...attributes(7, labels),
]

function histogramPoint({ labels, value, sum = 0, bounds = [], counts = [] }: Point, times: readonly Field[]): Field[] {
  return [
    ...times,
    fixed(4, BigInt(value)),
    double(5, sum),
    packedFixed(6, counts),
    packedDoubles(7, bounds),
    ...attributes(9, labels),
  ]
}

function attributes(number: number, all: Attributes): Field[] {
  return Object.entries(all).map(([key, value]) => message(number, [text(1, key), message(2, [valueField(value)])]))
}

function valueField(value: string | number | boolean): Field {
  if (typeof value === 'string') return text(1, value)
  if (typeof value === 'boolean') return whole(2, value ? 1 : 0)
  return Number.isSafeInteger(value) ? whole(3, value) : double(4, value)
}

/** Thousandths of milliseconds are kept. */
const nanoseconds = (ms: number): bigint => BigInt(Math.round(ms * 1_000)) * 1_000n

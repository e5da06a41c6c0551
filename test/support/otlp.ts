import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
// what opentelemetry-proto's own compiler makes of its .proto files: not ours
import root from '@opentelemetry/otlp-transformer/build/src/generated/root.js'

type MessageType<T> = { decode(bytes: Uint8Array): object; toObject(message: object, options: object): T }
type Proto = {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly trace: { readonly v1: { readonly ExportTraceServiceRequest: MessageType<TraceRequest> } }
        readonly metrics: { readonly v1: { readonly ExportMetricsServiceRequest: MessageType<MetricsRequest> } }
      }
    }
  }
}
// its own types do not say what is in it
const { trace, metrics } = (root as unknown as Proto).opentelemetry.proto.collector
const WHOLE = { longs: Number, enums: String, bytes: String, defaults: false } as const

type Value = {
  readonly stringValue?: string
  readonly intValue?: number
  readonly doubleValue?: number
  readonly boolValue?: boolean
}
type Attribute = { readonly key: string; readonly value: Value }

/** A span as a collector reads it. */
export type ReadSpan = {
  readonly name: string
  readonly kind: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly startTimeUnixNano: number
  readonly endTimeUnixNano: number
  readonly status?: { readonly code?: string }
  readonly attributes: Readonly<Record<string, unknown>>
}

type TraceRequest = {
  readonly resourceSpans: readonly {
    readonly schemaUrl: string
    readonly resource: { readonly attributes: readonly Attribute[] }
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<ReadSpan, 'attributes'> & { readonly attributes?: readonly Attribute[] })[]
    }[]
  }[]
}

type ReadPoint = {
  readonly asDouble?: number
  readonly count?: number
  readonly sum?: number
  readonly bucketCounts?: readonly number[]
  readonly explicitBounds?: readonly number[]
  readonly attributes?: readonly Attribute[]
}
type ReadMetric = {
  readonly name: string
  readonly unit: string
  readonly gauge?: { readonly dataPoints: readonly ReadPoint[] }
  readonly sum?: { readonly dataPoints: readonly ReadPoint[] }
  readonly histogram?: { readonly dataPoints: readonly ReadPoint[] }
}
type MetricsRequest = {
  readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly metrics: readonly ReadMetric[] }[] }[]
}

/** What a collector reads of a request for traces. */
export function readTraces(body: Uint8Array) {
  const type = trace.v1.ExportTraceServiceRequest
  const [resource] = type.toObject(type.decode(body), WHOLE).resourceSpans
  const all = resource?.scopeSpans.flatMap(({ spans }) => spans) ?? []
  const spans = all.map((span): ReadSpan => ({ ...span, ...hexIds(span), attributes: attributesOf(span.attributes) }))
  return { spans, schemaUrl: resource?.schemaUrl, resource: attributesOf(resource?.resource.attributes) }
}

/** What a collector reads of a request for metrics. */
export function readMetrics(body: Uint8Array): ReadMetric[] {
  const type = metrics.v1.ExportMetricsServiceRequest
  const { resourceMetrics } = type.toObject(type.decode(body), WHOLE)
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
}

export const attributesOf = (all: readonly Attribute[] = []): Record<string, unknown> =>
  Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]]))

function hexIds({
  traceId,
  spanId,
  parentSpanId,
}: Pick<ReadSpan, 'traceId' | 'spanId'> & Partial<Pick<ReadSpan, 'parentSpanId'>>) {
  const hex = (id = '') => Buffer.from(id, 'base64').toString('hex')
  return { traceId: hex(traceId), spanId: hex(spanId), parentSpanId: hex(parentSpanId) }
}

/** A collector on a free port. `answer` says what the next posts get. */
export async function startCollector() {
  const posts: { readonly path: string; readonly headers: Record<string, unknown>; readonly body: Buffer }[] = []
  let answers: { readonly status: number; readonly headers?: Record<string, string> }[] = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      posts.push({ path: request.url ?? '', headers: request.headers, body })
      const { status, headers = {} } = answers.shift() ?? { status: 200 }
      response.writeHead(status, headers).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    posts,
    spans: () => posts.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => readTraces(body).spans),
    answer: (...next: typeof answers) => {
      answers = next
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve(undefined)))
    },
  }
}

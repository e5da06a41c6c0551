import type { UsageRow } from '../meter/usage.ts'
import { newSpanId, traceparent } from './trace-context.ts'

/** What a span says. Numbers are written as whole ones where they are. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

/** Times are monotonic milliseconds. */
export type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client'
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly hasFailed: boolean
}

/** The stages that a request goes through before its attempts. */
export type Stage = 'authenticate' | 'admit' | 'route'

/** The trace of one request, as far as it has got: only requests that are traced have one. */
export class RequestTrace {
  readonly #traceId: string
  readonly #parentId: string
  readonly #spanId = newSpanId()
  readonly #startMs: number
  readonly #spans: Span[] = []
  #attemptId = ''
  #stageMs: number

  /** @param parentId empty: it begins here */
  constructor(traceId: string, parentId: string, startMs: number) {
    this.#traceId = traceId
    this.#parentId = parentId
    this.#startMs = startMs
    this.#stageMs = startMs
  }

  /** A stage is over, which began when the one before was. */
  stage(name: Stage, nowMs: number): void {
    this.#add({ name, spanId: newSpanId(), kind: 'internal', startMs: this.#stageMs, endMs: nowMs })
    this.#stageMs = nowMs
  }

  /** An attempt begins. @returns `traceparent` for its upstream */
  attempt(): string {
    this.#attemptId = newSpanId()
    return traceparent(this.#traceId, this.#attemptId)
  }

  /** The attempt that began last is over. @param provider as the conventions name it */
  attempted(row: UsageRow, provider: string, operation: string, nowMs: number): void {
    const spanId = this.#attemptId === '' ? newSpanId() : this.#attemptId
    this.#attemptId = ''
    this.#add({
      name: row.targetModel === '' ? operation : `${operation} ${row.targetModel}`,
      spanId,
      kind: 'client',
      startMs: nowMs - row.durationMs,
      endMs: nowMs,
      attributes: attemptAttributes(row, provider, operation),
      hasFailed: row.outcome !== 'ok',
    })
  }

  /** The request is over. @returns all spans, its own first */
  ended(name: string, attributes: Attributes, hasFailed: boolean, nowMs: number): readonly Span[] {
    const own: Span = {
      traceId: this.#traceId,
      spanId: this.#spanId,
      parentId: this.#parentId,
      name,
      kind: 'server',
      startMs: this.#startMs,
      endMs: nowMs,
      attributes,
      hasFailed,
    }
    return [own, ...this.#spans]
  }

  #add(span: Omit<Span, 'traceId' | 'parentId' | 'attributes' | 'hasFailed'> & Partial<Span>): void {
    if (this.#spans.length >= MOST_SPANS) return
    this.#spans.push({ attributes: {}, hasFailed: false, ...span, traceId: this.#traceId, parentId: this.#spanId })
  }
}

/** A model has that many targets at most that all fail. */
const MOST_SPANS = 64

/** Counts and names; never a word of a prompt or an answer. @see gen-ai-spans.md of the pinned conventions */
function attemptAttributes(row: UsageRow, provider: string, operation: string): Attributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': provider,
    'gate.upstream': row.upstream,
    'gate.attempt': row.attempt,
    ...(row.targetModel !== '' && { 'gen_ai.request.model': row.targetModel }),
    ...(row.status !== 0 && { 'http.response.status_code': row.status }),
    ...(row.outcome === 'ok' ? usageAttributes(row) : { 'error.type': row.outcome }),
    ...(row.ttftMs !== null && { 'gen_ai.response.time_to_first_chunk': row.ttftMs / 1_000 }),
    'gate.cost_microdollars': row.costMicrodollars,
  }
}

function usageAttributes(row: UsageRow): Attributes {
  return {
    'gen_ai.usage.input_tokens': row.inputTokens,
    'gen_ai.usage.output_tokens': row.outputTokens,
    ...(row.cachedTokens > 0 && { 'gen_ai.usage.cache_read.input_tokens': row.cachedTokens }),
    ...(row.cacheWriteTokens > 0 && { 'gen_ai.usage.cache_creation.input_tokens': row.cacheWriteTokens }),
    ...(row.reasoningTokens > 0 && { 'gen_ai.usage.reasoning.output_tokens': row.reasoningTokens }),
    ...(row.estimated && { 'gate.usage.estimated': true }),
  }
}

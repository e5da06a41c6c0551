import { randomFillSync } from 'node:crypto'

/** Where a trace comes from. Ids in lower-case hexadecimal digits. @see https://www.w3.org/TR/trace-context/ */
export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean }

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const SAMPLED = 1

/** Null for what is none: it is as if it had not been sent (section 3.2.2.5). */
export function readTraceparent(header: unknown): TraceContext | null {
  if (typeof header !== 'string') return null
  const [, version = '', traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(header) ?? []
  if (version === '' || version === 'ff' || (version === '00' && more !== undefined)) return null
  if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return null
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED }
}

export const traceparent = (traceId: string, spanId: string): string => `00-${traceId}-${spanId}-01`

export const newTraceId = (): string => randomHex(16)
export const newSpanId = (): string => randomHex(8)

/** Random bytes for many ids: asking for those of one costs more than all else of a span. */
const pool = Buffer.alloc(4_096)
let usedBytes = pool.length

function randomHex(bytes: number): string {
  if (usedBytes + bytes > pool.length) {
    randomFillSync(pool)
    usedBytes = 0
  }
  usedBytes += bytes
  return pool.toString('hex', usedBytes - bytes, usedBytes)
}

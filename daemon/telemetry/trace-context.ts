import { randomBytes } from 'node:crypto'

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

export const newTraceId = (): string => randomBytes(16).toString('hex')
export const newSpanId = (): string => randomBytes(8).toString('hex')

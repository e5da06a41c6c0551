import type { IncomingHttpHeaders } from 'node:http'
import type { Call } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'

/** The headers of a client that an upstream may see, and those that its dialect asks for. @param isOwn the client speaks it */
export function clientHeaders({ headers }: Call, spoken: Dialect, isOwn = true): string[] {
  const out: string[] = []
  pushHeaders(out, headers, PASSED_ON)
  if (isOwn) pushHeaders(out, headers, spoken.requestHeaders)
  pushFixed(out, spoken.fixedHeaders)
  return out
}

/** Adds where the trace comes from. @param own in place of the client's; undefined: this request is not traced */
export function pushTrace(out: string[], { headers }: Call, own: string | undefined): void {
  if (own !== undefined) out.push('traceparent', own)
  pushHeaders(out, headers, own === undefined ? TRACE : TRACE_STATE)
}

const TRACE_STATE = ['tracestate'] as const
const TRACE = ['traceparent', ...TRACE_STATE] as const

function pushHeaders(headers: string[], from: IncomingHttpHeaders, names: readonly string[]): void {
  for (const name of names) {
    const value = from[name]
    if (typeof value === 'string') headers.push(name, value)
  }
}

/** Adds the headers that a dialect asks for, but for those that the client has set itself. */
function pushFixed(headers: string[], fixed: Dialect['fixedHeaders']): void {
  for (const name in fixed) {
    const value = fixed[name]
    if (value !== undefined && !headers.includes(name)) headers.push(name, value)
  }
}

/** Headers of a client that are passed to an upstream of any dialect. */
const PASSED_ON = [
  'accept',
  'idempotency-key',
  'user-agent',
  'x-client-request-id',
  'x-session-affinity', // by which some keep a session where its prompt is cached, as Gate does
] as const

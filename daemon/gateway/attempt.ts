import type { IncomingHttpHeaders } from 'node:http'
import type { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Target, TargetHealth } from '../route/target-health.ts'
import type { Call } from '../translate/call.ts'
import type { Dialect } from '../translate/dialect.ts'
import { type ForwardRequest, forward } from '../upstream/forward.ts'
import type { ForwardEnd, ResponseHeaders } from '../upstream/forward-end.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Answer } from './answer.ts'
import type { Job, Sending } from './sending.ts'
import { usageRow } from './usage-row.ts'

/** `now` is Unix milliseconds, `monotonic` milliseconds of a clock that never jumps. */
export type AttemptParts = {
  readonly health: Pick<TargetHealth, 'succeeded' | 'failed' | 'undecided' | 'begins' | 'ends'>
  readonly ledger: Pick<Ledger, 'settle'>
  readonly metrics: Pick<Metrics, 'attempt'>
  readonly priceOf: (target: Target) => ModelPrice | null
  readonly log: Log
  readonly now: () => number
  readonly monotonic: () => number
}

/** Where this attempt goes, what is sent, and which one it is: from 1. `release` gives the turn back. */
type Try = {
  readonly target: Target
  readonly sending: Sending
  readonly upstream: Upstream
  /** Which key of the upstream is used. */
  readonly key: number
  readonly number: number
  readonly release: (broke: boolean) => void
}

/** How it all ended: with the last attempt, or before it because the client went away. */
export type Conclusion =
  | { readonly kind: 'ended'; readonly target: Target; readonly end: ForwardEnd }
  | { readonly kind: 'gone' }

/**
 * Statuses from 400 to 499 that another target may do better on: they are about this upstream, its credentials or its
 * load (498 is Groq's). Any other is about the request itself.
 */
const TRY_ELSEWHERE = new Set([401, 402, 403, 404, 405, 407, 408, 409, 410, 421, 423, 424, 425, 429, 451, 498, 499])
const mayDoBetter = (status: number): boolean => status < 400 || status >= 500 || TRY_ELSEWHERE.has(status)

/** Headers of a client that are passed to an upstream of any dialect. */
const PASSED_ON = [
  'accept',
  'idempotency-key',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-client-request-id',
] as const

/**
 * Sends a request to one target. Its usage is recorded when this resolves, but the client has not seen the end yet.
 * @returns how it ended, and whether the same target may be asked with another key at once
 */
export async function attempt(parts: AttemptParts, job: Job, { target, upstream, sending, key, number, release }: Try) {
  const { answer, asked } = job
  const { spoken, call, form, sink } = sending
  const startedAt = parts.now()
  const begun = parts.monotonic()
  answer.watch = null
  let end: ForwardEnd | null = null
  parts.health.begins(target)
  try {
    const request = forwardRequest(job, target, upstream, key, sending)
    end = await forward(request, sink, form, parts.monotonic)
    if (end.kind === 'unreached' && end.wasKept && upstream.newConnection !== null) {
      end = await forward({ ...request, dispatcher: upstream.newConnection() }, sink, form, parts.monotonic)
    }
  } finally {
    parts.health.ends(target)
    release(end !== null && isBroken(end))
  }
  const came = withWait(end, spoken)
  end = sending.looked === null ? came : await sending.looked(came)
  const hasAnotherKey =
    end.kind === 'rejected' && upstream.keys.refused(key, end.status, retryAfterMs(end.headers, parts.now()))
  if (!hasAnotherKey) noteHealth(parts, target, end)
  const row = usageRow({
    requestId: answer.requestId,
    attempt: number,
    startedAt,
    durationMs: parts.monotonic() - begun,
    keyId: job.keyId,
    model: asked.model,
    target,
    call,
    end,
    came,
    watch: answer.watch,
    dialect: spoken,
    price: parts.priceOf(target),
  })
  answer.row = row
  if (isUnseen(end)) answer.watch = null
  parts.metrics.attempt(row)
  await parts.ledger.settle(row)
  if ('error' in end) logFailure(parts.log, answer, target, end.status, reasonOf(end.error, upstream))
  else if (end.kind === 'rejected') logFailure(parts.log, answer, target, end.status, null)
  return { end: sending.told(end), hasAnotherKey }
}

/** Some say in the body of an error how long to wait, and in no header. */
function withWait(end: ForwardEnd, { retryAfterIn }: Dialect): ForwardEnd {
  if (end.kind !== 'rejected' || retryAfterIn === undefined || 'retry-after' in end.headers) return end
  const seconds = retryAfterIn(end.body)
  return seconds === null ? end : { ...end, headers: { ...end.headers, 'retry-after': String(seconds) } }
}

/** The request to send to an upstream: the upstream's credential, and the client headers it may see. */
function forwardRequest(
  { call, dialect, asked, hold }: Job,
  target: Target,
  upstream: Upstream,
  key: number,
  { spoken, body }: Sending,
): ForwardRequest {
  const path = `${target.basePath ?? upstream.basePath}${spoken.upstreamPath(call, target.model, asked.stream)}`
  const credential = upstream.credential(key, { path, body })
  const type = call.endpoint.takes === 'form' ? String(call.headers['content-type']) : 'application/json'
  const headers = ['content-type', type, 'accept-encoding', 'identity', ...credential]
  headers.push(...clientHeaders(call, spoken, spoken === dialect))
  return {
    dispatcher: upstream.dispatcher,
    method: 'POST',
    path,
    headers,
    body,
    headersTimeoutMs: upstream.headersTimeoutMs,
    idleTimeoutMs: upstream.idleTimeoutMs,
    redactor: upstream.redactor,
    hold,
  }
}

/** The headers of a client that an upstream may see, and those that its dialect asks for. @param isOwn the client speaks it */
export function clientHeaders({ headers }: Call, spoken: Dialect, isOwn = true): string[] {
  const out: string[] = []
  pushHeaders(out, headers, PASSED_ON)
  if (isOwn) pushHeaders(out, headers, spoken.requestHeaders)
  pushFixed(out, spoken.fixedHeaders)
  return out
}

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

/** Whether the next target may be tried: nothing reached the client, and the fault may be this target's own. */
export function mayTryElsewhere(end: ForwardEnd): boolean {
  switch (end.kind) {
    case 'rejected':
      return mayDoBetter(end.status)
    case 'reported':
    case 'unreached':
    case 'broken-before':
      return true
    case 'answered':
    case 'unsent':
    case 'overloaded': // another one would need a descriptor, or memory, as well
    case 'overloaded-within':
    case 'reported-within':
    case 'broken-within':
    case 'gone':
      return false
  }
}

/** Whether the client saw nothing of the stream, so that an error may be said at once. */
export function isUnseen({ kind }: ForwardEnd): boolean {
  return kind === 'reported' || kind === 'broken-before' || kind === 'overloaded'
}

/** Whether the upstream was not there, hung or broke off: what answers there may have to be started again. */
function isBroken({ kind }: ForwardEnd): boolean {
  return kind === 'unreached' || kind === 'broken-before' || kind === 'broken-within'
}

function noteHealth({ health, now }: AttemptParts, target: Target, end: ForwardEnd): void {
  switch (end.kind) {
    case 'answered':
      health.succeeded(target, end.ttftMs)
      break
    case 'rejected':
      if (mayDoBetter(end.status)) health.failed(target, retryAfterMs(end.headers, now()))
      else health.succeeded(target, null)
      break
    case 'gone':
    case 'unsent':
    case 'overloaded':
    case 'overloaded-within':
      health.undecided(target)
      break
    default:
      health.failed(target, null)
  }
}

function logFailure(log: Log, { requestId }: Answer, target: Target, status: number, error: string | null) {
  const { upstream, model } = target
  const fields = { request_id: requestId, upstream, model, status }
  log('warn', 'attempt failed', error === null ? fields : { ...fields, error })
}

function reasonOf(error: GateError, { redactor }: Upstream): string {
  const reason = error.cause instanceof Error ? `${error.logged}: ${error.cause.message}` : error.logged
  return redactor === null ? reason : redactor.text(reason)
}

/**
 * How long an upstream asks to wait, in milliseconds: `retry-after-ms`, or Retry-After in seconds or as a date; null
 * when it does not say. @param nowMs Unix milliseconds
 */
export function retryAfterMs(headers: ResponseHeaders, nowMs: number): number | null {
  const exact = waitOf(firstOf(headers['retry-after-ms']))
  if (exact !== null) return exact
  const asked = firstOf(headers['retry-after'])
  const seconds = waitOf(asked)
  if (seconds !== null) return seconds * 1_000
  if (!DATE.test(asked)) return null // Date.parse takes "-5" for a year
  const date = Date.parse(/GMT\s*$/i.test(asked) ? asked : `${asked} GMT`)
  return Number.isNaN(date) ? null : Math.max(0, date - nowMs)
}

/** The forms of a date in HTTP, RFC 9110 section 5.6.7; they begin with the day of the week. */
const DATE = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /i

function firstOf(value: string | string[] | undefined): string {
  return (typeof value === 'string' ? value : value?.[0]) ?? ''
}

function waitOf(text: string): number | null {
  return /^\s*\d{1,10}(?:\.\d+)?\s*$/.test(text) ? Number(text) : null
}

import type { GateError } from '../../schemas/words/errors.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { ModelPrice } from '../../schemas/words/model-facts.ts'
import type { Budgets } from '../admit/budgets.ts'
import type { Reservation } from '../admit/reservation.ts'
import type { HeldTime } from '../meter/held-time.ts'
import type { Ledger } from '../meter/ledger.ts'
import type { Metrics } from '../meter/metrics.ts'
import type { Target, TargetHealth } from '../route/target-health.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Dialect } from '../translate/dialect.ts'
import { type ForwardRequest, forward } from '../upstream/forward.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Answer } from './answer.ts'
import { clientHeaders, pushTrace } from './client-headers.ts'
import { isBroken, isUnseen, noteHealth } from './ends.ts'
import { pushHop } from './hops.ts'
import type { Job } from './job.ts'
import { retryAfterMs } from './retry-after.ts'
import type { Sending } from './sending.ts'
import { operationOf } from './traced.ts'
import { type AttemptFacts, type OngoingAttempt, othersOf, usageRow } from './usage-row.ts'

/** `now` is Unix milliseconds, `monotonic` milliseconds of a clock that never jumps. */
export type AttemptParts = {
  readonly health: Pick<TargetHealth, 'succeeded' | 'failed' | 'undecided' | 'begins' | 'ends'>
  readonly ledger: Pick<Ledger, 'settle'>
  readonly metrics: Pick<Metrics, 'attempt'>
  readonly telemetry: Pick<Telemetry, 'tells' | 'providerOf'>
  readonly budgets: Pick<Budgets, 'settle'>
  readonly heldTime: HeldTime
  readonly priceOf: (target: Target) => ModelPrice | null
  /** Id of this gateway among others; null: it has none. */
  readonly nodeId: () => string | null
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
  /** What it may cost; null: no budget counts it. */
  readonly reservation: Reservation | null
}

/**
 * Sends a request to one target: once more where a kept connection turned out to be closed. Its usage is recorded when
 * this resolves, but the client has not seen the end yet.
 * @returns how it ended, and whether the same target may be asked with another key at once
 */
export async function attempt(parts: AttemptParts, job: Job, tried: Try) {
  const { health, monotonic } = parts
  const { target, upstream, sending, release } = tried
  const { sink, form, inspect } = sending
  const price = parts.priceOf(target)
  const ongoing = begun(parts, job, tried, price)
  let end: ForwardEnd | null = null
  let heldCost = 0
  health.begins(target)
  try {
    const request = forwardRequest(job, tried, parts)
    end = await forward(request, sink, form, monotonic)
    if (end.kind === 'unreached' && end.wasKept && upstream.newConnection !== null) {
      end = await forward({ ...request, dispatcher: upstream.newConnection() }, sink, form, monotonic)
    }
  } finally {
    health.ends(target)
    if (ongoing.held !== null) heldCost = parts.heldTime.end(ongoing.held)
    release(end !== null && isBroken(end))
  }
  const upstreamEnd = withWait(end, sending.spoken)
  end = inspect === null ? upstreamEnd : await inspect(upstreamEnd)
  const { row, hasAnotherKey } = concluded(parts, job, tried, ongoing, { end, upstreamEnd, heldCost, price })
  await parts.ledger.settle(row)
  job.answer.progress.ongoing = null
  if ('error' in end) logFailure(parts.log, job.answer, target, end.status, reasonOf(end.error, upstream))
  else if (end.kind === 'rejected') logFailure(parts.log, job.answer, target, end.status, null)
  return { end: sending.forClient(end), hasAnotherKey }
}

function begun(
  { now, monotonic, heldTime }: AttemptParts,
  job: Job,
  tried: Try,
  price: ModelPrice | null,
): OngoingAttempt {
  const { answer, keyId, asked, allowed, category } = job
  const { target, upstream, number, sending, reservation } = tried
  const { principal } = answer.progress
  const perHour = price?.perHour
  const ongoing: OngoingAttempt = {
    requestId: answer.requestId,
    attempt: number,
    startedAt: reservation?.atMs ?? now(),
    keyId,
    userId: principal?.userId ?? '',
    team: principal?.teams[0] ?? '',
    teams: othersOf(principal?.teams),
    endUser: answer.progress.endUser,
    model: allowed?.pinned ?? asked.model, // a client that may write anything is not to fill the reports with it
    category,
    target,
    provider: upstream.provider,
    call: sending.call,
    dialect: sending.spoken,
    begun: monotonic(),
    held: perHour === undefined ? null : heldTime.begin(target.upstream, perHour),
    inputTokens: null,
  }
  answer.watch = null
  answer.progress.ongoing = ongoing
  answer.progress.reservation = reservation
  return ongoing
}

/** What it has used, and what it says of its target. */
function concluded(
  { health, metrics, telemetry, budgets, now, monotonic }: AttemptParts,
  { answer }: Job,
  { target, upstream, key, reservation }: Try,
  ongoing: OngoingAttempt,
  { end, upstreamEnd, heldCost, price }: Omit<AttemptFacts, 'durationMs' | 'watch'>,
) {
  const hasAnotherKey =
    end.kind === 'rejected' && upstream.keys.refused(key, end.status, retryAfterMs(end.headers, now()))
  if (!hasAnotherKey) noteHealth(health, target, end, now)
  const endedAt = monotonic()
  const durationMs = endedAt - ongoing.begun
  const row = usageRow(ongoing, { durationMs, end, upstreamEnd, heldCost, price, watch: answer.watch })
  answer.progress.row = row
  if (isUnseen(end)) answer.watch = null
  metrics.attempt(row)
  answer.progress.trace?.attempted(row, telemetry.providerOf(row.upstream), operationOf(ongoing.call.endpoint), endedAt)
  answer.progress.usedTokens += row.inputTokens + row.outputTokens
  if (reservation !== null) budgets.settle(reservation, row.costMicrodollars)
  return { row, hasAnotherKey }
}

/** Some say in the body of an error how long to wait, and in no header. */
function withWait(end: ForwardEnd, { retryAfterIn }: Dialect): ForwardEnd {
  if (end.kind !== 'rejected' || retryAfterIn === undefined || 'retry-after' in end.headers) return end
  const seconds = retryAfterIn(end.body)
  return seconds === null ? end : { ...end, headers: { ...end.headers, 'retry-after': String(seconds) } }
}

/** The request to send to an upstream: the upstream's credential, and the client headers it may see. */
function forwardRequest(
  { answer, call, dialect, asked, hold }: Job,
  { target, upstream, key, sending: { spoken, body } }: Try,
  { telemetry: { tells }, nodeId }: Pick<AttemptParts, 'telemetry' | 'nodeId'>,
): ForwardRequest {
  const path = `${target.basePath ?? upstream.basePath}${spoken.upstreamPath(call, target.model, asked.stream)}`
  const credential = upstream.credential(key, { path, body })
  const type = call.endpoint.takes === 'form' ? String(call.headers['content-type']) : 'application/json'
  const headers = ['content-type', type, 'accept-encoding', 'identity', ...credential]
  headers.push(...clientHeaders(call, spoken, spoken === dialect))
  if (upstream.provider === 'peer') pushHop(headers, call.headers, nodeId())
  const trace = answer.progress.trace?.attempt()
  if (tells(target.upstream)) pushTrace(headers, call, trace)
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

function logFailure(log: Log, { requestId }: Answer, target: Target, status: number, error: string | null) {
  const { upstream, model } = target
  const fields = { request_id: requestId, upstream, model, status }
  log('warn', 'attempt failed', error === null ? fields : { ...fields, error })
}

function reasonOf(error: GateError, { redactor }: Upstream): string {
  const reason = error.cause instanceof Error ? `${error.logged}: ${error.cause.message}` : error.logged
  return redactor === null ? reason : redactor.text(reason)
}

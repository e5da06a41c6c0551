import { GateError } from '../../schemas/words/errors.ts'
import type { ModelFacts } from '../../schemas/words/model-facts.ts'
import type { Reservation } from '../admit/reservation.ts'
import type { Backends } from '../backends/backends.ts'
import type { Checker } from '../check/checker.ts'
import type { RetryBudget } from '../route/retry-budget.ts'
import type { Target } from '../route/target-health.ts'
import type { CheckJson } from '../translate/checks.ts'
import type { Dialects } from '../translate/dialects.ts'
import type { Upstream } from '../upstream/upstream.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import { countFor } from './counting.ts'
import type { Conclusion } from './ends.ts'
import { type Failover, failoverOf } from './failover.ts'
import { heeded, tuningOf } from './heeded.ts'
import type { Job } from './job.ts'
import { type PayingParts, payFor } from './paying.ts'
import type { Sending } from './sending.ts'

export type AttemptsParts = AttemptParts &
  PayingParts & {
    readonly dialects: Pick<Dialects, 'all'>
    readonly backends: Pick<Backends, 'turnAt' | 'isAsleep'>
    readonly upstreams: Pick<Upstreams, 'get'>
    readonly retries: RetryBudget
    readonly checker: Pick<Checker, 'check'>
    readonly factsOf: (targets: readonly Target[]) => ModelFacts
  }

/**
 * Tries the targets in order until one answers; what a client has seen a byte of is never tried again, unless its model
 * says that others go on with it.
 * @throws GateError why the last target was not even tried
 */
export function attempts(parts: AttemptsParts, job: Job, targets: readonly Target[]): Promise<Conclusion> {
  const plan = [...targets]
  const failover = failoverOf(job, plan)
  return failover.settle(() => inTurn(parts, job, plan, failover))
}

async function inTurn(parts: AttemptsParts, job: Job, plan: Target[], failover: Failover): Promise<Conclusion> {
  const { answer } = job
  let refusal: GateError | null = null
  let number = 0
  let hasRestarted = false
  parts.retries.request()
  if (job.asked.stream) answer.keepAlive()
  for (let target = plan.shift(); target !== undefined; target = plan.shift()) {
    const counted = countFor(parts, job, target)
    if (counted !== null) return { kind: 'ended', target, end: await counted }
    const asked = parts.backends.turnAt(target.upstream, answer)
    const turn = asked instanceof Promise ? await asked : asked
    if (turn.kind === 'gone') return turn
    if (turn.kind === 'refused') {
      refusal = turn.error
      parts.health.failed(target, turn.error.retryAfterS === null ? null : turn.error.retryAfterS * 1_000)
      continue
    }
    const upstream = parts.upstreams.get(target.upstream)
    if (upstream === undefined) {
      turn.release(false)
      continue // it was removed from the configuration this very moment
    }
    const sending = sendingOrRefusal(parts, job, target, upstream, plan, failover)
    const unfit = sending instanceof GateError ? sending : heeded(job, target, upstream.provider)
    if (unfit !== null || sending instanceof GateError) {
      turn.release(false)
      refusal = unfit
      continue
    }
    const paid = payFor(parts, job, target, upstream, sending.call)
    const reservation = paid instanceof Promise ? await paid : paid
    if (reservation instanceof GateError) {
      turn.release(false)
      refusal = reservation
      continue
    }
    const key = upstream.keys.take()
    if (key.kind === 'none') {
      turn.release(false)
      if (reservation !== null) parts.budgets.release(reservation)
      refusal = allKeysUsed(target, key.waitMs)
      continue
    }
    number += 1
    answer.progress.wait = turn.wait
    const tried = { target, upstream, sending, key: key.index, number, release: turn.release, reservation }
    const trying = attempt(parts, job, tried)
    const { end, hasAnotherKey } = await (reservation === null ? trying : givenBack(parts, reservation, trying))
    if (hasAnotherKey) plan.unshift(target)
    const restarts = turn.mayRestart && !hasRestarted && end.kind === 'unreached'
    if (restarts) {
      hasRestarted = true
      plan.unshift(target) // its engine had stopped unnoticed: this time it is started first
    }
    if (plan.length === 0 || !failover.mayTryElsewhere(end, target)) return { kind: 'ended', target, end }
    if (!restarts && !parts.retries.retry()) {
      const fields = { request_id: answer.requestId, upstream: target.upstream, model: target.model }
      parts.log('warn', 'no further target is tried: too many requests fail', fields)
      return { kind: 'ended', target, end }
    }
  }
  throw refusal ?? new GateError('NOT_READY', 'the upstreams of this model were just removed; try again')
}

/** Whatever becomes of an attempt, nothing stays reserved for it; where it was settled, nothing is left to give back. */
async function givenBack<T>({ budgets }: AttemptsParts, reservation: Reservation, trying: Promise<T>): Promise<T> {
  try {
    return await trying
  } finally {
    budgets.release(reservation)
  }
}

/** @throws GateError when the upstream cannot take the request */
function sendingOf(
  { dialects, checker, now, upstreams, factsOf }: AttemptsParts,
  job: Job,
  target: Target,
  upstream: Upstream,
  plan: readonly Target[],
  failover: Failover,
): Sending {
  const spoken = failover.spokenFor(dialects.all, job.dialect, asFor(job, upstream))
  const { model } = target
  const { provider } = upstream
  const side = spoken.grade === 'native' ? { model, provider } : { model, provider, facts: factsOf([target]) }
  const check: CheckJson = (question) => checker.check(question, job.keyId)
  const care = { now, check, calls: upstream.toolArguments }
  const tuning = tuningOf(job, target, upstream, plan, (name) => upstreams.get(name) !== undefined)
  return failover.sendingTo(spoken, job, side, tuning, care)
}

/** An upstream for one request: where it lacks its route, it does not speak the client's dialect. */
function asFor({ dialect, call }: Job, upstream: Upstream): Pick<Upstream, 'grades' | 'provider'> {
  if (dialect.hasRoute?.(call, upstream.provider) !== false) return upstream
  return { provider: upstream.provider, grades: { ...upstream.grades, [dialect.name]: 'translate' } }
}

function allKeysUsed({ upstream }: Target, waitMs: number): GateError {
  const message = `all keys of upstream "${upstream}" have reached their limit or rest`
  return new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: Math.ceil(waitMs / 1_000) })
}

/** What a target cannot take, another one may. */
function sendingOrRefusal(...asked: Parameters<typeof sendingOf>): Sending | GateError {
  try {
    return sendingOf(...asked)
  } catch (error) {
    if (error instanceof GateError) return error
    throw error
  }
}

import { GateError } from '../../schemas/words/errors.ts'
import { providerRow } from '../../schemas/words/providers.ts'
import type { Backends } from '../backends/backends.ts'
import type { Checker } from '../check/checker.ts'
import type { RetryBudget } from '../route/retry-budget.ts'
import type { Target } from '../route/target-health.ts'
import type { CheckJson } from '../translate/checks.ts'
import type { Dialects } from '../translate/dialects.ts'
import { bothTunings, type Tuning } from '../translate/tuning.ts'
import type { Upstreams } from '../upstream/upstreams.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import { countFor } from './counting.ts'
import type { Conclusion } from './ends.ts'
import { type Conduct, conductOf } from './failover.ts'
import type { Job } from './job.ts'
import type { Sending } from './sending.ts'

export type AttemptsParts = AttemptParts & {
  readonly dialects: Pick<Dialects, 'all'>
  readonly backends: Pick<Backends, 'turnAt' | 'isAsleep'>
  readonly upstreams: Pick<Upstreams, 'get'>
  readonly retries: RetryBudget
  readonly checker: Pick<Checker, 'check'>
}

const MAX_TARGETS = 8
const dropping = (...names: readonly string[]): Tuning => ({
  parameters: names.map((name) => ({ name, drop: true })),
  systemPrefixes: [],
})
const ROUTING_DROPPED = dropping('models', 'provider')
/** By which a provider is told to use another model than the one that was looked up. */
const OTHER_MODELS_DROPPED = dropping('models', 'preset')

/**
 * Tries the targets in order until one answers; what a client has seen a byte of is never tried again, unless its model
 * says that others go on with it.
 * @throws GateError why the last target was not even tried
 */
export function attempts(parts: AttemptsParts, job: Job, targets: readonly Target[]): Promise<Conclusion> {
  const plan = targets.slice(0, MAX_TARGETS)
  const conduct = conductOf(job, plan)
  return conduct.settle(() => inTurn(parts, job, plan, conduct))
}

async function inTurn(parts: AttemptsParts, job: Job, plan: Target[], conduct: Conduct): Promise<Conclusion> {
  const { answer } = job
  let refusal: GateError | null = null
  let number = 0
  let hasRestarted = false
  const check: CheckJson = (question) => parts.checker.check(question, job.keyId)
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
    const spoken = conduct.spokenFor(parts.dialects.all, job.dialect, upstream)
    const side = { model: target.model, provider: upstream.provider }
    const own = bothTunings(upstream.tuning, target.tuning)
    // what was said to Gate is not said to others, but for a provider that knows the same words
    const routes = providerRow(upstream.provider).routes === true
    const isForGate = job.asked.routing !== undefined && !routes
    const dropped = isForGate ? ROUTING_DROPPED : routes && job.isLimited ? OTHER_MODELS_DROPPED : null
    const tuning = dropped === null ? own : bothTunings(own, dropped)
    const around = { nowMs: parts.now(), check, calls: upstream.toolArguments }
    const sending = orRefusal(() => conduct.sendingTo(spoken, job, side, tuning, around))
    if (sending instanceof GateError) {
      turn.release(false)
      refusal = sending
      continue
    }
    const key = upstream.keys.take()
    if (key.kind === 'none') {
      turn.release(false)
      refusal = allKeysUsed(target, key.waitMs)
      continue
    }
    number += 1
    answer.wait = turn.wait
    const tried = { target, upstream, sending, key: key.index, number, release: turn.release }
    const { end, hasAnotherKey } = await attempt(parts, job, tried)
    if (hasAnotherKey) plan.unshift(target)
    if (plan.length > 0 && end.kind !== 'answered' && !parts.retries.retry()) return { kind: 'ended', target, end }
    if (turn.mayRestart && !hasRestarted && end.kind === 'unreached') {
      hasRestarted = true
      plan.unshift(target) // its engine had stopped unnoticed: this time it is started first
    }
    if (plan.length === 0 || !conduct.mayTryElsewhere(end, target)) return { kind: 'ended', target, end }
  }
  throw refusal ?? new GateError('NOT_READY', 'the upstreams of this model were just removed; try again')
}

function allKeysUsed({ upstream }: Target, waitMs: number): GateError {
  const message = `all keys of upstream "${upstream}" have reached their limit or rest`
  return new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: Math.ceil(waitMs / 1_000) })
}

/** What a target cannot take, another one may. */
function orRefusal(sending: () => Sending): Sending | GateError {
  try {
    return sending()
  } catch (error) {
    if (error instanceof GateError) return error
    throw error
  }
}

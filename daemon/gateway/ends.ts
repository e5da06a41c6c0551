import type { Target, TargetHealth } from '../route/target-health.ts'
import type { ForwardEnd } from '../upstream/forward-end.ts'
import { retryAfterMs } from './retry-after.ts'

/** How it all ended: with the last attempt, or before it because the client went away. */
export type Conclusion =
  | { readonly kind: 'ended'; readonly target: Target; readonly end: ForwardEnd }
  | { readonly kind: 'gone' }

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
export function isBroken({ kind }: ForwardEnd): boolean {
  return kind === 'unreached' || kind === 'broken-before' || kind === 'broken-within'
}

type NotedHealth = Pick<TargetHealth, 'succeeded' | 'failed' | 'undecided'>

/** Tells the health of a target how an attempt ended. @param now Unix milliseconds */
export function noteHealth(health: NotedHealth, target: Target, end: ForwardEnd, now: () => number): void {
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

/**
 * Statuses from 400 to 499 that another target may do better on: they are about this upstream, its credentials or its
 * load (498 is Groq's). Any other is about the request itself.
 */
const TRY_ELSEWHERE = new Set([401, 402, 403, 404, 405, 407, 408, 409, 410, 421, 423, 424, 425, 429, 451, 498, 499])
const mayDoBetter = (status: number): boolean => status < 400 || status >= 500 || TRY_ELSEWHERE.has(status)

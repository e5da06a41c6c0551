import { type GroupView, longestWaiting, othersWait, turnEndsAt } from './group-view.ts'
import {
  COLD_START_MS,
  type Member,
  needsStart,
  noteFailed,
  noteStarted,
  type RefusalReason,
  type Waiter,
} from './member.ts'

/** What a group wants done; each is answered by a call of the methods named. */
export type GroupEffects = {
  /** Stop the engines of `others` (`stopped` for each), then start this one: `started` or `failed`. */
  readonly bring: (name: string, others: readonly string[]) => void
  /** Stop this one: `halted`. */
  readonly halt: (name: string) => void
}

const RETRY_MS = 2_000

/**
 * Who has the floor of a group, and what follows from it. `advance` does everything that can be done at once; it is called
 * after every event. @param now monotonic milliseconds
 */
export function createFloor(effects: GroupEffects, now: () => number) {
  const view: { -readonly [K in keyof GroupView]: GroupView[K] } = { members: new Map(), holder: null, phase: 'ready' }
  let startingAt = 0

  function advance(): void {
    let last: Member | null = null
    for (;;) {
      view.holder ??= stillBusy()
      const { holder, phase } = view
      if (holder === null) {
        const next = longestWaiting(view, last)
        if (next !== null) bring(next)
        return
      }
      if (phase === 'starting' || phase === 'stopping') return
      view.phase = mustYield(holder) ? 'draining' : 'ready'
      if (view.phase === 'ready') {
        grantInTurn(holder)
        return
      }
      if (holder.inFlight > 0) return
      if (holder.stopAsked) {
        view.phase = 'stopping'
        effects.halt(holder.name)
        return
      }
      last = holder
      vacate()
    }
  }

  function vacate(): void {
    view.holder = null
    view.phase = 'ready'
  }

  /** A member that still answers requests although it has not the floor: it broke, or came over from another group. */
  function stillBusy(): Member | null {
    for (const member of view.members.values()) if (member.inFlight > 0) return member
    return null
  }

  function mustYield(holder: Member): boolean {
    if (holder.stopAsked) return true
    if (!othersWait(view, holder)) return false
    return view.phase === 'draining' || now() >= turnEndsAt(holder, now())
  }

  function grantInTurn(holder: Member): void {
    while (holder.inFlight < holder.limits.maxConcurrent) {
      const [first] = holder.waiting
      if (first === undefined) return
      if (needsStart(holder, now())) {
        bring(holder)
        return
      }
      holder.waiting.shift()
      holder.inFlight += 1
      holder.lastUsedAt = now()
      const coldStart = first.arrivedAt < holder.readyAt && holder.lastStartMs >= COLD_START_MS
      first.settle({ kind: 'granted', coldStart })
    }
  }

  function bring(member: Member): void {
    view.holder = member
    view.phase = 'starting'
    startingAt = now()
    member.engine = 'unknown'
    const others = [...view.members.values()].filter((other) => {
      return other !== member && other.engine !== 'stopped' && other.inFlight === 0
    })
    effects.bring(
      member.name,
      others.map(({ name }) => name),
    )
  }

  function failed(name: string): void {
    const { holder, phase } = view
    if (holder?.name !== name || phase !== 'starting') return
    noteFailed(holder, now())
    refuseAll(holder, 'down', holder.restUntil - now())
    if (holder.stopAsked) view.phase = 'draining'
    else vacate()
    advance()
  }

  function refuse(waiter: Waiter, reason: RefusalReason, retryAfterMs = RETRY_MS): void {
    waiter.settle({ kind: 'refused', reason, retryAfterMs })
  }

  function refuseAll(member: Member, reason: RefusalReason, retryAfterMs = RETRY_MS): void {
    for (const waiter of member.waiting.splice(0)) refuse(waiter, reason, retryAfterMs)
  }

  return {
    view,
    advance,
    /** Nobody has the floor any more. */
    vacate,
    refuse,
    refuseAll,
    failed,
    /** @returns false when it has crashed so often that it may not be used for now */
    started(name: string): boolean {
      const { holder, phase } = view
      if (holder?.name !== name || phase !== 'starting') return true
      if (!noteStarted(holder, startingAt, now())) {
        failed(name)
        return false
      }
      view.phase = 'ready'
      advance()
      return true
    },
  }
}

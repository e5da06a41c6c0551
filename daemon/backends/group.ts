import { expiresAt, longestWaiting, othersWait, stateOf, turnEndsAt } from './group-view.ts'
import {
  COLD_START_MS,
  forgive,
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

export type Group = ReturnType<typeof createGroup>

const RETRY_MS = 2_000

/**
 * Backends of which at most one runs; one without a group is a group of its own. Decides who may send a request, who waits,
 * and which engine starts and stops. Nothing in here waits: effects are asked for, and `tick` is to be called at `dueAt`.
 *
 * One member has the floor. Requests for it are let through up to its limit; those for others wait, first come, first
 * served. When its turn is over it drains: nobody new is let through, and once its last request has ended the floor goes to
 * the member whose first request has waited longest, whose engine starts when all others are stopped.
 * @param now monotonic milliseconds
 */
export function createGroup(effects: GroupEffects, now: () => number) {
  const view = {
    members: new Map<string, Member>(),
    holder: null as Member | null,
    phase: 'ready' as 'starting' | 'ready' | 'draining' | 'stopping',
  }
  let startingAt = 0

  /** Does everything that can be done at once. Called after every event. */
  function pump(): void {
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
      release()
    }
  }

  function release(): void {
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
    else release()
    pump()
  }

  function refuse(waiter: Waiter, reason: RefusalReason, retryAfterMs = RETRY_MS): void {
    waiter.settle({ kind: 'refused', reason, retryAfterMs })
  }

  function refuseAll(member: Member, reason: RefusalReason, retryAfterMs = RETRY_MS): void {
    for (const waiter of member.waiting.splice(0)) refuse(waiter, reason, retryAfterMs)
  }

  return {
    /** Takes over which backends there are. One that has left takes no part any more; its waiting requests ask again. */
    apply(members: readonly Member[]): void {
      const { holder } = view
      for (const member of view.members.values()) {
        if (members.includes(member)) continue
        for (const waiter of member.waiting.splice(0)) waiter.settle({ kind: 'moved' })
      }
      view.members = new Map(members.map((member) => [member.name, member]))
      if (holder !== null && !members.includes(holder)) release()
      pump()
    },

    /** A request for a member. It is settled at once when it need not wait. */
    enter(member: Member, waiter: Waiter): void {
      if (member.heldByOperator) refuse(waiter, 'stopped')
      else if (member.restUntil > now()) refuse(waiter, 'down', member.restUntil - now())
      else if (member.waiting.length >= member.limits.maxWaiting) refuse(waiter, 'full')
      else {
        member.waiting.push(waiter)
        pump()
      }
    },

    /** A waiting request that gives up. */
    leave(member: Member, waiter: Waiter): void {
      const index = member.waiting.indexOf(waiter)
      if (index === -1) return
      member.waiting.splice(index, 1)
      pump()
    },

    /** A request that was granted has ended. @param broke its engine could not be reached, or broke off */
    release(member: Member, broke: boolean): void {
      member.inFlight -= 1
      member.lastUsedAt = now()
      if (broke) {
        member.broke = true
        member.engine = 'unknown'
      }
      pump()
    },

    /** An engine was stopped to make room. */
    stopped(name: string): void {
      const member = view.members.get(name)
      if (member !== undefined && member !== view.holder) member.engine = 'stopped'
    },

    /** @returns false when it has crashed so often that it may not be used for now */
    started(name: string): boolean {
      const { holder, phase } = view
      if (holder?.name !== name || phase !== 'starting') return true
      if (!noteStarted(holder, startingAt, now())) {
        failed(name)
        return false
      }
      view.phase = 'ready'
      pump()
      return true
    },

    failed,

    halted(name: string, isStopped: boolean): void {
      const member = view.members.get(name)
      if (member === undefined || (member === view.holder && view.phase !== 'stopping')) return
      member.engine = isStopped ? 'stopped' : 'unknown'
      member.stopAsked = false
      if (member === view.holder) release()
      pump()
    },

    /** What its agent says of an engine that nobody here has started or stopped yet. */
    surveyed(name: string, isRunning: boolean): void {
      const member = view.members.get(name)
      if (member === undefined || member.engine !== 'unknown' || member === view.holder) return
      if (isRunning && view.holder !== null) {
        effects.halt(name)
        return
      }
      member.engine = isRunning ? 'running' : 'stopped'
      if (!isRunning) return
      view.holder = member
      member.readyAt = now()
      member.lastUsedAt = now()
    },

    /** Lets requests to it again, whatever happened before. */
    allow(member: Member): void {
      forgive(member)
      member.heldByOperator = false
      member.stopAsked = false
      pump()
    },

    /** Stops it once its requests are finished: `halted`. @param hold whether it stays so until `allow` */
    stop(member: Member, hold: boolean): void {
      member.heldByOperator = hold
      if (hold) refuseAll(member, 'stopped')
      member.stopAsked = true
      if (member !== view.holder && member.inFlight === 0) effects.halt(member.name)
      else pump()
    },

    /** Refuses what has waited too long, and ends turns that are over. */
    tick(): void {
      for (const member of view.members.values()) {
        while (expiresAt(member, view) <= now()) {
          const first = member.waiting.shift()
          if (first !== undefined) refuse(first, 'timeout')
        }
      }
      pump()
    },

    /** When `tick` has something to do; Infinity: never. */
    dueAt(): number {
      const { holder, phase, members } = view
      let due = Number.POSITIVE_INFINITY
      for (const member of members.values()) if (member.waiting.length > 0) due = Math.min(due, expiresAt(member, view))
      const mayEnd = holder !== null && phase === 'ready' && othersWait(view, holder)
      return mayEnd ? Math.min(due, turnEndsAt(holder, now())) : due
    },

    stateOf: (member: Member) => stateOf(member, view, now()),
  }
}

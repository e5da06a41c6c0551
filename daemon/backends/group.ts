import { createFloor, type GroupEffects } from './floor.ts'
import { expiresAt, othersWait, stateOf, turnEndsAt } from './group-view.ts'
import { forgive, type Member, type Waiter } from './member.ts'

export type Group = ReturnType<typeof createGroup>

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
  const floor = createFloor(effects, now)
  const { view, advance, vacate, refuse, refuseAll } = floor

  return {
    /** Takes over which backends there are. One that has left takes no part any more; its waiting requests ask again. */
    apply(members: readonly Member[]): void {
      const { holder } = view
      for (const member of view.members.values()) {
        if (members.includes(member)) continue
        for (const waiter of member.waiting.splice(0)) waiter.settle({ kind: 'moved' })
      }
      view.members = new Map(members.map((member) => [member.name, member]))
      if (holder !== null && !members.includes(holder)) vacate()
      advance()
    },

    /** A request for a member. It is settled at once when it need not wait. */
    enter(member: Member, waiter: Waiter): void {
      if (member.heldByOperator) refuse(waiter, 'stopped')
      else if (member.restUntil > now()) refuse(waiter, 'down', member.restUntil - now())
      else if (member.waiting.length >= member.limits.maxWaiting) refuse(waiter, 'full')
      else {
        member.waiting.push(waiter)
        advance()
      }
    },

    /** A waiting request that gives up. */
    leave(member: Member, waiter: Waiter): void {
      const index = member.waiting.indexOf(waiter)
      if (index === -1) return
      member.waiting.splice(index, 1)
      advance()
    },

    /** A request that was granted has ended. @param broke its engine could not be reached, or broke off */
    release(member: Member, broke: boolean): void {
      member.inFlight -= 1
      member.lastUsedAt = now()
      if (broke) {
        member.broke = true
        member.engine = 'unknown'
      }
      advance()
    },

    /** An engine was stopped to make room. */
    stopped(name: string): void {
      const member = view.members.get(name)
      if (member !== undefined && member !== view.holder) member.engine = 'stopped'
    },

    started: floor.started,
    failed: floor.failed,

    halted(name: string, isStopped: boolean): void {
      const member = view.members.get(name)
      if (member === undefined || (member === view.holder && view.phase !== 'stopping')) return
      member.engine = isStopped ? 'stopped' : 'unknown'
      member.stopAsked = false
      if (member === view.holder) vacate()
      advance()
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
      advance()
    },

    /** Stops it once its requests are finished: `halted`. @param hold whether it stays so until `allow` */
    stop(member: Member, hold: boolean): void {
      member.heldByOperator = hold
      if (hold) refuseAll(member, 'stopped')
      member.stopAsked = true
      if (member !== view.holder && member.inFlight === 0) effects.halt(member.name)
      else advance()
    },

    /** Refuses what has waited too long, and ends turns that are over. */
    tick(): void {
      for (const member of view.members.values()) {
        while (expiresAt(member, view) <= now()) {
          const first = member.waiting.shift()
          if (first !== undefined) refuse(first, 'timeout')
        }
      }
      advance()
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

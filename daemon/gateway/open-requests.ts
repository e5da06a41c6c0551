import type { EndCause, Ended } from '../../schemas/words/ended.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Principal } from '../auth/principal.ts'
import type { Answer } from './answer.ts'
import type { RequestProgress } from './request-progress.ts'

const END_MESSAGES: Readonly<Record<EndCause, string>> = {
  expired: 'the key has expired',
  revoked: 'the key was revoked',
  disabled: 'the key, or whose it is, was disabled',
  removed: 'whose key it is was removed',
  narrowed: 'the key may do less than when the request began; send it again',
  'signed-out': 'the session was ended',
}

const ownerOf = ({ userId, keyId }: Principal): string => (userId === null ? keyId : `user:${userId}`)

type Placed<T> = { readonly item: T; index: number }

/** What the requests in flight need of an answer. */
type Open = Pick<Answer, 'cutOff'> & { readonly progress: Pick<RequestProgress, 'principal'> }

/**
 * The requests in flight. Not a Set: when V8 grows or compacts the table of a Set, the old table keeps a reference to
 * the new one, and once one of them is in the old generation, every table after it, and every request in them, survives
 * until a full collection.
 */
export function createOpenRequests<T extends Open>() {
  const open: Placed<T>[] = []
  let onIdle: (() => void) | null = null

  function cutOff(error: GateError, isMeant: (item: T) => boolean): void {
    for (const { item } of [...open]) if (isMeant(item)) item.cutOff(error)
  }

  return {
    count: () => open.length,
    add(item: T): Placed<T> {
      const placed = { item, index: open.length }
      open.push(placed)
      return placed
    },
    /** Removes a request that was added. */
    remove(placed: Placed<T>): void {
      const last = open.pop()
      if (last !== undefined && last !== placed) {
        open[placed.index] = last
        last.index = placed.index
      }
      if (open.length === 0) onIdle?.()
    },
    /** Counted once: those of a person; of a key that is no person's, those of the key. */
    counts(): (principal: Principal) => number {
      const byOwner = new Map<string, number>()
      for (const { item } of open) {
        const { principal } = item.progress
        if (principal === null) continue
        const owner = ownerOf(principal)
        byOwner.set(owner, (byOwner.get(owner) ?? 0) + 1)
      }
      return (principal) => byOwner.get(ownerOf(principal)) ?? 0
    },
    items: () => open.map(({ item }) => item),
    /** Cuts off what is being answered to a credential, or a person, that does not count any more. */
    cutEnded({ kind, id, why }: Ended): void {
      const isMeant = ({ progress: { principal } }: T) =>
        principal !== null && (kind === 'user' ? principal.userId : principal.credentialId) === id
      cutOff(new GateError('INVALID_KEY', END_MESSAGES[why]), isMeant)
    },
    /**
     * Waits until the listeners are closed and nothing is in flight. What is still there when `signal` aborts is cut
     * off with an error, and so is what comes after.
     */
    async drain(closed: Promise<unknown>, signal: AbortSignal): Promise<void> {
      const cut = () => cutOff(new GateError('NOT_READY', 'Gate is stopping', { retryAfterS: 1 }), () => true)
      signal.addEventListener('abort', cut, { once: true })
      if (signal.aborted) cut()
      await closed
      await new Promise<void>((resolve) => {
        onIdle = resolve
        if (open.length === 0) resolve()
      })
      signal.removeEventListener('abort', cut)
    },
  }
}

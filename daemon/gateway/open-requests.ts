import { GateError } from '../../schemas/words/errors.ts'
import type { KeyEnd } from '../auth/tokens.ts'
import type { Answer } from './answer.ts'

type Placed<T> = { readonly item: T; index: number }

/** What the requests in flight need of an answer. */
type Open = Pick<Answer, 'keyId' | 'cutOff'>

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
    items: () => open.map(({ item }) => item),
    /** Cuts off what is being answered to a key that is no longer valid. */
    cutKey(keyId: string, why: KeyEnd): void {
      const message = why === 'expired' ? 'the key has expired' : 'the key was revoked'
      cutOff(new GateError('INVALID_KEY', message), (item) => item.keyId === keyId)
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

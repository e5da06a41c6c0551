import { GateError } from '../../schemas/words/errors.ts'

/** Threads that read at a time: each has a heap and a page cache of its own. */
const MOST_READING = 2
/** Reads that wait or go on, of all and of one owner. */
const MOST_TAKEN = 64
const MOST_OF_OWNER = 4

/** Waits for a turn, reads, and gives the turn to the next. */
export type ReadTurns = <T>(owner: string, signal: AbortSignal, read: () => Promise<T>) => Promise<T>

/**
 * Bounds the reads that take a thread each: some go on, others wait in their order, and the rest is refused.
 * @returns what `read` returns or throws @throws GateError TOO_MANY_REQUESTS @throws Error when `signal` ends the wait
 */
export function createReadTurns(): ReadTurns {
  const taken = new Map<string, number>()
  const waiting = new Set<() => void>()
  let going = 0
  let count = 0

  function take(owner: string): void {
    const own = taken.get(owner) ?? 0
    if (count >= MOST_TAKEN || own >= MOST_OF_OWNER) {
      const message = 'too many reports are being read; try again when they are done'
      throw new GateError('TOO_MANY_REQUESTS', message, { retryAfterS: 1 })
    }
    count += 1
    taken.set(owner, own + 1)
  }

  function giveBack(owner: string): void {
    count -= 1
    const own = (taken.get(owner) ?? 1) - 1
    if (own === 0) taken.delete(owner)
    else taken.set(owner, own)
  }

  async function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (going < MOST_READING) {
      going += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = () => {
      waiting.delete(resolve)
      reject(signal.reason as Error)
    }
    waiting.add(resolve)
    signal.addEventListener('abort', leave, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  /** The turn passes to the one that waits longest. */
  function passOn(): void {
    const [next] = waiting
    if (next === undefined) {
      going -= 1
      return
    }
    waiting.delete(next)
    next()
  }

  return async (owner, signal, read) => {
    take(owner)
    try {
      await turn(signal)
      try {
        return await read()
      } finally {
        passOn()
      }
    } finally {
      giveBack(owner)
    }
  }
}

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { GateError } from '../../../schemas/words/errors.ts'
import { type Argon2Cost, type PasswordHash, passwordHashText, readPasswordHash } from '../../../syntax/phc/phc.ts'
import { createHashThread, type HashThread } from './hash-thread.ts'

/** RFC 9106 leaves it to the use; OWASP's least for argon2id. A hash takes about 20 ms. */
export const USUAL_COST: Argon2Cost = { memoryKib: 19_456, passes: 2, lanes: 1 }
const SALT_BYTES = 16
const TAG_BYTES = 32
/** Longer ones are refused before anything is computed. */
export const LONGEST_PASSWORD = 1_024
/** Hashes at once: together they take 76 MiB. */
const MOST_AT_ONCE = 4
/** Checks that may wait for one of these, half a second of work. */
const MOST_WAITING = 64
const RETRY_AFTER_S = 2

export type Hasher = ReturnType<typeof createHasher>

/**
 * Computes hashes of passwords: a few at once, some that wait, and no more.
 * @param atOnce fewer where processors are few: what is computed beside the loop takes its time from it
 */
export function createHasher(atOnce = MOST_AT_ONCE) {
  let running = 0
  /** As many as were ever busy at once. */
  const threads: HashThread[] = []
  const waiting: (() => void)[] = []

  async function turn(): Promise<void> {
    if (running < Math.min(atOnce, MOST_AT_ONCE)) {
      running += 1
      return
    }
    if (waiting.length >= MOST_WAITING)
      throw new GateError('TOO_MANY_REQUESTS', 'too many sign-ins are being checked; try again in a moment', {
        retryAfterS: RETRY_AFTER_S,
      })
    await new Promise<void>((resolve) => waiting.push(resolve))
  }

  function done(): void {
    const next = waiting.shift()
    if (next === undefined) running -= 1
    else next()
  }

  async function tagOf(password: string, cost: Argon2Cost, salt: Buffer, bytes: number): Promise<Buffer> {
    const free = threads.find((thread) => !thread.isBusy()) ?? createHashThread()
    if (!threads.includes(free)) threads.push(free)
    return free.tagOf({ password: Buffer.from(password.normalize('NFC')), salt, cost, bytes })
  }

  return {
    /** @returns the hash as text @throws GateError TOO_MANY_REQUESTS */
    async hash(password: string): Promise<string> {
      await turn()
      try {
        const salt = randomBytes(SALT_BYTES)
        return passwordHashText({ ...USUAL_COST, salt, tag: await tagOf(password, USUAL_COST, salt, TAG_BYTES) })
      } finally {
        done()
      }
    },
    /**
     * Whether a password belongs to one of the hashes; each is computed, whichever it is.
     * @returns the index of the hash, or -1
     * @throws GateError TOO_MANY_REQUESTS
     */
    async check(password: string, hashes: readonly PasswordHash[]): Promise<number> {
      await turn()
      try {
        let found = -1
        for (const [index, { salt, tag, ...cost }] of hashes.entries()) {
          const computed = await tagOf(password, cost, salt, tag.length)
          if (timingSafeEqual(computed, tag)) found = index
        }
        return found
      } finally {
        done()
      }
    },
    /** For a status: how many are computed, and how many wait. */
    load: () => ({ running, waiting: waiting.length }),
  }
}

/** A hash that no password has, of the same cost. */
export function dummyHash(cost: Argon2Cost): PasswordHash {
  return { ...cost, salt: randomBytes(SALT_BYTES), tag: randomBytes(TAG_BYTES) }
}

const MOST_COST = { memoryKib: 262_144, passes: 16, lanes: 16 }

/** A hash that is worth computing; undefined for a text that is none, or one that would cost too much. */
export function usableHash(text: string): PasswordHash | undefined {
  const hash = readPasswordHash(text)
  if (hash === undefined || hash.passes < 1 || hash.lanes < 1 || hash.memoryKib < 8 * hash.lanes) return undefined
  const { memoryKib, passes, lanes } = MOST_COST
  return hash.memoryKib > memoryKib || hash.passes > passes || hash.lanes > lanes ? undefined : hash
}

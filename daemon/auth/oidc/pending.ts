import { hash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { addressBlock } from '../../../schemas/words/address.ts'
import { SIGN_IN_LIFE_S } from '../../../schemas/words/sign-in.ts'

/** Sign-ins that came back in that time; when there were more, the next is told to wait. */
const MOST_USED = 10_000
/** The same of one client, which may be many people behind one address. */
const MOST_USED_OF_CLIENT = 300

/** What was begun in one browser, and is kept there, sealed. */
const pendingShape = z.strictObject({
  provider: z.string(),
  issuer: z.string(),
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  /** Unix milliseconds. */
  expiresAt: z.number(),
})
export type PendingSignIn = z.output<typeof pendingShape>

/** What sign-ins that are under way need from storage. */
export type UsedStates = {
  /** Notes that a state came back. @returns false when it has before @param expiresAt Unix milliseconds */
  readonly take: (stateHash: string, expiresAt: number) => boolean
  /** Forgets those that have expired. @returns how many are left */
  readonly trim: (now: number) => number
}

/** Seals a text for one place. @see store/sealed/sealed.ts */
export type Sealing = { readonly seal: (text: string) => Buffer; readonly unseal: (sealed: Buffer) => string | null }

/**
 * Sign-ins under way. Everything about one is in a sealed cookie of the browser that began it, so that no flood of
 * them fills a table; only states that came back are noted, which none can do twice, nor after a restart.
 */
export function pendingSignIns(sealing: Sealing, used: UsedStates, now: () => number) {
  /** Since when, and how many: at most one for each state that is noted. */
  const byClient = new Map<string, { readonly until: number; count: number }>()

  /** Before anything is written, so that one client does not take what is there for all. */
  function admits(client: string): boolean {
    const at = now()
    for (const [key, { until }] of byClient) {
      if (until > at) break // the oldest come first
      byClient.delete(key)
    }
    const known = byClient.get(client) ?? { until: at + SIGN_IN_LIFE_S * 1_000, count: 0 }
    if (known.count >= MOST_USED_OF_CLIENT || (known.count === 0 && byClient.size >= MOST_USED)) return false
    known.count += 1
    byClient.set(client, known)
    return true
  }

  return {
    /** @returns the value of the cookie */
    keep: (pending: Omit<PendingSignIn, 'expiresAt'>): string =>
      sealing.seal(JSON.stringify({ ...pending, expiresAt: now() + SIGN_IN_LIFE_S * 1_000 })).toString('base64url'),

    /**
     * @param cookie its value, or undefined
     * @param state what came back; each is taken once
     * @param address of the client
     */
    take(
      cookie: string | undefined,
      state: string,
      address: string,
    ):
      | { readonly kind: 'taken'; readonly pending: PendingSignIn }
      | { readonly kind: 'unknown' | 'expired' | 'used' | 'full' } {
      const text = cookie === undefined ? null : sealing.unseal(Buffer.from(cookie, 'base64url'))
      if (text === null) return { kind: 'unknown' }
      const { data: pending } = pendingShape.safeParse(JSON.parse(text))
      if (pending === undefined || !isSame(pending.state, state)) return { kind: 'unknown' }
      if (pending.expiresAt <= now()) return { kind: 'expired' }
      if (!admits(addressBlock(address)) || used.trim(now()) >= MOST_USED) return { kind: 'full' }
      return used.take(hash('sha256', state, 'base64url'), pending.expiresAt)
        ? { kind: 'taken', pending }
        : { kind: 'used' }
    },
  }
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(hash('sha256', a)), Buffer.from(hash('sha256', b)))
}

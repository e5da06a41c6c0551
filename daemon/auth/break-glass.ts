import { createHash, timingSafeEqual } from 'node:crypto'
import { addressBlock } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import { SCOPES } from '../../schemas/words/scopes.ts'
import { createAttempts } from './attempts.ts'
import type { Principal } from './principal.ts'

/** The one name and password that count while `auth.break_glass` is on. */
export type Emergency = { readonly user: string; readonly password: string }

/** A name and password that were compared. Where they are wrong, one of both says what comes of it. */
export type Guess = {
  readonly isRight: boolean
  /** They were meant for this, and are wrong: it is told. */
  readonly refuse: () => void
  /** They were right elsewhere: the attempt does not count. */
  readonly takeBack: () => void
}

/** What others are told of each use, and of each attempt that was refused. */
export type NoteUse = (outcome: 'done' | 'refused', name: string, address: string) => void

const BY_ANYBODY = { free: 20, firstMs: 1_000, longestMs: 30_000 }
const BY_CLIENT = { free: 5, firstMs: 1_000, longestMs: 900_000 }
const LONGEST_NAME = 100

export type BreakGlass = ReturnType<typeof createBreakGlass>

/**
 * The way in when no user can sign in: HTTP Basic with the name and the password of the environment. Both are compared in
 * constant time, attempts are limited, and each use is told.
 * @param emergency undefined: it is off, and nothing is compared at all
 * @param now monotonic milliseconds
 */
export function createBreakGlass(emergency: Emergency | undefined, note: NoteUse, now: () => number) {
  const byAnybody = createAttempts(BY_ANYBODY, now)
  const byClient = createAttempts(BY_CLIENT, now)
  const expected = emergency && digest(`${emergency.user}:${emergency.password}`)
  const name = emergency && digest(emergency.user)
  const principal: Principal = {
    keyId: 'break-glass',
    name: `break-glass (${emergency?.user ?? ''})`,
    scopes: new Set(SCOPES),
    allowed: null,
    namesUsers: false,
    userId: null,
    teams: [],
    via: 'break-glass',
    credentialId: 'break-glass',
    addresses: null,
    budgets: [],
    limits: [],
    node: null,
  }

  /** @throws GateError TOO_MANY_REQUESTS, also for a right password */
  function guess(username: string, password: string, address: string): Guess {
    const client = addressBlock(address)
    const takeBackOfClient = byClient.begin(client)
    let takeBackOfAnybody: () => void
    try {
      takeBackOfAnybody = byAnybody.begin('')
    } catch (error) {
      takeBackOfClient()
      throw error
    }
    const isRight = expected !== undefined && timingSafeEqual(digest(`${username}:${password}`), expected)
    const given = username.slice(0, LONGEST_NAME)
    if (isRight) {
      byClient.succeeded(client)
      takeBackOfAnybody()
      note('done', given, address)
    }
    return {
      isRight,
      refuse: () => note('refused', given, address),
      takeBack: () => {
        takeBackOfClient()
        takeBackOfAnybody()
      },
    }
  }

  return {
    isOn: expected !== undefined,
    guess,
    /** Whether it is the name of the emergency account, compared in constant time. */
    isName: (username: string): boolean => name !== undefined && timingSafeEqual(digest(username), name),
    /**
     * Who sends name and password with a request; null while it is off.
     * @throws GateError INVALID_KEY, TOO_MANY_REQUESTS
     */
    basic(username: string, password: string, address: string): Principal | null {
      if (expected === undefined) return null
      const tried = guess(username, password, address)
      if (tried.isRight) return principal
      tried.refuse()
      throw new GateError('INVALID_KEY', 'the name or the password is wrong', {
        headers: { 'www-authenticate': 'Basic realm="Gate break-glass", charset="UTF-8"' },
      })
    },
  }
}

/** Of the same length, whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text.normalize('NFC')).digest()

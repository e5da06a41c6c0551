import { createHash, timingSafeEqual } from 'node:crypto'
import { GateError } from '../../schemas/words/errors.ts'
import { SCOPES } from '../../schemas/words/scopes.ts'
import { clientOf, createAttempts } from './attempts.ts'
import type { Principal } from './principal.ts'

/** The one name and password that count while `auth.break_glass` is on. */
export type Emergency = { readonly user: string; readonly password: string }

/** What others are told of each use, and of each attempt that was refused. */
export type NoteUse = (outcome: 'done' | 'refused', name: string, address: string) => void

const BY_ANYBODY = { free: 20, firstMs: 1_000, longestMs: 30_000 }
const BY_CLIENT = { free: 5, firstMs: 1_000, longestMs: 900_000 }
const LONGEST_NAME = 100

export type BreakGlass = ReturnType<typeof createBreakGlass>

/**
 * The way in when nobody can sign in: HTTP Basic with the name and the password of the environment. Both are compared in
 * constant time, attempts are limited, and each use is told.
 * @param emergency undefined: it is off, and nothing is compared at all
 * @param now monotonic milliseconds
 */
export function createBreakGlass(emergency: Emergency | undefined, note: NoteUse, now: () => number) {
  const byAnybody = createAttempts(BY_ANYBODY, now)
  const byClient = createAttempts(BY_CLIENT, now)
  const expected = emergency && digest(`${emergency.user}:${emergency.password}`)
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
  }

  /** @throws GateError TOO_MANY_REQUESTS, also for a right password */
  function isRight(username: string, password: string, address: string): boolean {
    if (expected === undefined) return false
    const client = clientOf(address)
    byClient.begin(client)
    try {
      byAnybody.begin('')
    } catch (error) {
      byClient.withdraw(client)
      throw error
    }
    const right = timingSafeEqual(digest(`${username}:${password}`), expected)
    note(right ? 'done' : 'refused', username.slice(0, LONGEST_NAME), address)
    if (!right) return false
    byClient.succeeded(client)
    byAnybody.withdraw('')
    return true
  }

  return {
    isOn: expected !== undefined,
    isRight,
    /**
     * Who sends name and password with a request; null while it is off.
     * @throws GateError INVALID_KEY, TOO_MANY_REQUESTS
     */
    basic(username: string, password: string, address: string): Principal | null {
      if (expected === undefined) return null
      if (isRight(username, password, address)) return principal
      throw new GateError('INVALID_KEY', 'the name or the password is wrong', {
        headers: { 'www-authenticate': 'Basic realm="Gate break-glass", charset="UTF-8"' },
      })
    },
  }
}

/** Of the same length, whatever was sent. */
const digest = (text: string): Buffer => createHash('sha256').update(text.normalize('NFC')).digest()

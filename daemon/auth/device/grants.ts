import { hash } from 'node:crypto'
import { addressBlock } from '../../../schemas/words/address.ts'
import { DEVICE_CODE_LIFE_S, POLL_INTERVAL_S } from '../../../schemas/words/sign-in.ts'
import { newUserCode, normalUserCode } from './user-code.ts'

/** What `slow_down` adds to the interval, RFC 8628 section 3.5. */
const SLOWER_S = 5
/** A client whose request was on its way for a moment longer or shorter does not poll too fast. */
const JITTER_MS = 500
/** How long a device that polls on is told that its code has expired; then it is not known any more. */
const EXPIRED_SHOWN_MS = 60_000
/** Grants that no person has decided on yet; one address, or /64 of IPv6, may have a fraction of them. */
const MOST_PENDING = 1_000
const MOST_PENDING_OF_ADDRESS = 20
/** Codes that are not in force, typed by one person or from one address, within the life of a code. */
const MOST_WRONG_CODES = 10
/** The same of all users together: a guess is right once in 2^24 with every grant pending. */
const MOST_WRONG_CODES_TOGETHER = 1_000

/** What a device asks for. */
export type DeviceRequest = {
  /** As the client names itself; null: it does not. Its polls must say the same. */
  readonly clientId: string | null
  /** What it asks to be allowed; null: all that the person may. */
  readonly scope: string | null
  /** What is shown to the person who decides, such as the client's User-Agent. */
  readonly label: string
  /** Of the client. */
  readonly address: string
}

/** A request for a person to decide on. Times are Unix milliseconds. */
export type PendingDevice = {
  readonly userCode: string
  readonly clientId: string | null
  readonly scope: string | null
  readonly label: string
  readonly address: string
  readonly requestedAt: number
}

/** What a poll is told, in the words of RFC 8628 section 3.5. */
export type PollResult =
  | {
      readonly kind: 'approved'
      readonly userId: string
      readonly clientId: string | null
      readonly scope: string | null
      readonly label: string
    }
  | { readonly kind: 'authorization_pending' | 'slow_down' | 'access_denied' | 'expired_token' | 'invalid_grant' }

/** What came of a typed code. `too-many`: of wrong ones; it is not looked up. */
export type CodeResult<T> =
  | T
  | { readonly kind: 'unknown' }
  | { readonly kind: 'too-many'; readonly retryAfterMs: number }

type Grant = {
  /** The address, or the /64 that it is in. */
  readonly client: string
  readonly device: PendingDevice
  readonly expiresAt: number
  state:
    | { readonly kind: 'pending' }
    | { readonly kind: 'denied' }
    | { readonly kind: 'approved'; readonly userId: string }
  intervalMs: number
  polledAt: number
}

export type DeviceGrants = ReturnType<typeof createDeviceGrants>

/**
 * The device authorization grant (RFC 8628): what devices ask for, and what people decide on it. Held in memory for ten
 * minutes: a device that asked before a restart is told to begin again.
 * @param random gives that many random bytes
 * @param now Unix milliseconds
 */
export function createDeviceGrants(random: (bytes: number) => Uint8Array, now: () => number) {
  const byDeviceCode = new Map<string, Grant>()
  const byUserCode = new Map<string, Grant>()
  const wrong = createWrongCodes(now)

  /** The oldest come first, as all live for as long. */
  function forgetExpired(): void {
    const at = now()
    for (const [key, grant] of byDeviceCode) {
      if (grant.expiresAt + EXPIRED_SHOWN_MS > at) return
      byDeviceCode.delete(key)
      byUserCode.delete(grant.device.userCode)
    }
  }

  function pendingOf(typed: string, asker: string): CodeResult<{ readonly kind: 'found'; readonly grant: Grant }> {
    forgetExpired()
    const retryAfterMs = wrong.waitMs(asker)
    if (retryAfterMs > 0) return { kind: 'too-many', retryAfterMs }
    const code = normalUserCode(typed)
    const grant = code === null ? undefined : byUserCode.get(code)
    if (grant?.state.kind === 'pending' && grant.expiresAt > now()) return { kind: 'found', grant }
    wrong.note(asker)
    return { kind: 'unknown' }
  }

  return {
    /** @returns both codes, the device's own of 256 bits; or `full`, when too many wait already */
    begin(
      request: DeviceRequest,
    ):
      | { readonly kind: 'begun'; readonly deviceCode: string; readonly userCode: string }
      | { readonly kind: 'full'; readonly retryAfterMs: number } {
      forgetExpired()
      const client = addressBlock(request.address)
      const waiting = [...byDeviceCode.values()].filter((grant) => grant.client === client)
      const [oldest] = waiting.length >= MOST_PENDING_OF_ADDRESS ? waiting : byDeviceCode.values()
      if (oldest !== undefined && (waiting.length >= MOST_PENDING_OF_ADDRESS || byDeviceCode.size >= MOST_PENDING))
        return { kind: 'full', retryAfterMs: oldest.expiresAt - now() }
      const deviceCode = Buffer.from(random(32)).toString('base64url')
      let userCode = newUserCode(random)
      while (byUserCode.has(userCode)) userCode = newUserCode(random)
      const at = now()
      const grant: Grant = {
        client,
        device: { ...request, userCode, requestedAt: at },
        expiresAt: at + DEVICE_CODE_LIFE_S * 1_000,
        state: { kind: 'pending' },
        intervalMs: POLL_INTERVAL_S * 1_000,
        polledAt: Number.NEGATIVE_INFINITY,
      }
      byDeviceCode.set(hash('sha256', deviceCode), grant)
      byUserCode.set(userCode, grant)
      return { kind: 'begun', deviceCode, userCode }
    },

    /** What a typed code is for. @param asker who typed it: the person's id, or an address */
    lookUp(typed: string, asker: string): CodeResult<{ readonly kind: 'found'; readonly device: PendingDevice }> {
      const found = pendingOf(typed, asker)
      return found.kind === 'found' ? { kind: 'found', device: found.grant.device } : found
    },

    /** A person decides; a code is decided on once. */
    decide(
      typed: string,
      userId: string,
      decision: 'approve' | 'deny',
    ): CodeResult<{ readonly kind: 'decided'; readonly device: PendingDevice }> {
      const found = pendingOf(typed, userId)
      if (found.kind !== 'found') return found
      const { grant } = found
      grant.state = decision === 'approve' ? { kind: 'approved', userId } : { kind: 'denied' }
      byUserCode.delete(grant.device.userCode)
      return { kind: 'decided', device: grant.device }
    },

    /**
     * A device asks whether it was decided. An approval is told once. @param clientId as it was named in the request:
     * another one learns nothing
     */
    poll(deviceCode: string, clientId: string | null): PollResult {
      const key = hash('sha256', deviceCode)
      const grant = byDeviceCode.get(key)
      if (grant === undefined || grant.device.clientId !== clientId) return { kind: 'invalid_grant' }
      const at = now()
      if (grant.expiresAt <= at) return { kind: 'expired_token' }
      const isEarly = at < grant.polledAt + grant.intervalMs - JITTER_MS
      grant.polledAt = at
      if (isEarly) {
        grant.intervalMs += SLOWER_S * 1_000
        return { kind: 'slow_down' }
      }
      if (grant.state.kind === 'pending') return { kind: 'authorization_pending' }
      byDeviceCode.delete(key)
      if (grant.state.kind === 'denied') return { kind: 'access_denied' }
      const { scope, label } = grant.device
      return { kind: 'approved', userId: grant.state.userId, clientId, scope, label }
    },

    /** How many wait, for a person or a poll. */
    count: (): number => byDeviceCode.size,
  }
}

/** Counts wrong codes by who typed them; bounded, as those who typed them longest ago are forgotten first. */
function createWrongCodes(now: () => number) {
  const byAsker = new Map<string, { count: number; readonly until: number }>()
  let together = { count: 0, until: 0 }

  return {
    /** How long no more may be tried; 0: one may. */
    waitMs(asker: string): number {
      const at = now()
      const own = byAsker.get(asker)
      if (own !== undefined && own.until <= at) byAsker.delete(asker)
      const isOwn = own !== undefined && own.until > at && own.count >= MOST_WRONG_CODES
      if (isOwn) return own.until - at
      return together.until > at && together.count >= MOST_WRONG_CODES_TOGETHER ? together.until - at : 0
    },
    note(asker: string): void {
      const at = now()
      const until = at + DEVICE_CODE_LIFE_S * 1_000
      if (together.until <= at) together = { count: 0, until }
      together.count += 1
      const own = byAsker.get(asker)
      if (own !== undefined) own.count += 1
      else byAsker.set(asker, { count: 1, until })
      const [first] = byAsker.keys()
      if (byAsker.size > MOST_WRONG_CODES_TOGETHER && first !== undefined) byAsker.delete(first)
    },
  }
}

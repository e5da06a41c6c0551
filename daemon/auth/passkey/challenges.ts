import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const CHALLENGE_MS = 300_000
/** Used within five minutes, each with a passkey. */
const MOST_USED = 10_000
/** Random bytes, the time until which it counts (big-endian milliseconds), HMAC-SHA-256 of both and the person. */
const RANDOM_BYTES = 16
const TIME_BYTES = 8

/**
 * Challenges that count once, for five minutes, and for the person whom they were made for. Each proves itself, so that
 * no flood of them takes away those of others; only what was used is kept.
 * @param key of this run
 * @param now Unix milliseconds
 */
export function createChallenges(key: Buffer, now: () => number) {
  const used = new Map<string, number>()

  const macOf = (head: Buffer, userId: string | null) =>
    createHmac('sha256', key)
      .update(head)
      .update(userId ?? '')
      .digest()

  /** @returns until when it counts; null: it is none for this person */
  function untilOf(text: string, userId: string | null): number | null {
    const bytes = Buffer.from(text, 'base64url')
    if (bytes.toString('base64url') !== text) return null
    const head = bytes.subarray(0, RANDOM_BYTES + TIME_BYTES)
    const mac = bytes.subarray(RANDOM_BYTES + TIME_BYTES)
    const expected = macOf(head, userId)
    if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return null
    return Number(head.readBigUInt64BE(RANDOM_BYTES))
  }

  return {
    /** @param userId null: whose it is shows when it is used */
    make(userId: string | null): Uint8Array<ArrayBuffer> {
      const head = Buffer.alloc(RANDOM_BYTES + TIME_BYTES)
      randomBytes(RANDOM_BYTES).copy(head)
      head.writeBigUInt64BE(BigInt(now() + CHALLENGE_MS), RANDOM_BYTES)
      return new Uint8Array(Buffer.concat([head, macOf(head, userId)]))
    },
    /** Whether a challenge is one for this person, and was not used before. @param text base64url */
    isOpen(text: string, userId: string | null): boolean {
      const until = untilOf(text, userId)
      return until !== null && until > now() && !used.has(text)
    },
    /** To be called once a passkey has signed it. @returns false when it was used meanwhile */
    use(text: string): boolean {
      if (used.has(text)) return false
      const at = now()
      for (const [other, until] of used) if (until <= at || used.size >= MOST_USED) used.delete(other)
      used.set(text, at + CHALLENGE_MS)
      return true
    },
  }
}

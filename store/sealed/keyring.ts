import { newRingKey, openRing, type Ring, type RingKey, writeRing } from './keyring-file.ts'
import type { MasterKey, MasterKeySources } from './master-key.ts'
import { keyIdOf, type Place, seal, unseal } from './sealed.ts'

/** The keys that seal secrets and texts at rest. Every function throws an Error that says why, while it cannot be opened. */
export type Keyring = {
  /** Seals with the current key. @param place table and row; it opens nowhere else */
  readonly seal: (place: Place, text: string) => Buffer
  /** @returns null when it was sealed with a key that is not there, or for another place, or is damaged */
  readonly unseal: (place: Place, sealed: Buffer) => string | null
  /** Whether it was sealed with the current key; what was not is to be sealed anew when keys are rotated. */
  readonly isCurrent: (sealed: Buffer) => boolean
  readonly currentId: () => string
  /** The current one last. */
  readonly keys: () => readonly Pick<RingKey, 'id' | 'madeAt' | 'isFirst'>[]
  /** Where the key comes from that opens the ring. */
  readonly master: () => MasterKey['from']
  /** Makes a new current key. Those before it go on opening what they have sealed. */
  readonly rotate: () => void
  /** Forgets every key but the current one. Call when nothing is sealed with them any more. */
  readonly retire: () => void
}

/** A ring that cannot be opened is tried again at its next use, after this long at the soonest. */
const TRY_AGAIN_MS = 1_000

/**
 * The keyring of a state directory, opened when it is first used.
 * @param now Unix milliseconds @param monotonic milliseconds
 */
export function createKeyring(sources: MasterKeySources, now: () => number, monotonic: () => number): Keyring {
  let ring: Ring | null = null
  let failure: unknown = null
  let triedAt = Number.NEGATIVE_INFINITY

  function use(): Ring {
    if (ring !== null) return ring
    if (monotonic() - triedAt < TRY_AGAIN_MS) throw failure
    triedAt = monotonic()
    try {
      ring = openRing(sources, now)
      return ring
    } catch (error) {
      failure = error
      throw error
    }
  }

  function replace(next: Ring): void {
    writeRing(sources.stateDirectory, next)
    ring = next
  }

  return {
    seal: (place, text) => seal(currentOf(use()), place, text),
    unseal(place, sealed) {
      const id = keyIdOf(sealed)
      const key = use().keys.find((each) => (id === 'first' ? each.isFirst : each.id === id))
      return key === undefined ? null : unseal(key.bytes, place, sealed)
    },
    isCurrent: (sealed) => keyIdOf(sealed) === currentOf(use()).id,
    currentId: () => currentOf(use()).id,
    keys: () => use().keys.map(({ id, madeAt, isFirst }) => ({ id, madeAt, isFirst })),
    master: () => use().master.from,
    rotate: () => replace({ ...use(), keys: [...use().keys, newRingKey(now)] }),
    retire: () => replace({ ...use(), keys: [currentOf(use())] }),
  }
}

function currentOf({ keys }: Ring): RingKey {
  const current = keys.at(-1)
  if (current === undefined) throw new Error('a keyring is never empty')
  return current
}

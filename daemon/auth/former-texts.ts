import { GateError } from '../../schemas/words/errors.ts'
import type { PreviousHash, TokenRecord, TokenStore } from './key-record.ts'

/** How many former texts of a key may count at a time. */
const MOST_OF_A_KEY = 4

/**
 * The texts that keys had before they were rotated, as hashes; each counts until its time is over.
 * @param now Unix milliseconds
 */
export function createFormerTexts(store: Pick<TokenStore, 'previous' | 'rotate'>, now: () => number) {
  let all = store.previous()
  /** Keys whose former texts have ended, and are still in the store. */
  const stale = new Set<string>()
  const of = (keyId: string) => all.filter((text) => text.keyId === keyId)
  const others = (keyId: string) => all.filter((text) => text.keyId !== keyId)

  function removeStale(): void {
    for (const keyId of stale)
      try {
        store.rotate(keyId, [], null)
        stale.delete(keyId)
      } catch (error) {
        if (!(error instanceof GateError)) throw error // the store is full or locked: it is tried again
      }
  }

  return {
    all: (): readonly PreviousHash[] => all,
    of,
    /** Those of a key with another one; where that one does not count on, none does. */
    with: (latest: PreviousHash): readonly PreviousHash[] =>
      latest.until <= now() ? [] : [...of(latest.keyId), latest],
    /** In place of those that a key had. @param record what else changes of it @returns those that count */
    keep(keyId: string, texts: readonly PreviousHash[], record: TokenRecord | null): readonly PreviousHash[] {
      const kept = texts.filter(({ until }) => until > now()).slice(-MOST_OF_A_KEY)
      store.rotate(keyId, kept, record)
      all = [...others(keyId), ...kept]
      return kept
    },
    /** A key was revoked, and they with it. */
    forget(keyId: string): void {
      all = others(keyId)
    },
    /** They end in memory, whatever the store says. @returns those that there were */
    end(keyId: string): readonly PreviousHash[] {
      const ended = of(keyId)
      if (ended.length === 0) return []
      all = others(keyId)
      stale.add(keyId)
      removeStale()
      return ended
    },
    /** Takes from the store what it failed to take before. */
    removeStale,
  }
}

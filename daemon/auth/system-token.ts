import type { createFormerTexts } from './former-texts.ts'
import type { PreviousHash } from './key-record.ts'
import { SYSTEM } from './principal.ts'

export type SystemTokenParts = {
  readonly former: Pick<ReturnType<typeof createFormerTexts>, 'of' | 'with' | 'end'>
  readonly hashOf: (text: string) => string
  /** A hash leads to it. @param until Unix milliseconds; null: without end */
  readonly place: (hash: string, until: number | null) => void
  /** A hash leads to nothing any more. */
  readonly displace: (hash: string) => void
  /** Whether a hash leads to it without end. */
  readonly isPlaced: (hash: string) => boolean
  /** Former texts in place of those that it had. */
  readonly keep: (texts: readonly PreviousHash[]) => void
  /** What is answered to it is cut off. */
  readonly ended: () => void
}

/** `auth.token` of the configuration: a key with every scope that is never stored. */
export function createSystemToken({ former, hashOf, place, displace, isPlaced, keep, ended }: SystemTokenParts) {
  const { keyId } = SYSTEM
  let present: string | null = null
  /** Of the text that a rotation puts in place of the present one. */
  let next: string | null = null

  function endFormer(): void {
    const texts = former.end(keyId)
    for (const { hash } of texts) if (hash !== present) displace(hash)
    if (texts.length > 0) ended()
  }

  return {
    /** Where it is removed, or replaced otherwise than by a rotation, its former texts end as well. */
    set(text: string | undefined): void {
      const before = present
      present = text === undefined ? null : hashOf(text)
      if (present === null || (before !== null && ![before, next].includes(present))) endFormer()
      if (before !== present) next = null
      if (before !== null && before !== present && isPlaced(before)) {
        displace(before)
        ended()
      }
      if (present !== null) place(present, null)
    },
    /**
     * Lets the present text count until then, although it is replaced. One that does not count on ends those before it.
     * @param until Unix milliseconds @param text what replaces it
     * @returns what takes that back, when it is not replaced after all
     */
    keepUntil(until: number, text: string): () => void {
      const hash = present
      if (hash === null) return () => {}
      const before = former.of(keyId)
      keep(former.with({ hash, keyId, until }))
      next = hashOf(text)
      return () => {
        next = null
        keep(before)
        place(hash, null)
      }
    },
  }
}

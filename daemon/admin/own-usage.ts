import type { Principal } from '../auth/principal.ts'

/** What a person or a key has used in the last 24 hours. */
export type Used = {
  readonly requests: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cost_microdollars: number
}

/** Whose: a person's with all keys, or of a key that is no person's. */
export type Of = { readonly userId: string } | { readonly keyId: string }

type ReadUsage = (
  wanted: { readonly since: number; readonly until: number; readonly of: Of },
  signal: AbortSignal,
) => Promise<{ readonly total: Used }>

const DAY_MS = 24 * 3_600_000
/** Figures are this old at most, where reading them takes no longer. */
const FRESH_MS = 10_000
const LONGEST_READ_MS = 10_000

export const ownerOf = ({ userId, keyId }: Principal): Of => (userId === null ? { keyId } : { userId })
const textOf = (of: Of): string => JSON.stringify(of)

/**
 * What those who follow have used, read one after the other beside everything else. @param now Unix milliseconds
 */
export function createOwnUsage(read: ReadUsage, now: () => number) {
  const known = new Map<string, { readonly at: number; readonly used: Used }>()
  let work: Promise<void> | null = null

  async function refresh(owners: readonly Of[]): Promise<void> {
    const wanted = new Map(owners.map((of) => [textOf(of), of]))
    for (const text of known.keys()) if (!wanted.has(text)) known.delete(text)
    for (const [text, of] of wanted) {
      const until = now()
      const last = known.get(text)
      if (last !== undefined && until - last.at < FRESH_MS) continue
      try {
        const { total } = await read({ since: until - DAY_MS, until, of }, AbortSignal.timeout(LONGEST_READ_MS))
        const { requests, input_tokens, output_tokens, cost_microdollars } = total
        known.set(text, { at: until, used: { requests, input_tokens, output_tokens, cost_microdollars } })
      } catch {
        return // as it was: GET /api/user/usage says why
      }
    }
  }

  return {
    /** What is known; null: nothing yet. */
    of: (owner: Of): Used | null => known.get(textOf(owner))?.used ?? null,
    /** Reads what is old, in the background. @param owners all that follow; of others nothing is kept */
    look(owners: readonly Of[]): Promise<void> {
      work ??= refresh(owners).finally(() => {
        work = null
      })
      return work
    },
  }
}

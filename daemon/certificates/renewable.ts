import type { RenewalInfo } from '../../pki/acme/ari.ts'
import type { Kept, Meta, Pair } from './kept.ts'
import { type Served, toServed } from './served.ts'
import type { SourceStatus } from './source.ts'

/** One certificate that the daemon gets by itself, and how. */
export type Renewable = {
  readonly source: SourceStatus['source']
  /** The first is what it is called. */
  readonly names: readonly string[]
  /** Which CA and kind of key: a certificate of another origin is served, and replaced at once. */
  readonly origin: () => string
  /**
   * Gets a new certificate.
   * @param before the one that is served now
   * @param isDue whether it is due, by another clock that is so many milliseconds ahead of this one; a new one that was
   *   asked for by hand always is
   * @throws Error that says why there is none
   */
  readonly obtain: (before: Pair | undefined, isDue: (aheadMs: number) => boolean, signal: AbortSignal) => Promise<Pair>
  /** Whether it is signed by this host's own clock: one that is not valid yet is replaced then. */
  readonly isOfOwnClock?: boolean
  /** Asks the CA when it would like a renewal. @throws Error that says why not */
  readonly wish?: (pair: Pair, signal: AbortSignal) => Promise<RenewalInfo | undefined>
  readonly load: () => Kept
  /** @throws the system's error */
  readonly save: (pair: Pair | undefined, meta: Meta) => void
  /** File of the chain; undefined: it is in memory alone. */
  readonly path: string | undefined
}

const KEPT = { cert: 'the certificate that was kept', key: 'its key' } as const

/** What is served of what was kept, or why nothing is. */
export function servedOf({ pair, damage }: Kept, names: readonly string[]): { served?: Served; damage?: string } {
  if (pair === undefined) return damage === undefined ? {} : { damage }
  try {
    return { served: toServed(pair, names, KEPT) }
  } catch (error) {
    return { damage: messageOf(error) }
  }
}

/**
 * What a start has to wait for; nothing, when no attempt failed and the certificate is to come from somewhere else now.
 * @param origin undefined: what was kept cannot be served
 */
export function pastOf(meta: Meta | undefined, origin: string | undefined) {
  if (meta === undefined || (meta.failures === 0 && meta.origin !== origin)) return undefined
  const { retryAtMs, leftAloneUntilMs, lastError } = meta
  return { retryAtMs, leftAloneUntilMs, failedAtMs: lastError?.atMs }
}

/** For the log and the status. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

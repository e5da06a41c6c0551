import type { CertificateStatus } from '../../schemas/admin-tls.ts'
import type { Log } from '../../schemas/words/log.ts'
import type { Identity } from '../listener/identities.ts'

/** What a source is made with. */
export type Clocks = {
  /** Unix milliseconds. */
  readonly now: () => number
  /** Monotonic milliseconds. */
  readonly monotonic: () => number
  /** 0 to 1. */
  readonly random: () => number
}

export type SourceParts = Clocks & {
  readonly log: Log
  /** Call when `identities` has changed. */
  readonly changed: () => void
}

/** A certificate's status without what only the alarms know. */
export type SourceStatus = Omit<CertificateStatus, 'alarm'> & {
  /** Files that cannot be used, and why, while those before are served. */
  readonly refused?: string
  /** Why the certificate is in memory alone. */
  readonly unsaved?: string
}

/** Where certificates come from. */
export type Source = {
  /** What can be served now. */
  readonly identities: () => readonly Identity[]
  /** When what was there at the start can be served; absent: at once. */
  readonly ready?: Promise<void>
  readonly status: () => readonly SourceStatus[]
  /** Does what is due; never rejects. */
  readonly check: (signal: AbortSignal) => Promise<void>
  /**
   * Gets a certificate now. @returns whether this source has one of that name @throws Error that says why there is no
   * new one
   */
  readonly renew: (name: string, signal: AbortSignal) => Promise<boolean>
  readonly close: () => void
}

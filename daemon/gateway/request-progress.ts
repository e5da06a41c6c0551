import type { Pass } from '../admit/limit-pass.ts'
import type { Reservation } from '../admit/reservation.ts'
import type { Principal } from '../auth/principal.ts'
import type { UsageRow } from '../meter/usage.ts'
import type { RequestTrace } from '../telemetry/trace.ts'
import type { Wait } from './answer-headers.ts'
import type { OngoingAttempt } from './usage-row.ts'

/** What is known of a request, filled in as it proceeds. */
export type RequestProgress = {
  /** Whose it is; empty until that is known. */
  keyId: string
  /** The name of the key, for the log. */
  keyName: string
  /** Who asked; null: that is not known, or every client is the same. */
  principal: Principal | null
  /** Who it is for, in the words of the program of the key; empty: that is not known. */
  endUser: string
  /** The path of the row that answers; empty: there is none. */
  route: string
  /** What of it is told to a collector of traces; null: nothing is. */
  trace: RequestTrace | null
  /** The usage row of the last attempt, once it is recorded; null: there was none. */
  row: UsageRow | null
  /** The attempt that is going on; null: none is. */
  ongoing: OngoingAttempt | null
  /** What that may cost; null: no budget counts it. */
  reservation: Reservation | null
  /** What it left of its client's rates; null: none counts it. */
  pass: Pass | null
  /** Tokens of all attempts that have ended. */
  usedTokens: number
  /** What it waited for before it was sent on, and how long; null: for nothing. */
  wait: Wait | null
  /** The fields that its upstream could not be told. */
  dropped: readonly string[]
}

const NONE: readonly string[] = []

export const newProgress = (): RequestProgress => ({
  keyId: '',
  keyName: '',
  principal: null,
  endUser: '',
  route: '',
  trace: null,
  row: null,
  ongoing: null,
  reservation: null,
  pass: null,
  usedTokens: 0,
  wait: null,
  dropped: NONE,
})

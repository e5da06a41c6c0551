import type { BackendConfig } from '../../schemas/config.ts'
import { GateError } from '../../schemas/errors.ts'
import type { Outcome, RefusalReason } from './member.ts'

/** What a request is told when it wants to go to an upstream. */
export type Turn =
  /** Go ahead. */
  | {
      readonly kind: 'granted'
      /** What it waited for: an engine that had to start, or only its turn; null when it did not wait. */
      readonly wait: { readonly kind: 'cold-start' | 'queue'; readonly ms: number } | null
      /** Whether asking for another turn starts an engine that turns out not to run. */
      readonly mayRestart: boolean
      /** Gives the place back; to be called when the answer has ended. @param broke the upstream was not there, or broke off */
      readonly release: (broke: boolean) => void
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly error: GateError }
  /** The client has gone away. */
  | { readonly kind: 'gone' }

/** For an upstream that is no backend. */
export const ALWAYS_THERE: Turn = { kind: 'granted', wait: null, mayRestart: false, release: () => {} }

/** What a client is told. Why a backend does not start is for the operator alone. */
export function refusal(
  name: string,
  { max_waiting, wait_timeout }: BackendConfig,
  { reason, retryAfterMs }: Extract<Outcome, { kind: 'refused' }>,
): GateError {
  const retry = { retryAfterS: Math.ceil(retryAfterMs / 1_000) }
  switch (reason) {
    case 'full':
      return new GateError(
        'BACKEND_BUSY',
        `${max_waiting} requests wait for backend "${name}" already; try again shortly`,
        retry,
      )
    case 'timeout':
      return new GateError('BACKEND_BUSY', `backend "${name}" had no room for ${wait_timeout}; try again later`, retry)
    case 'down':
      return new GateError('BACKEND_DOWN', `backend "${name}" does not start; its operator can see why`, retry)
    case 'stopped':
      return new GateError('BACKEND_DOWN', `backend "${name}" was stopped by its operator`, { retryAfterS: 60 })
  }
}

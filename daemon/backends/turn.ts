import type { BackendConfig } from '../../schemas/config/config.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Outcome, RefusalReason } from './member.ts'
import type { Entry } from './status.ts'

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

/** Who waits for a turn. */
export type Caller = {
  /** Calls back when it has gone away. */
  readonly onGone: (cancel: () => void) => void
}

/** For an upstream that is no backend. */
const ALWAYS_THERE: Turn = { kind: 'granted', wait: null, mayRestart: false, release: () => {} }

/**
 * Waits until a request may go to an upstream; one that is no backend may at once. A backend that sleeps is started.
 * @param client the caller; when it goes away, its place is free again
 */
export async function takeTurn(
  entries: ReadonlyMap<string, Entry>,
  name: string,
  client: Caller,
  now: () => number,
): Promise<Turn> {
  const arrivedAt = now()
  let hasWaited = false
  for (;;) {
    const entry = entries.get(name)
    if (entry === undefined) return ALWAYS_THERE
    const { member, runner } = entry
    const outcome = await new Promise<Outcome | null>((resolve) => {
      let isSettled = false
      const settle = (settled: Outcome | null) => {
        isSettled = true
        resolve(settled)
      }
      const waiter = { backend: name, arrivedAt, settle }
      runner.event((group) => group.enter(member, waiter))
      if (isSettled) return
      hasWaited = true
      client.onGone(() => {
        runner.event((group) => group.leave(member, waiter))
        resolve(null)
      })
    })
    if (outcome === null) return { kind: 'gone' }
    if (outcome.kind === 'moved') continue
    if (outcome.kind === 'refused')
      return { kind: 'refused', reason: outcome.reason, error: refusal(name, entry.config, outcome) }
    let isReleased = false
    const release = (broke: boolean) => {
      if (isReleased) return
      isReleased = true
      const current = entries.get(name)?.member === member ? entries.get(name)?.runner : runner
      current?.event((group) => group.release(member, broke))
    }
    const kind = outcome.coldStart ? 'cold-start' : 'queue'
    const wait = hasWaited ? ({ kind, ms: Math.round(now() - arrivedAt) } as const) : null
    return { kind: 'granted', wait, mayRestart: true, release }
  }
}

/** What a client is told. Why a backend does not start is for the operator alone. */
function refusal(
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

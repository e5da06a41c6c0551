import type { BackendConfig } from '../../schemas/config/config.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { Outcome, RefusalReason } from './scheduler-state.ts'
import type { Entry } from './status.ts'

/** The answer to a request that wants to go to an upstream. */
export type Lease =
  /** Go ahead. */
  | {
      readonly kind: 'granted'
      /** What it waited for: an engine that had to start, or only its turn; null when it did not wait. */
      readonly wait: { readonly kind: 'cold-start' | 'queue'; readonly ms: number } | null
      /** Whether asking for another lease starts an engine that turns out not to run. */
      readonly mayRestart: boolean
      /**
       * Gives it back; to be called when the answer has ended. @param broke the upstream was not there, or broke off
       */
      readonly release: (broke: boolean) => void
    }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly error: GateError }
  /** The client has gone away. */
  | { readonly kind: 'gone' }

/** Who asks for a lease. */
export type Caller = {
  /** Calls back when it has gone away. */
  readonly onGone: (cancel: () => void) => void
}

type Granted = Extract<Lease, { kind: 'granted' }>
type Backends = ReadonlyMap<string, Entry>

/** For an upstream that is not a backend: one for all requests. */
const UNLIMITED: Lease = { kind: 'granted', wait: null, mayRestart: false, release: () => {} }
const GONE: Lease = { kind: 'gone' }

/**
 * Asks for a lease at an upstream; a backend that sleeps is started. It is a promise only when the request has to wait:
 * of an upstream that is not a backend it is always there, without an allocation.
 * @param client the caller; when it goes away, its place is free again
 * @param now monotonic milliseconds
 */
export function takeLease(entries: Backends, name: string, client: Caller, now: () => number): Lease | Promise<Lease> {
  const entry = entries.get(name)
  if (entry === undefined) return UNLIMITED
  const arrivedAtMs = now()
  const outcome = entry.interpreter.request(name, arrivedAtMs)
  switch (outcome.kind) {
    case 'granted':
      return granted(entries, entry, null)
    case 'refused':
      return refused(entry, outcome)
    case 'moved':
    case 'waiting':
      return waitForLease(entries, name, client, { arrivedAtMs, now, entry, wait: outcome })
    default:
      return outcome satisfies never
  }
}

type FirstWait = {
  readonly arrivedAtMs: number
  readonly now: () => number
  readonly entry: Entry
  readonly wait: ReturnType<Entry['interpreter']['request']>
}

/** A request whose backend moves to another group asks there again, as old as it is. */
async function waitForLease(entries: Backends, name: string, client: Caller, first: FirstWait): Promise<Lease> {
  const { arrivedAtMs, now } = first
  let entry: Entry | undefined = first.entry
  let asked = first.wait
  for (;;) {
    const outcome = asked.kind === 'waiting' ? await untilGone(asked, client) : asked
    if (outcome === null) return GONE
    if (outcome.kind === 'refused') return refused(entry, outcome)
    if (outcome.kind === 'granted') {
      const kind = outcome.coldStart ? 'cold-start' : 'queue'
      return granted(entries, entry, { kind, ms: Math.round(now() - arrivedAtMs) })
    }
    entry = entries.get(name)
    if (entry === undefined) return UNLIMITED
    asked = entry.interpreter.request(name, arrivedAtMs)
  }
}

/** @returns null when the client has left */
function untilGone(
  { outcome, leave }: Extract<FirstWait['wait'], { kind: 'waiting' }>,
  client: Caller,
): Promise<Outcome | null> {
  return new Promise((resolve) => {
    void outcome.then(resolve)
    client.onGone(() => {
      if (leave()) resolve(null)
    })
  })
}

function granted(entries: Backends, entry: Entry, wait: Granted['wait']): Lease {
  let isReleased = false
  const release = (broke: boolean) => {
    if (isReleased) return
    isReleased = true
    // one that was taken out meanwhile counts no leases any more, also when another has its name now
    if (entries.get(entry.name) === entry) entry.interpreter.dispatch({ kind: 'released', name: entry.name, broke })
  }
  return { kind: 'granted', wait, mayRestart: true, release }
}

/** What a client sees. Why a backend failed to start is for the operator alone. */
function refused({ name, config }: Entry, outcome: Extract<Outcome, { kind: 'refused' }>): Lease {
  const { reason, retryAfterMs } = outcome
  return { kind: 'refused', reason, error: refusal(name, config, reason, Math.ceil(retryAfterMs / 1_000)) }
}

function refusal(name: string, config: BackendConfig, reason: RefusalReason, retryAfterS: number): GateError {
  const { max_waiting, wait_timeout } = config
  switch (reason) {
    case 'full': {
      const message = `${max_waiting} requests are already waiting for backend "${name}"; try again shortly`
      return new GateError('BACKEND_BUSY', message, { retryAfterS })
    }
    case 'timeout': {
      const message = `backend "${name}" had no room for ${wait_timeout}; try again later`
      return new GateError('BACKEND_BUSY', message, { retryAfterS })
    }
    case 'down': {
      const message = `backend "${name}" failed to start; its operator can see why`
      return new GateError('BACKEND_DOWN', message, { retryAfterS })
    }
    case 'stopped':
      return new GateError('BACKEND_DOWN', `backend "${name}" was stopped by its operator`, { retryAfterS: 60 })
    default:
      return reason satisfies never
  }
}

import type { Backend, Circuit } from './scheduler-state.ts'

/** A shorter start was none: the engine ran already, or answered at once. */
export const COLD_START_MS = 100
/** An engine that breaks sooner than this after its start counts as one that failed to start. */
const STABLE_MS = 60_000
const MOST_CRASHES = 3
const FIRST_OPEN_MS = 2_000
const LONGEST_OPEN_MS = 600_000
/** Beyond this the time no longer grows. */
const MOST_FAILURES = 20

export const CLOSED: Circuit = { kind: 'closed', failures: 0, broke: false }

/** How long requests are still refused; 0 when they may cause a start. */
export function openForMs({ circuit }: Backend, nowMs: number): number {
  return circuit.kind === 'open' ? Math.max(circuit.untilMs - nowMs, 0) : 0
}

export function afterBreak(backend: Backend): Backend {
  return { ...backend, engine: 'unknown', circuit: { ...backend.circuit, broke: true } }
}

/** After a start that went well; its circuit is open all the same when this was one crash too many in a row. */
export function afterStart(backend: Backend, startedAtMs: number, nowMs: number): Backend {
  const failures = failuresAfterStart(backend, startedAtMs, nowMs)
  const counted: Backend = { ...backend, circuit: { ...backend.circuit, failures } }
  if (failures >= MOST_CRASHES && isCrash(backend, startedAtMs, nowMs)) return afterFailure(counted, nowMs)
  return {
    ...counted,
    engine: 'running',
    circuit: { kind: 'closed', failures, broke: false },
    readyAtMs: nowMs,
    lastUsedAtMs: nowMs,
    lastStartMs: nowMs - startedAtMs,
  }
}

/** After a start that failed: the circuit opens, for longer with each failure in a row. */
export function afterFailure(backend: Backend, nowMs: number): Backend {
  const { failures, broke } = backend.circuit
  const openMs = Math.min(FIRST_OPEN_MS * 2 ** failures, LONGEST_OPEN_MS)
  const more = Math.min(failures + 1, MOST_FAILURES)
  return { ...backend, engine: 'unknown', circuit: { kind: 'open', failures: more, broke, untilMs: nowMs + openMs } }
}

function failuresAfterStart(backend: Backend, startedAtMs: number, nowMs: number): number {
  const { failures, broke } = backend.circuit
  if (!broke) return 0
  if (!isCrash(backend, startedAtMs, nowMs)) return failures
  return startedAtMs - backend.readyAtMs < STABLE_MS ? failures + 1 : 1
}

/** Whether the engine had really ended, not only a connection to it. */
function isCrash({ circuit }: Backend, startedAtMs: number, nowMs: number): boolean {
  return circuit.broke && nowMs - startedAtMs >= COLD_START_MS
}

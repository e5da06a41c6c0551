import type {
  AgentAnswer,
  AgentRequestInput,
  BackendEvent,
  BackendLogEntry,
  Removal,
  UnitState,
} from '../../schemas/agent.ts'
import { AgentError } from '../../schemas/agent-error.ts'
import { ask as askAgent, unexpected, type Wait } from './agent-connection.ts'

/** For answers that need no waiting, and for the first sign of life of those that do. */
const QUICK_MS = 15_000
/** No honest agent gives more than this many answers to one question. */
const MOST_STATES = 16
const MOST_REMOVALS = 10_000
/** Beyond the time that a job was given: the agent itself says when that is over. */
const JOB_MARGIN_MS = 10_000
const DEFAULT_JOB_SECONDS = 900
/** Agents that are asked for their state at once: each of them starts a process for it. */
export const LOOK_UPS_AT_ONCE = 4

/** How long a job may take; the agent's default when absent. */
type JobOptions = { readonly timeoutSeconds?: number }

/**
 * A backend's gate-agent, one connection for each call. Every method fails with AgentError, or with the reason of its
 * signal when that aborts. An agent is not trusted: whatever it says is bounded and checked.
 */
export type AgentClient = {
  /** The container's service first. */
  status(signal: AbortSignal): Promise<readonly UnitState[]>
  /** Resolves once the backend runs. Giving up does not stop what systemd has begun. */
  start(signal: AbortSignal, options?: JobOptions): Promise<void>
  /** Resolves once it has ended. On demand, the next connection to its socket starts it again. */
  stop(signal: AbortSignal, options?: JobOptions): Promise<void>
  restart(signal: AbortSignal, options?: JobOptions): Promise<void>
  /** The last `lines` entries of its journal, oldest first; with `follow` it goes on until the signal aborts. */
  logs(
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<BackendLogEntry>
  /** The last `lines` things that happened to its container; otherwise as `logs`. */
  events(
    options: { readonly lines: number; readonly follow: boolean },
    signal: AbortSignal,
  ): AsyncGenerator<BackendEvent>
  /** Lines of progress. */
  pull(signal: AbortSignal, image?: string): AsyncGenerator<string>
  /** What was removed, or with `dryRun` would be. */
  gc(signal: AbortSignal, options?: { readonly dryRun?: boolean }): Promise<readonly Removal[]>
}

/**
 * @param socketPath Unix socket of the agent; nothing is opened before the first call
 * @param backend that it is the agent of, which is said with each request
 */
export function agentClient(socketPath: string, backend?: string): AgentClient {
  const ask = (request: AgentRequestInput, wait: Wait) => askAgent(socketPath, meantFor(backend, request), wait)
  const job = async (op: 'start' | 'stop' | 'restart', signal: AbortSignal, options: JobOptions = {}) => {
    const { timeoutSeconds = DEFAULT_JOB_SECONDS } = options
    const quietMs = timeoutSeconds * 1000 + JOB_MARGIN_MS
    const request = { op, timeout_seconds: timeoutSeconds }
    await collect(ask(request, { signal, quietMs }), () => unexpected(op), 0)
  }
  return {
    status: (signal) => {
      const answers = ask({ op: 'status' }, { signal, quietMs: QUICK_MS })
      return collect(answers, (answer) => (answer.type === 'unit' ? unitOf(answer) : unexpected('status')), MOST_STATES)
    },
    start: (signal, options) => job('start', signal, options),
    stop: (signal, options) => job('stop', signal, options),
    restart: (signal, options) => job('restart', signal, options),
    logs: async function* ({ lines, follow }, signal) {
      const quietMs = follow ? Number.POSITIVE_INFINITY : QUICK_MS
      for await (const answer of ask({ op: 'logs', lines, follow }, { signal, quietMs }))
        yield answer.type === 'log' ? entryOf(answer) : unexpected('logs')
    },
    events: async function* ({ lines, follow }, signal) {
      const quietMs = follow ? Number.POSITIVE_INFINITY : QUICK_MS
      for await (const answer of ask({ op: 'events', lines, follow }, { signal, quietMs }))
        yield answer.type === 'event' ? eventOf(answer) : unexpected('events')
    },
    pull: async function* (signal, image) {
      const request = { op: 'pull' as const, ...(image === undefined ? {} : { image }) }
      for await (const answer of ask(request, { signal, quietMs: PULL_QUIET_MS }))
        yield answer.type === 'progress' ? answer.message : unexpected('pull')
    },
    gc: (signal, { dryRun = false } = {}) => {
      const answers = ask({ op: 'gc', dry_run: dryRun }, { signal, quietMs: GC_QUIET_MS })
      return collect(
        answers,
        (answer) => (answer.type === 'removed' ? removalOf(answer) : unexpected('gc')),
        MOST_REMOVALS,
      )
    },
  }
}

function meantFor(backend: string | undefined, request: AgentRequestInput): AgentRequestInput {
  return backend === undefined ? request : { ...request, backend }
}

/** A layer of an image can take this long without a word from podman. */
const PULL_QUIET_MS = 30 * 60_000
const GC_QUIET_MS = 5 * 60_000

async function collect<T>(
  answers: AsyncIterable<AgentAnswer>,
  take: (answer: AgentAnswer) => T,
  most: number,
): Promise<readonly T[]> {
  const taken: T[] = []
  for await (const answer of answers) {
    if (taken.length >= most) throw new AgentError('BAD_ANSWER', "the agent's answer does not end")
    taken.push(take(answer))
  }
  return taken
}

function unitOf({ type: _, ...state }: Extract<AgentAnswer, { type: 'unit' }>): UnitState {
  return state
}

function entryOf({ type: _, ...entry }: Extract<AgentAnswer, { type: 'log' }>): BackendLogEntry {
  return entry
}

function eventOf({ type: _, ...event }: Extract<AgentAnswer, { type: 'event' }>): BackendEvent {
  return event
}

function removalOf({ type: _, ...removal }: Extract<AgentAnswer, { type: 'removed' }>): Removal {
  return removal
}

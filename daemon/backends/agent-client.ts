import { connect, type Socket } from 'node:net'
import {
  type AgentAnswer,
  type AgentCode,
  type AgentRequestInput,
  agentAnswer,
  type BackendLogEntry,
  LONGEST_LINE_BYTES,
  type Removal,
  type ShellInput,
  type UnitState,
} from '../../schemas/agent.ts'
import { LineReader, LineTooLongError } from '../line-reader.ts'
import { pacedWrite } from '../paced-write.ts'

/** For answers that need no waiting, and for the first sign of life of those that do. */
const QUICK_MS = 15_000
/** More than this many answers to one question are no agent's. */
const MOST_STATES = 16
const MOST_REMOVALS = 10_000
/** Beyond the time that a job was given: the agent itself says when that is over. */
const JOB_MARGIN_MS = 10_000
const DEFAULT_JOB_SECONDS = 900
/** An agent that takes nothing for so long is cut off. */
const STALLED_MS = 60_000

/** Why an agent did not do what it was asked for: its own reason, or that there is no (honest) agent. */
export type AgentErrorCode = AgentCode | 'AGENT_UNREACHABLE' | 'CONNECTION_LOST' | 'BAD_ANSWER'

export class AgentError extends Error {
  readonly code: AgentErrorCode
  readonly hint: string | undefined
  constructor(code: AgentErrorCode, message: string, hint?: string, options: { readonly cause?: unknown } = {}) {
    super(message, options)
    this.name = 'AgentError'
    this.code = code
    this.hint = hint
  }
}

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
  /** Lines of progress. */
  pull(signal: AbortSignal, image?: string): AsyncGenerator<string>
  /** What was removed, or with `dryRun` would be. */
  gc(signal: AbortSignal, options?: { readonly dryRun?: boolean }): Promise<readonly Removal[]>
  shell(options: ShellOptions, signal: AbortSignal): Promise<Shell>
}

export type ShellOptions = {
  readonly into: 'container' | 'journal'
  readonly rows: number
  readonly columns: number
  readonly term?: string
}

/** A terminal at the other end. */
export type Shell = {
  /** Resolves once there is room for more. */
  send(input: ShellInput): Promise<void>
  /** What is written there; returns the exit code at the end. */
  readonly output: AsyncGenerator<Buffer, number>
  /** Hangs up. */
  close(): void
}

/** @param socketPath Unix socket of the agent; nothing is opened before the first call */
export function agentClient(socketPath: string): AgentClient {
  const job = async (op: 'start' | 'stop' | 'restart', signal: AbortSignal, options: JobOptions = {}) => {
    const { timeoutSeconds = DEFAULT_JOB_SECONDS } = options
    const quietMs = timeoutSeconds * 1000 + JOB_MARGIN_MS
    const request = { op, timeout_seconds: timeoutSeconds }
    await collect(ask(socketPath, request, { signal, quietMs }), () => unexpected(op), 0)
  }
  return {
    status: (signal) => {
      const answers = ask(socketPath, { op: 'status' }, { signal, quietMs: QUICK_MS })
      return collect(answers, (answer) => (answer.type === 'unit' ? unitOf(answer) : unexpected('status')), MOST_STATES)
    },
    start: (signal, options) => job('start', signal, options),
    stop: (signal, options) => job('stop', signal, options),
    restart: (signal, options) => job('restart', signal, options),
    logs: async function* ({ lines, follow }, signal) {
      const quietMs = follow ? Number.POSITIVE_INFINITY : QUICK_MS
      for await (const answer of ask(socketPath, { op: 'logs', lines, follow }, { signal, quietMs }))
        yield answer.type === 'log' ? entryOf(answer) : unexpected('logs')
    },
    pull: async function* (signal, image) {
      const request = { op: 'pull' as const, ...(image === undefined ? {} : { image }) }
      for await (const answer of ask(socketPath, request, { signal, quietMs: PULL_QUIET_MS }))
        yield answer.type === 'progress' ? answer.message : unexpected('pull')
    },
    gc: (signal, { dryRun = false } = {}) => {
      const answers = ask(socketPath, { op: 'gc', dry_run: dryRun }, { signal, quietMs: GC_QUIET_MS })
      return collect(
        answers,
        (answer) => (answer.type === 'removed' ? removalOf(answer) : unexpected('gc')),
        MOST_REMOVALS,
      )
    },
    shell: (options, signal) => openShell(socketPath, options, signal),
  }
}

/** A layer of an image can take this long without a word from podman. */
const PULL_QUIET_MS = 30 * 60_000
const GC_QUIET_MS = 5 * 60_000

type Wait = {
  readonly signal: AbortSignal
  /** Longest silence of the agent. */
  readonly quietMs: number
}

/** Sends one request on a connection of its own. @returns the answers before `done` */
async function* ask(socketPath: string, request: AgentRequestInput, wait: Wait): AsyncGenerator<AgentAnswer, void> {
  const socket = await open(socketPath, wait.signal)
  try {
    const lines = new LineReader(socket, LONGEST_LINE_BYTES)
    socket.write(`${JSON.stringify(request)}\n`)
    for (;;) {
      const answer = await nextAnswer(lines, wait)
      if (answer.type === 'done') return
      yield answer
    }
  } finally {
    socket.destroy()
  }
}

function open(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect({ path })
    const settle = () => {
      signal.removeEventListener('abort', giveUp)
      socket.off('error', fail)
      socket.off('connect', succeed)
    }
    const fail = (cause: NodeJS.ErrnoException) => {
      settle()
      reject(new AgentError('AGENT_UNREACHABLE', `${path}: ${cause.message}`, unreachableHint(cause.code), { cause }))
    }
    const giveUp = () => {
      settle()
      socket.destroy()
      reject(signal.reason)
    }
    const succeed = () => {
      settle()
      resolve(socket)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    socket.on('error', fail)
    socket.on('connect', succeed)
  })
}

function unreachableHint(code: string | undefined): string {
  if (code === 'EACCES') return 'the daemon must run as the account that the backends were deployed for'
  return "gate-agent.socket of the backend's user is not there: is its user manager running, was the spec applied?"
}

/** @throws AgentError for an `error`, an answer that is none, silence and the end of the connection */
async function nextAnswer(lines: LineReader, { signal, quietMs }: Wait): Promise<AgentAnswer> {
  const silence = new AbortController()
  const timer = Number.isFinite(quietMs) ? setTimeout(() => silence.abort(), quietMs) : undefined
  let line: string | undefined
  try {
    line = await lines.next(AbortSignal.any([signal, silence.signal]))
  } catch (error) {
    if (!(error instanceof LineTooLongError)) throw error
    throw new AgentError('BAD_ANSWER', `the agent's answer: ${error.message}`, undefined, { cause: error })
  } finally {
    clearTimeout(timer)
  }
  if (line !== undefined) return parseAnswer(line)
  signal.throwIfAborted()
  if (silence.signal.aborted) throw new AgentError('TIMEOUT', `no answer of the agent within ${quietMs / 1000} s`)
  throw new AgentError('CONNECTION_LOST', 'the agent ended the connection before its answer was whole', LOST_HINT)
}

const LOST_HINT = 'journalctl -t gate-agent may say why; too many connections at a time are refused without a word'

function parseAnswer(line: string): AgentAnswer {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new AgentError('BAD_ANSWER', "the agent's answer is no JSON", undefined, { cause })
  }
  const result = agentAnswer.safeParse(value)
  if (!result.success) throw new AgentError('BAD_ANSWER', "the agent's answer has a wrong shape")
  if (result.data.type !== 'error') return result.data
  throw new AgentError(result.data.code, result.data.message, result.data.hint)
}

async function collect<T>(
  answers: AsyncIterable<AgentAnswer>,
  take: (answer: AgentAnswer) => T,
  most: number,
): Promise<readonly T[]> {
  const taken: T[] = []
  for await (const answer of answers) {
    if (taken.length >= most) throw new AgentError('BAD_ANSWER', 'the agent answers without end')
    taken.push(take(answer))
  }
  return taken
}

function unexpected(op: string): never {
  throw new AgentError('BAD_ANSWER', `the agent's answer does not belong to ${op}`)
}

function unitOf({ type: _, ...state }: Extract<AgentAnswer, { type: 'unit' }>): UnitState {
  return state
}

function entryOf({ type: _, ...entry }: Extract<AgentAnswer, { type: 'log' }>): BackendLogEntry {
  return entry
}

function removalOf({ type: _, ...removal }: Extract<AgentAnswer, { type: 'removed' }>): Removal {
  return removal
}

async function openShell(socketPath: string, options: ShellOptions, signal: AbortSignal): Promise<Shell> {
  const socket = await open(socketPath, signal)
  const lines = new LineReader(socket, LONGEST_LINE_BYTES)
  socket.write(`${JSON.stringify({ op: 'shell', ...options } satisfies AgentRequestInput)}\n`)
  return {
    output: readShell(socket, lines, signal),
    send: (input) => pacedWrite(socket, `${JSON.stringify(input)}\n`, STALLED_MS),
    close: () => socket.destroy(),
  }
}

async function* readShell(socket: Socket, lines: LineReader, signal: AbortSignal): AsyncGenerator<Buffer, number> {
  try {
    for (;;) {
      const answer = await nextAnswer(lines, { signal, quietMs: Number.POSITIVE_INFINITY })
      if (answer.type === 'exit') return answer.code
      yield answer.type === 'output' ? Buffer.from(answer.data, 'base64') : unexpected('shell')
    }
  } finally {
    socket.destroy()
  }
}

import { z } from 'zod'
import { AGENT_CODES, type AgentCode } from './words/error-codes.ts'

/**
 * What is said on the socket of a gate-agent: lines of JSON, UTF-8, each at most `LONGEST_LINE_BYTES` long.
 *
 *   caller  {"op":"status"}
 *   agent   {"type":"unit",…}      as many answers as the operation has
 *   agent   {"type":"done"}        or {"type":"error",…}: exactly one of them ends the answer
 *
 * One request runs at a time; the next may follow on the same connection. A caller that closes the connection (or only
 * its sending half) gives up what runs: a job that systemd has begun goes on. A line that is not JSON ends the
 * connection: its sender speaks another protocol, and may have been led here by an attacker. Everything an agent does
 * concerns the backend in whose account it runs; a name outside its allow-list is NOT_ALLOWED. Shells have a socket of
 * their own: schemas/shell.ts.
 */
export const LONGEST_LINE_BYTES = 64 * 1024

/** Most past lines of the journal in one answer. */
const MOST_LOG_LINES = 10_000

const unit = z.string().regex(/^[A-Za-z0-9:_.@-]{1,200}\.(?:service|socket)$/, 'write a unit such as gate-qwen.service')
/** Longest wait for a unit; models of hundreds of GB load in less. */
const timeout_seconds = z.int().min(1).max(7200)

/**
 * The backend that is meant: the agent of another one refuses. The account of a backend can put a link to another's
 * socket in place of its own.
 */
const meant = { backend: z.string().max(100).exactOptional() }

/** `start`, `stop` and `restart` without a unit are about the backend as a whole, whatever units it is made of. */
const job = { unit: unit.exactOptional(), timeout_seconds: timeout_seconds.exactOptional() }

export const agentRequest = z.discriminatedUnion('op', [
  /** -> one `unit` for each unit of the backend, its container's service first */
  z.strictObject({ op: z.literal('status'), ...meant }),
  /** -> `done` once the units run (a container: once it is healthy) */
  z.strictObject({ op: z.literal('start'), ...job, ...meant }),
  /**
   * -> `done` once they have ended. A backend that starts on demand starts again with the next connection to its
   * socket.
   */
  z.strictObject({ op: z.literal('stop'), ...job, ...meant }),
  z.strictObject({ op: z.literal('restart'), ...job, ...meant }),
  /** -> `log`s of its units, oldest first; with `follow` new ones until the caller leaves */
  z.strictObject({
    op: z.literal('logs'),
    ...meant,
    lines: z.int().min(0).max(MOST_LOG_LINES).default(100),
    follow: z.boolean().default(false),
  }),
  /** -> `event`s of its container, oldest first; with `follow` new ones until the caller leaves */
  z.strictObject({
    op: z.literal('events'),
    ...meant,
    lines: z.int().min(0).max(MOST_LOG_LINES).default(100),
    follow: z.boolean().default(false),
  }),
  /** -> `progress`es; an image of the allow-list, all of them when absent */
  z.strictObject({ op: z.literal('pull'), ...meant, image: z.string().max(500).exactOptional() }),
  /** -> one `removed` for each container and image that the backend no longer needs */
  z.strictObject({ op: z.literal('gc'), ...meant, dry_run: z.boolean().default(false) }),
])
export type AgentRequest = z.output<typeof agentRequest>
export type AgentRequestInput = z.input<typeof agentRequest>

export const unitState = z.strictObject({
  unit: z.string(),
  /** `loaded`, or `not-found` when the unit was never deployed. */
  load: z.string(),
  /** `active`, `activating`, `deactivating`, `inactive`, `failed`, `reloading`. */
  active: z.string(),
  /** The unit's own word, such as `running`, `auto-restart` or `listening`. */
  sub: z.string(),
  /** How it last ended: `success`, `exit-code`, `timeout`, `oom-kill`, … */
  result: z.string(),
  /** Of the main process when it has ended. */
  exit_status: z.int(),
  /** Of its container, as docker tells it: 128 + signal when a signal ended it; absent while it runs, and before. */
  exit_code: z.int().exactOptional(),
  /** Restarts that systemd made on its own since the last start by hand. */
  restarts: z.int(),
  /** Since when it is active, ISO 8601. */
  active_since: z.iso.datetime().exactOptional(),
  memory_bytes: z.int().exactOptional(),
})
/** State of one unit, as `systemctl show` tells it. @see org.freedesktop.systemd1(5) */
export type UnitState = z.output<typeof unitState>

const logEntry = z.strictObject({
  time: z.iso.datetime(),
  unit: z.string(),
  /** syslog's number, 0 (emergency) to 7 (debug). */
  priority: z.int().min(0).max(7),
  message: z.string(),
})
/** One entry of the journal of a backend's units. */
export type BackendLogEntry = z.output<typeof logEntry>

/** What happens to a container, in the order of its life. */
const EVENTS = [
  'starting',
  'ready',
  'unhealthy',
  'stopping',
  'exited',
  'oom',
  'failed',
  'restarting',
  'stopped',
] as const

const backendEvent = z.strictObject({
  time: z.iso.datetime(),
  event: z.enum(EVENTS),
  /** Of `exited`: as docker tells it, 128 + signal when a signal ended it; absent for an orderly end. */
  exit_code: z.int().exactOptional(),
  /** Of `failed`: `exit-code`, `timeout`, `oom-kill`, `signal`, … */
  reason: z.string().exactOptional(),
})
/** Something that happened to the container of a backend. */
export type BackendEvent = z.output<typeof backendEvent>

const removal = z.strictObject({ what: z.enum(['container', 'image']), name: z.string() })
/** What `gc` removed, or would remove. */
export type Removal = z.output<typeof removal>

/** Why an agent does not do what it was asked. */
export const agentProblem = z.strictObject({
  type: z.literal('error'),
  code: z.enum(Object.keys(AGENT_CODES) as [AgentCode]),
  message: z.string(),
  hint: z.string().exactOptional(),
})
export type AgentProblem = z.output<typeof agentProblem>

export const agentAnswer = z.discriminatedUnion('type', [
  unitState.extend({ type: z.literal('unit') }),
  logEntry.extend({ type: z.literal('log') }),
  backendEvent.extend({ type: z.literal('event') }),
  z.strictObject({ type: z.literal('progress'), message: z.string() }),
  removal.extend({ type: z.literal('removed') }),
  z.strictObject({ type: z.literal('done') }),
  agentProblem,
])
export type AgentAnswer = z.output<typeof agentAnswer>

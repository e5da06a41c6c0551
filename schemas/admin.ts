import { z } from 'zod'
import { unitState } from './agent.ts'
import { AGENT_ERRORS } from './agent-error.ts'
import type { ConfigChange, ConfigDifference, ConfigProblem, Explanation } from './config/layers.ts'
import { GRADES } from './words/dialects.ts'
import { ADMIN_CODES, CONFIG_CODES, type ConfigCode, GATECTL_CODES, HOST_CODES } from './words/error-codes.ts'
import { ERRORS } from './words/errors.ts'
import { LOG_FIELDS, LOG_LEVELS, type LogRecord } from './words/log.ts'
import { PROMOTE_FORMATS } from './words/promote-formats.ts'
import { SCOPES } from './words/scopes.ts'

/**
 * Every request and answer of the admin API, which `gatectl` speaks over the admin socket; `gatectl --json` prints
 * these shapes. Times are ISO 8601 in UTC. Types of `layers.ts` and `log.ts` are the sources of the shapes annotated
 * with them.
 */

const time = z.iso.datetime()
const layer = z.enum(['socket', 'env', 'runtime', 'declared', 'defaults'])

const configProblem: z.ZodType<ConfigProblem> = z.strictObject({
  code: z.enum(Object.keys(CONFIG_CODES) as [ConfigCode]),
  layer,
  where: z.string(),
  key: z.string().exactOptional(),
  message: z.string(),
  hint: z.string().exactOptional(),
})

/** The daemon itself, of GET /api/admin/system. */
export const daemonStatus = z.strictObject({
  state: z.enum(['starting', 'ready', 'reloading', 'draining', 'stopped']),
  version: z.string(),
  pid: z.int(),
  started_at: time,
  /** URLs of the listeners. */
  listen: z.array(z.string()),
  /** Why there is none. */
  listen_error: z.string().exactOptional(),
  /** Why new requests are refused, as GET /ready says it; absent when they are served. */
  not_ready: z.string().exactOptional(),
  requests_in_flight: z.int(),
  upstreams: z.array(
    z.strictObject({
      name: z.string(),
      provider: z.string(),
      /** `ready`, `down`, `disabled`, or another word of the upstream's state. */
      state: z.string(),
      models_count: z.int(),
      /** How well it speaks each dialect, the preferred one first; others are translated. */
      dialects: z.record(z.string(), z.enum(GRADES)).exactOptional(),
      /** Of those that are not simply known of the provider: where the grade comes from, and what a probe found wrong. */
      dialects_from: z
        .record(
          z.string(),
          z.strictObject({ from: z.enum(['probe', 'config']), faults: z.array(z.string()).exactOptional() }),
        )
        .exactOptional(),
      last_error: z.string().exactOptional(),
    }),
  ),
  problems: z.array(configProblem),
  /** Keys that are set and have no effect, as systemd decides them; absent when there are none. */
  ignored: z.array(configProblem).exactOptional(),
  /** Why no client is served; absent when they are. */
  closed: z.string().exactOptional(),
  /** HTTP Basic with the password of the environment has every right; absent when it has none. */
  break_glass: z.literal(true).exactOptional(),
  store: z.strictObject({
    path: z.string(),
    /** Usage rows not yet written. */
    backlog_rows: z.int(),
    /** Why they cannot be written. */
    last_error: z.string().exactOptional(),
  }),
})
export type DaemonStatus = z.output<typeof daemonStatus>

const logFields = Object.fromEntries(
  Object.entries(LOG_FIELDS).map(([name, type]) => [
    name,
    (type === 'string' ? z.string() : z.number()).exactOptional(),
  ]),
)
/** One line of GET /v1/logs?n=N&level=LEVEL&follow=true, which answers with newline-delimited JSON. */
export const logRecord: z.ZodType<LogRecord> = z.strictObject({
  time,
  level: z.enum(LOG_LEVELS),
  message: z.string(),
  ...logFields,
}) as unknown as z.ZodType<LogRecord> // the fields come from LOG_FIELDS, as LogRecord's do

const scope = z.enum(SCOPES)
/** As clients write it. */
const modelName = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'use no control characters')
const names = z.array(modelName).min(1).max(100)
/** An entry of GET /v1/tokens: never the token itself. */
const tokenInfo = z.strictObject({
  id: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  /** The key may use these models, and those in these categories, alone; all of them when both are absent. */
  models: z.array(z.string()).exactOptional(),
  categories: z.array(z.string()).exactOptional(),
  /** The model that answers, whichever is asked for. */
  pinned: z.string().exactOptional(),
  /** What its program says of its users (`X-OpenWebUI-User-Email`) is believed; absent: it is not. */
  names_users: z.literal(true).exactOptional(),
  created_at: time,
  expires_at: time.exactOptional(),
  revoked_at: time.exactOptional(),
})
export type TokenInfo = z.output<typeof tokenInfo>
const tokenList = z.strictObject({ tokens: z.array(tokenInfo) })

/** POST /v1/tokens */
export const tokenRequest = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'use no control characters'),
  scopes: z.array(scope).min(1),
  /** What the key may use: `coder`, `openai/gpt-5`, `local/*`; and categories of virtual models. Everything without. */
  models: names.exactOptional(),
  categories: names.exactOptional(),
  /** The one model that answers, whichever is asked for; not together with the two above. */
  pinned: modelName.exactOptional(),
  names_users: z.literal(true).exactOptional(),
  /** A duration such as "30d"; never expires when absent. */
  expires_in: z.string().exactOptional(),
})
/** Its answer, the only time that the token is shown. */
const createdToken = tokenInfo.extend({ token: z.string() })

/** DELETE /v1/tokens/ID */
const tokenRevoked = z.strictObject({ id: z.string(), revoked: z.literal(true) })

/** GET /v1/config/keys/KEY */
export const explanation: z.ZodType<Explanation> = z.strictObject({
  key: z.string(),
  value: z.unknown(),
  waiting: z.boolean(),
  winner: layer.exactOptional(),
  layers: z.array(
    z.strictObject({
      layer,
      set: z.boolean(),
      value: z.unknown().exactOptional(),
      source: z.string().exactOptional(),
      withheld: z.string().exactOptional(),
    }),
  ),
  description: z.string().exactOptional(),
  restart: z.boolean(),
  change: z.string().exactOptional(),
})
/** GET /v1/config */
export const configList = z.strictObject({ keys: z.array(explanation) })

/** PUT /v1/config/keys/KEY: a value, or text that the daemon reads by the key's type as it reads environment values. */
export const configSetRequest = z.union([
  z.strictObject({ value: z.unknown(), force: z.boolean().default(false) }),
  z.strictObject({ text: z.string(), force: z.boolean().default(false) }),
])
export type ConfigSetRequest = z.input<typeof configSetRequest>

/** Answer of PUT and DELETE /v1/config/keys/KEY and of POST /v1/reload. */
export const configChange: z.ZodType<ConfigChange> = z.strictObject({
  changed: z.array(z.string()),
  restart: z.array(z.string()),
  shadowed: z.array(z.string()),
  problems: z.array(configProblem),
  ignored: z.array(configProblem).exactOptional(),
})

const difference: z.ZodType<ConfigDifference> = z.strictObject({
  key: z.string(),
  below: z.unknown(),
  runtime: z.unknown(),
  effective: layer,
})
/** GET /v1/config/diff */
export const configDiff = z.strictObject({ differences: z.array(difference) })

/** GET /v1/config/promote?format=nix|spec */
export const configPromotion = z.strictObject({ format: z.enum(PROMOTE_FORMATS), text: z.string() })

/** POST /v1/config/validate: the text of a runtime file; the problems of the running configuration when absent. */
export const configValidateRequest = z.strictObject({ text: z.string().exactOptional() })
export const configValidation = z.strictObject({ valid: z.boolean(), problems: z.array(configProblem) })

export const backendState = z.enum([
  'unknown',
  'cold',
  'starting',
  'ready',
  'draining',
  'stopping',
  'quarantined',
  'stopped',
])
export const backendInfo = z.strictObject({
  name: z.string(),
  provider: z.string(),
  /** At most one backend of a group runs at a time. */
  group: z.string().exactOptional(),
  state: backendState,
  requests_in_flight: z.int(),
  requests_waiting: z.int(),
  /** No limit when absent. */
  max_concurrent: z.int().exactOptional(),
  /** Of the last start that went well. */
  start_seconds: z.number().exactOptional(),
  /** When a quarantined backend is tried again. */
  retry_seconds: z.int().exactOptional(),
  /** Why it did not start last time, and the last lines of its log then. */
  reason: z.string().exactOptional(),
  log: z.array(z.string()),
})
/**
 * A backend as the daemon sees it: an entry of GET /v1/backends, and the answer of POST /v1/backends/start/NAME and the
 * like.
 */
export type BackendInfo = Omit<z.output<typeof backendInfo>, 'log'> & { readonly log: readonly string[] }
export const backendList = z.strictObject({ backends: z.array(backendInfo) })
/** GET /v1/backends/NAME: also what its agent says about its units, or why it says nothing. */
export const backendDetail = backendInfo.extend({ units: z.array(unitState), agent_error: z.string().exactOptional() })
export type BackendDetail = z.output<typeof backendDetail>

export const flag = z.enum(['true', 'false']).transform((text) => text === 'true')
export const number = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'write a number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
/**
 * Query of GET /api/admin/backends/NAME/logs and GET /api/admin/backends/NAME/events, which answer with newline-delimited JSON, each
 * line a `BackendLogEntry` or a `BackendEvent` of schemas/agent.ts, oldest first.
 */
export const backendLogsQuery = z.strictObject({
  n: number(0, 10_000).default(100),
  follow: flag.default(false),
})
/** Method and path -> shape of the answer, of what is served under its older name alone. A path that ends in `/:` takes a parameter. */
export const ADMIN_ANSWERS = {
  'GET /v1/tokens': tokenList,
  'POST /v1/tokens': createdToken,
  'DELETE /v1/tokens/:': tokenRevoked,
} as const
export type AdminRouteName = keyof typeof ADMIN_ANSWERS
export type AdminAnswers = { readonly [K in AdminRouteName]: z.output<(typeof ADMIN_ANSWERS)[K]> }

const PROBLEM_CODES = { ...ADMIN_CODES, ...AGENT_ERRORS, ...CONFIG_CODES, ...ERRORS, ...GATECTL_CODES, ...HOST_CODES }
export type ProblemCode = keyof typeof PROBLEM_CODES
/**
 * Every refusal, of the admin API or of gatectl itself, as application/problem+json (RFC 9457). `hint` says what to do.
 */
export const adminProblem = z.strictObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(PROBLEM_CODES) as [ProblemCode]),
  detail: z.string(),
  hint: z.string().exactOptional(),
  problems: z.array(configProblem).exactOptional(),
})
export type AdminProblem = z.output<typeof adminProblem>

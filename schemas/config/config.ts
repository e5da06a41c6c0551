import { z } from 'zod'
import { ipPattern } from '../words/address.ts'
import { PROVIDERS } from '../words/providers.ts'

/**
 * The daemon's configuration: the shape of every layer (environment, runtime, nix, defaults) once merged.
 * The single source of names, types, defaults and descriptions; `schemas/json/config.json` is generated from it.
 *
 * Values keep their written form ("600s", "32MiB"): a duration or size is parsed where it is used,
 * with `durationMs` and `byteCount`.
 */

/** What a key means to tools: who may see it, and whether a change waits for a restart. */
export type KeyMeta = {
  readonly description: string
  readonly secret?: true
  readonly restart?: true
  /** A duration that a timer waits for; Node's timers hold about 24.8 days. */
  readonly timer?: true
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
const BYTES = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|TiB)$/
/**
 * Names of upstreams and models: a path segment, an environment segment and a model prefix at once.
 * Single separators only, because `__` separates levels in the environment.
 */
export const NAME = /^(?=.{1,63}$)[a-z0-9]+(?:[_-][a-z0-9]+)*$/

/** Milliseconds of a duration such as "500ms", "10s", "5m", "1.5h", "2d". @throws RangeError when it is none */
export function durationMs(text: string): number {
  const match = DURATION.exec(text)
  if (match === null) throw new RangeError(`not a duration: ${text}`)
  const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms' | 's' | 'm' | 'h' | 'd']
  const ms = Number(match[1]) * unitMs
  return ms > 0 ? Math.max(1, Math.round(ms)) : 0 // 0 often means no limit: never by rounding
}

/** Bytes of a size such as "64KiB", "32MiB". @throws RangeError when it is none */
export function byteCount(text: string): number {
  const match = BYTES.exec(text)
  if (match === null) throw new RangeError(`not a size: ${text}`)
  const unit = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 }[
    match[2] as 'B' | 'KiB' | 'MiB' | 'GiB' | 'TiB'
  ]
  return Math.round(Number(match[1]) * unit)
}

/** A duration in its written form, such as "10s"; read it with durationMs. */
export const duration = (description: string) =>
  z
    .string()
    .regex(DURATION, 'write a number and a unit: ms, s, m, h or d, such as "10s"')
    .meta({ description: `${description} A duration such as "10s".`, timer: true })
/** A duration that Node would take for "no limit" when it is 0, which nobody should have by mistake. */
export const limitingDuration = (description: string) =>
  duration(description).regex(/[1-9]/, 'write more than 0: a limit of 0 would be none at all')
/** A size in its written form, such as "32MiB"; read it with byteCount. */
export const bytes = (description: string) =>
  z
    .string()
    .regex(BYTES, 'write a number and a unit: B, KiB, MiB, GiB or TiB, such as "32MiB"')
    .meta({ description: `${description} A size such as "32MiB".` })
/** A TCP or UDP port; 0 takes any free one. */
export const port = z.int().min(0).max(65_535)
/** A list of addresses and CIDR ranges. */
export const cidrs = z.array(z.string().regex(ipPattern, 'write an address or a CIDR range such as "10.0.0.0/8"'))
const secret = z.string().min(1, 'write the secret, or remove the key')
/** A secret that travels in an HTTP header. */
const headerSecret = secret.regex(/^[\x21-\x7e]*$/, 'use visible ASCII characters only, no space or line break')

const upstream = z.strictObject({
  enabled: z.boolean().default(true).meta({ description: 'Whether requests may go there.' }),
  provider: z.enum(PROVIDERS).meta({
    description: 'Kind of upstream; decides the default base_url. The name of the upstream when that is a provider.',
  }),
  base_url: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/,
      'write http(s)://host[:port][/path], without user, query or fragment',
    )
    .optional()
    .meta({
      description: 'URL up to and including the version, such as "https://api.openai.com/v1"; by provider when absent.',
    }),
  socket: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a Unix socket')
    .optional()
    .meta({ description: 'Unix socket to connect to, in place of the host and port in base_url.' }),
  api_key: headerSecret.optional().meta({ description: 'Key sent to the upstream.', secret: true }),
  models: z
    .array(z.string().min(1))
    .optional()
    .meta({ description: 'Ids of the models to expose; asked from the upstream when absent.' }),
  timeout: limitingDuration('Longest wait for the response headers.').default('600s'),
  idle_timeout: limitingDuration('Longest silence inside a response.').default('120s'),
  connect_timeout: limitingDuration('Longest wait for a connection.').default('5s'),
})

const backend = upstream.extend({
  agent: z
    .string()
    .regex(/^\/[^\0]*[^/\0]$/, 'write the absolute path of a Unix socket')
    .optional()
    .meta({ description: 'Socket of its gate-agent, which starts, stops and describes it; absent: none.' }),
  idle_stop: duration(
    'It stops by itself after this long without a connection and starts on the next one; absent: always on.',
  ).optional(),
  group: z
    .string()
    .regex(NAME)
    .optional()
    .meta({ description: 'At most one backend of a group runs at a time; needs agent.' }),
  start_timeout: duration('Longest wait for it to start.').default('300s'),
  max_concurrent: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Requests that it answers at a time, others wait; no limit when absent.' }),
  max_waiting: z.int().min(1).default(100).meta({ description: 'Requests that may wait for it; more are refused.' }),
  wait_timeout: duration(
    'Longest wait for a free place, or until another backend of the group has finished its requests.',
  ).default('120s'),
})

const target = z.strictObject({
  upstream: z.string().regex(NAME).meta({ description: 'Name of an upstream or backend.' }),
  model: z.string().min(1).optional().meta({ description: 'Id sent to the upstream; the alias itself when absent.' }),
  weight: z.number().positive().max(1_000_000).default(1).meta({ description: 'Share of requests (weighted).' }),
})

const model = z.strictObject({
  targets: z.array(target).min(1).meta({ description: 'Where requests for this alias go.' }),
  strategy: z
    .enum(['fallback', 'weighted', 'latency'])
    .default('fallback')
    .meta({ description: 'fallback: in order; weighted: by share; latency: the fastest first.' }),
  category: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Category this alias belongs to; usable as a model name.' }),
})

const named = <T extends z.ZodType>(value: T) =>
  z.record(
    z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between'),
    value,
  )

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').meta({ description: 'Address to listen on.', restart: true }),
      port: port.default(3000).meta({ description: 'TCP port; 0 takes any free one.', restart: true }),
      p2p_port: port.default(41_147).meta({ description: 'Port for peers.', restart: true }),
      allow_from: cidrs.default([]).meta({ description: 'Client addresses that may connect; empty: all.' }),
      trusted_proxies: cidrs
        .default([])
        .meta({ description: 'Reverse proxies whose X-Forwarded-For is believed; empty: none.' }),
      allowed_hosts: z.array(z.string().min(1)).default([]).meta({
        description: 'Host names that requests may ask for; empty: any (with auth.mode none: loopback names).',
      }),
      max_body: bytes('Largest request body.').default('32MiB'),
      max_buffered: bytes('All request bodies held at once.').default('512MiB'),
      max_connections: z.int().min(1).default(20_000).meta({ description: 'Open connections.', restart: true }),
      max_concurrent: z.int().min(1).default(10_000).meta({ description: 'Requests in flight.' }),
      headers_timeout: limitingDuration('Longest wait for the headers of a request.')
        .default('5s')
        .meta({ restart: true }),
      body_timeout: limitingDuration('Longest wait for the whole request.').default('60s').meta({ restart: true }),
      stall_timeout: limitingDuration('Longest time a client may not read its response.').default('60s'),
      drain_timeout: duration('Longest wait for requests in flight when stopping.').default('30s'),
    })
    .prefault({}),
  auth: z
    .strictObject({
      mode: z
        .enum(['token', 'none'])
        .default('token')
        // With server.host, which it is checked against, it takes effect at a restart: never half of the pair.
        .meta({
          description: 'token: a key with every request; none: everybody, on a loopback address only.',
          restart: true,
        }),
      token: headerSecret
        .min(16, 'use at least 16 characters')
        .optional()
        .meta({ description: 'System token with every scope, beside the keys that gatectl makes.', secret: true }),
      jwt: z
        .strictObject({
          secret: secret
            .min(16, 'use at least 16 characters')
            .optional()
            .meta({ description: 'Signs login sessions; nothing uses it yet.', secret: true }),
          issuer: z.string().min(1).default('gate').meta({ description: 'Issuer of login sessions.' }),
          expiration_hours: z
            .number()
            .positive()
            .max(8_760)
            .default(24)
            .meta({ description: 'Life of a login session.' }),
        })
        .prefault({}),
    })
    .prefault({}),
  upstreams: named(upstream)
    .default({
      echo: { enabled: true, provider: 'echo', timeout: '600s', idle_timeout: '120s', connect_timeout: '5s' },
    })
    .meta({ description: 'Where requests can go, by name.' }),
  backends: named(backend)
    .default({})
    .meta({ description: 'Engines on this host, by name: upstreams that may have to start, or wait for each other.' }),
  models: named(model).default({}).meta({ description: 'Virtual models, by alias.' }),
  discovery: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .meta({ description: 'Look for Ollama, llama.cpp, vLLM and LM Studio on loopback and use what answers.' }),
      interval: duration('Time between two looks.').default('30s'),
    })
    .prefault({}),
  letsencrypt: z
    .strictObject({
      enabled: z.boolean().default(false).meta({ description: "Get certificates from Let's Encrypt.", restart: true }),
      email: z.email().optional().meta({ description: 'Account address.' }),
      staging: z.boolean().default(false).meta({ description: 'Use the staging directory.' }),
      domains: z.array(z.string().min(1)).default([]).meta({ description: 'Names to certify.' }),
    })
    .prefault({}),
  relay: z
    .strictObject({
      enable: z.boolean().default(false).meta({ description: 'Be reachable through relays.', restart: true }),
      addresses: z.array(z.string().min(1)).default([]).meta({ description: 'Relays as host:port.' }),
      custom_domain: z
        .string()
        .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/)
        .optional()
        .meta({ description: 'Name asked of the relay.' }),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Least important level written.' }),
      format: z
        .enum(['json', 'text'])
        .optional()
        .meta({ description: 'json or text; text on a terminal and json elsewhere when absent.' }),
    })
    .prefault({}),
})

export type Config = z.output<typeof configSchema>
export type UpstreamConfig = Config['upstreams'][string]
export type BackendConfig = Config['backends'][string]

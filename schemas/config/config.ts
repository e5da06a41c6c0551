import { z } from 'zod'
import { alertDestination } from './alerts.ts'
import { auth } from './auth.ts'
import { CATEGORIES_DESCRIPTION, category } from './category.ts'
import { managed } from './managed.ts'
import { budget, limit } from './money.ts'
import { peer } from './peers.ts'
import { relayBackends } from './relay-backend.ts'
import { secrets, telemetry } from './telemetry.ts'
import { letsencrypt, tls } from './tls.ts'
import { app, backend, model, upstream } from './upstreams.ts'
import { usage } from './usage.ts'
import {
  absoluteFile,
  bytes,
  certifiedHostName,
  cidrs,
  duration,
  host,
  hostPort,
  httpUrl,
  LABEL_FORM,
  limitingDuration,
  modelName,
  named,
  origin,
  port,
  publicKeyPin,
  retention,
  secret,
  webOrigin,
} from './values.ts'

/**
 * The daemon's configuration: the shape of every layer (environment, runtime, declared, defaults) once merged.
 * The single source of names, types, defaults and descriptions; `schemas/json/config.json` is generated from it.
 *
 * Values keep their written form ("600s", "32MiB"): a duration or size is parsed where it is used,
 * with `durationMs` and `byteCount`.
 */

export const configSchema = z.strictObject({
  server: z
    .strictObject({
      host: host.default('127.0.0.1').meta({ description: 'Address to listen on.', restart: true, narrows: true }),
      port: port.default(3000).meta({ description: 'TCP port; 0 takes any free one.', restart: true }),
      p2p_port: port.default(41_147).meta({ description: 'Port for peers.', restart: true }),
      allow_from: cidrs
        .default([])
        .meta({ description: 'Client addresses that may connect; empty: all.', narrows: true }),
      admin_allow_from: cidrs.default([]).meta({
        description: 'Client addresses that may use the routes of operators; empty: those of allow_from.',
        narrows: true,
      }),
      trusted_proxies: cidrs.default([]).meta({
        description: 'Reverse proxies whose X-Forwarded-For, or PROXY protocol, is believed; empty: none.',
        narrows: true,
      }),
      proxy_protocol: z.boolean().default(false).meta({
        description: 'Connections from trusted_proxies begin with a PROXY header, version 1 or 2; without it they end.',
        narrows: true,
      }),
      external_url: webOrigin.optional().meta({
        description:
          'Where clients reach the gateway, such as "https://ai.example.org": what redirects, cookies and links are made of.',
      }),
      allowed_hosts: z.array(z.string().min(1)).default([]).meta({
        description: 'Host names that requests may ask for; empty: any (with auth.mode none: loopback names).',
        narrows: true,
      }),
      allowed_origins: z.array(origin).default([]).meta({
        description:
          'Origins of web pages, such as "https://app.example.org", whose scripts may ask; empty: none (CORS is off).',
      }),
      max_body: bytes('Largest request body.').default('32MiB').meta({ narrows: true }),
      max_buffered: bytes('Request bodies and buffered answers in memory at once.')
        .default('512MiB')
        .meta({ narrows: true }),
      max_connections: z
        .int()
        .min(1)
        .default(20_000)
        .meta({ description: 'Open connections.', restart: true, narrows: true }),
      max_connections_per_address: z.int().min(1).default(256).meta({
        description:
          'Open connections of one address (IPv6: of a /64), and how many it may begin in two seconds; this host and trusted_proxies are not counted.',
        narrows: true,
      }),
      max_concurrent: z.int().min(1).default(10_000).meta({ description: 'Requests in flight.', narrows: true }),
      headers_timeout: limitingDuration('Longest wait for the headers of a request.')
        .default('5s')
        .meta({ restart: true, narrows: true }),
      body_timeout: limitingDuration('Longest wait for the whole request.')
        .default('60s')
        .meta({ restart: true, narrows: true }),
      keep_responses: retention('How long answers of /v1/responses can be asked for again; 0s: they are not kept.')
        .default('30d')
        .meta({ spec: { none: 'a setting of the running gateway' } }),
      max_kept: bytes('Answers that are kept, together; the oldest go first.')
        .default('1GiB')
        .meta({ spec: { none: 'a setting of the running gateway' } }),
      max_background: z
        .int()
        .min(0)
        .default(100)
        .meta({
          description: 'Responses that run in the background at once; one key may have half of them; 0: none may.',
          narrows: true,
          spec: { none: 'a setting of the running gateway' },
        }),
      resume_streams: duration('How long a stream goes on without its client, which may come back; 0s: not at all.')
        .default('0s')
        .meta({ spec: { none: 'a setting of the running gateway' } }),
      max_recorded: bytes('Memory for all resumable streams together.')
        .default('64MiB')
        .meta({ narrows: true, spec: { none: 'a setting of the running gateway' } }),
      stall_timeout: limitingDuration('Longest time a client may stop reading its response.')
        .default('60s')
        .meta({ narrows: true }),
      drain_timeout: duration('Longest wait for requests in flight when stopping.').default('30s'),
    })
    .prefault({})
    .meta({ spec: 'gate.server' }),
  auth: auth.prefault({}).meta({ spec: 'gate.auth', narrows: true }),
  upstreams: named(upstream)
    .default({
      echo: { enabled: true, provider: 'echo', timeout: '600s', idle_timeout: '120s', connect_timeout: '5s' },
    })
    .meta({ description: 'Where requests can go, by name.', spec: 'upstreams' }),
  backends: named(backend).default({}).meta({
    description: 'Engines on this host, by name: upstreams that may have to start, or wait for each other.',
    spec: 'backends',
  }),
  apps: named(app).default({}).meta({
    description: 'What runs on this host and serves no models, by name: gatectl backend lists, starts and stops it.',
    spec: 'backends',
  }),
  models: z
    .record(modelName, model)
    .default({})
    .meta({ description: 'Virtual models, by the name that clients ask for.', spec: 'models' }),
  categories: z
    .record(modelName, category)
    .default({})
    .meta({ description: CATEGORIES_DESCRIPTION, spec: 'categories' }),
  budgets: named(budget)
    .default({})
    .meta({ description: 'Money that requests may cost per window, by name.', spec: 'budgets', narrows: true }),
  limits: named(limit).default({}).meta({
    description: 'How many requests and tokens there may be per minute, and at a time, by name.',
    spec: 'limits',
    narrows: true,
  }),
  discovery: z
    .strictObject({
      enabled: z.boolean().default(true).meta({
        description:
          'Look for Ollama, llama.cpp, vLLM and LM Studio on loopback and use what answers, unless another login listens there.',
        narrows: true,
      }),
      interval: duration('Time between two searches.').default('30s'),
    })
    .prefault({})
    .meta({ spec: 'gate.discovery' }),
  tls: tls.prefault({}).meta({ spec: 'gate.tls' }),
  letsencrypt: letsencrypt.prefault({}).meta({ spec: 'gate.tls.acme' }),
  relay: z
    .strictObject({
      enable: z
        .boolean()
        .default(false)
        .meta({ description: 'Make the gateway reachable through relays.', restart: true }),
      addresses: z.array(hostPort).default([]).meta({ description: 'Relays as host:port.' }),
      domain: certifiedHostName.optional().meta({
        description: 'Domain below which relays give names; when absent, what follows "relay." in their addresses.',
      }),
      custom_domain: z
        .string()
        .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, LABEL_FORM)
        .optional()
        .meta({ description: 'Name asked of the relay.' }),
      names: z.array(certifiedHostName).max(16).default([]).meta({
        description:
          'Host names of your own that point to the relay; a TXT record at _gate-relay.NAME with the node id proves each.',
      }),
      invite: secret.max(256).optional().meta({
        description: 'Invitation of the relay, where it wants one for a name.',
        secret: true,
      }),
      pins: z.array(publicKeyPin).max(16).default([]).meta({
        description:
          'Public keys that a relay may have, as base64 of SHA-256; empty: its certificate has to be for its name.',
      }),
      ca: absoluteFile.optional().meta({
        description:
          'PEM file with the CA that relays are trusted by, by its absolute path; those of the system when absent.',
      }),
      ct_log: httpUrl.optional().meta({
        description:
          'Search of certificate logs, asked twice a day about each relayed name, such as "https://crt.sh/?output=json&q={name}"; a certificate that this daemon did not get is an alert.',
      }),
      backends: relayBackends,
    })
    .prefault({})
    .meta({ spec: 'relay' }),
  peers: named(peer).default({}).meta({
    description: 'Other gateways, by name: those that may connect here, and those whose models are used.',
    spec: 'peers',
    narrows: true,
  }),
  usage: usage.prefault({}).meta({ description: 'The usage log.', spec: 'gate.usage' }),
  managed: managed.prefault({}).meta({ spec: 'gate.managed' }),
  alerts: named(alertDestination).default({}).meta({
    description: 'Who is told of spent budgets, dead upstreams, full disks and the like, by name.',
    spec: 'alerts',
  }),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Lowest level that is written.' }),
      format: z
        .enum(['json', 'text'])
        .optional()
        .meta({ description: 'json or text; when absent, text on a terminal and json elsewhere.' }),
    })
    .prefault({})
    .meta({ spec: 'gate.log' }),
  telemetry: telemetry.prefault({}).meta({ spec: 'gate.telemetry' }),
  secrets: secrets.prefault({}).meta({ spec: 'gate.secrets' }),
})

export type Config = z.output<typeof configSchema>
export type UpstreamConfig = Config['upstreams'][string]
export type BackendConfig = Config['backends'][string]
export type BudgetConfig = Config['budgets'][string]
export type LimitConfig = Config['limits'][string]
export type AppConfig = Config['apps'][string]

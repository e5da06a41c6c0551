import { z } from 'zod'
import { addressPattern } from './addresses.ts'
import { bytes, cidrs, duration, limitingDuration, NAME, port } from './config.ts'
import { PROVIDERS } from './providers.ts'

/**
 * The gateway spec (`gate.toml`): what one host should run. The compiler turns it into files.
 * `schemas/json/spec.json` is generated from it. A key that the daemon's configuration (`config.ts`) also has
 * carries the same name here; keys whose default depends on the profile or the engine are optional.
 */

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** Users are named gate-[<instance>-]<backend>: 31 characters at most, as sysusers.d(5) wants. */
const BACKEND_NAME = /^(?=.{1,20}$)[a-z0-9]+(?:-[a-z0-9]+)*$/
const ABSOLUTE = /^(?!.*\/\/)(?!.*\/\.{1,2}(?:\/|$))\/.*[^/\s\\]$/
const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:+-]*(?:\/[A-Za-z0-9][A-Za-z0-9._:+-]*)*$/
const IMAGE =
  /^[a-z0-9][A-Za-z0-9._-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/
const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const INTERFACE = /^[A-Za-z0-9_.@-]{1,15}$/
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[?[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]?)$/
const LISTEN = new RegExp(`${addressPattern.source}|${INTERFACE.source}`)

const hostName = (description: string) =>
  z.string().regex(HOST_NAME, 'write a lower-case host name such as "ai.example.org"').meta({ description })
const absolutePath = (description: string) =>
  z.string().regex(ABSOLUTE, 'write an absolute path without empty, "." or ".." segments').meta({ description })
const interfaces = (description: string) =>
  z.array(z.string().regex(INTERFACE, 'write the name of a network interface such as "eth0"')).meta({ description })
const flag = (fallback: boolean, description: string) => z.boolean().default(fallback).meta({ description })

/** A secret is only ever referred to: by systemd credential, environment name or absolute file. */
const secret = (description: string) =>
  z
    .union(
      [
        z.strictObject({ credential: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/) }),
        z.strictObject({ env: z.string().regex(ENVIRONMENT_NAME) }),
        z.strictObject({ file: z.string().regex(ABSOLUTE) }),
      ],
      { error: 'write { credential = "name" }, { env = "NAME" } or { file = "/absolute/path" }' },
    )
    .meta({ description, secret: true, examples: [{ credential: 'openai' }] })

const named = <T extends z.ZodType>(value: T, description: string) =>
  z
    .record(
      z.string().regex(NAME, 'use at most 63 lower-case letters and digits, with single "-" or "_" between'),
      value,
    )
    .default({})
    .meta({ description })

/** Sizes of the machine; decides connection limits, body limits, cache and memory caps. */
const PROFILE_NAMES = ['desktop', 'small-vps', 'medium-vps', 'large-vps'] as const
const ENGINES = ['vllm', 'llama-cpp', 'ollama', 'open-webui', 'custom'] as const
const GPU_KINDS = ['nvidia', 'amd', 'vulkan', 'none'] as const
const AUTH_MODES = ['token', 'password', 'device', 'oidc', 'none'] as const

const randomPort = z.union([port.min(1), z.literal('random')], {
  error: 'write a port from 1 to 65535, or "random"',
})

const server = z.strictObject({
  host: z
    .string()
    .regex(HOST, 'write an address such as "127.0.0.1", or a host name')
    .default('127.0.0.1')
    .meta({ description: 'Address to listen on.' }),
  port: randomPort.default(3000).meta({
    description: 'TCP port; "random" picks one in 49152-65535 once and keeps it in gate.lock.json.',
  }),
  p2p_port: randomPort.default(41_147).meta({ description: 'Port for peers; "random" as above.' }),
  allow_from: cidrs.default([]).meta({ description: 'Client addresses that may connect; empty: all.' }),
  admin_allow_from: cidrs.default([]).meta({ description: 'Narrower list for the admin routes; empty: allow_from.' }),
  trusted_proxies: cidrs
    .default([])
    .meta({ description: 'Reverse proxies whose X-Forwarded-For is believed; the proxy of this spec is added.' }),
  max_body: bytes('Largest request body; by profile when absent.').optional(),
  max_buffered: bytes('All request bodies held at once; by profile when absent.').optional(),
  max_connections: z.int().min(1).optional().meta({ description: 'Open connections; by profile when absent.' }),
  max_concurrent: z.int().min(1).optional().meta({ description: 'Requests in flight; by profile when absent.' }),
  open_firewall: flag(false, 'Open port, p2p_port and the ports of proxy, dns and client on every interface.'),
  open_firewall_on_interfaces: interfaces('Open the same ports on these interfaces only.').default([]),
})

const tls = z.strictObject({
  acme: z
    .strictObject({
      email: z.email().meta({ description: 'Account address.' }),
      domains: z.array(hostName('Name to certify.')).min(1).meta({ description: 'Names to certify.' }),
      challenge: z
        .enum(['tls-alpn-01', 'http-01', 'dns-01'])
        .default('tls-alpn-01')
        .meta({ description: 'How control of the names is proven.' }),
      staging: flag(false, 'Use the staging directory.'),
    })
    .optional()
    .meta({ description: 'Certificates by ACME; comes first when several ways are set.' }),
  files: z
    .strictObject({
      cert: absolutePath('Certificate chain, PEM.'),
      key: absolutePath('Private key, PEM.'),
    })
    .optional()
    .meta({ description: 'Certificate from files; comes second.' }),
  internal_ca: flag(false, 'Certificates by a CA of this host; comes third. Without any: plain HTTP.'),
})

const auth = z.strictObject({
  mode: z
    .union([z.enum(AUTH_MODES), z.array(z.enum(AUTH_MODES)).min(1)], {
      error: `write one or a list of ${AUTH_MODES.map((mode) => `"${mode}"`).join(', ')}`,
    })
    .default('token')
    .meta({ description: 'How clients prove who they are; several may be listed. none: on a loopback address only.' }),
  token: secret('System token with every scope; made at first start when absent.').optional(),
  jwt: z
    .strictObject({
      secret: secret('Signs login sessions; made and kept when absent.').optional(),
      issuer: z.string().min(1).default('gate').meta({ description: 'Issuer of login sessions.' }),
      expiration_hours: z
        .number()
        .positive()
        .max(8_760)
        .default(24)
        .meta({ description: 'Life of a login session.', unit: 'hours' }),
    })
    .prefault({})
    .meta({ description: 'Login sessions.' }),
  oidc: named(
    z.strictObject({
      issuer: z.url({ protocol: /^https$/ }).meta({ description: 'Issuer URL of the identity provider.' }),
      client_id: z.string().min(1).meta({ description: 'Client id registered there.' }),
      client_secret: secret('Client secret; a public client when absent.').optional(),
    }),
    'Identity providers, by name, for the mode oidc.',
  ),
})

const gate = z.strictObject({
  profile: z.enum(PROFILE_NAMES).default('desktop').meta({ description: 'Size of the machine; sizes every limit.' }),
  domain: hostName('Domain of the gateway and its apps.').optional(),
  instance: z
    .string()
    .regex(LABEL, 'use lower-case letters, digits and "-"')
    .max(5)
    .optional()
    .meta({ description: 'Name of a second gateway on the same host; "gate" becomes "gate-<instance>" everywhere.' }),
  image: z.string().regex(IMAGE, 'write registry/name@sha256:digest').optional().meta({
    description: 'Image whose command is gate-daemon, by digest; for the targets compose, fly and render.',
  }),
  keep_generations: z.int().min(1).max(1000).default(10).meta({
    description: 'Generations that gatectl apply keeps on the host, with their images, to go back to.',
  }),
  memory: bytes('Memory the daemon may use; by profile when absent.').optional(),
  cache: bytes('Memory for the database cache; by profile when absent.').optional(),
  server: server.prefault({}).meta({ description: 'Listener and its limits.' }),
  tls: tls.prefault({}).meta({ description: 'Certificates.' }),
  auth: auth.prefault({}).meta({ description: 'Authentication.' }),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Least important level written.' }),
      format: z.enum(['json', 'text']).optional().meta({ description: 'Form of a line; json under systemd.' }),
    })
    .prefault({})
    .meta({ description: 'Log of the daemon.' }),
})

const upstream = z.strictObject({
  enabled: flag(true, 'Whether requests may go there.'),
  provider: z.enum(PROVIDERS).meta({ description: 'Kind of upstream; decides the default base_url.' }),
  base_url: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/,
      'write http(s)://host[:port][/path], without user, query or fragment',
    )
    .optional()
    .meta({ description: 'URL up to and including the version, such as "https://api.openai.com/v1".' }),
  api_key: secret('Key sent to the upstream.').optional(),
  models: z
    .array(z.string().min(1))
    .optional()
    .meta({ description: 'Ids of the models to expose; asked from the upstream when absent.' }),
  timeout: limitingDuration('Longest wait for the response headers.').default('600s'),
  idle_timeout: limitingDuration('Longest silence inside a response.').default('120s'),
  connect_timeout: limitingDuration('Longest wait for a connection.').default('5s'),
})

const gpu = z.strictObject({
  kind: z.enum(GPU_KINDS).meta({ description: 'nvidia: by CDI; amd: /dev/kfd and /dev/dri; vulkan: /dev/dri; none.' }),
  devices: z
    .array(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9:._-]*$/, 'write "all", an index, a UUID or a name in /dev/dri'))
    .min(1)
    .default(['all'])
    .meta({ description: 'nvidia: CDI names ("0", a UUID, "all"); amd, vulkan: names in /dev/dri, or "all".' }),
})

const health = z.strictObject({
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .meta({ description: 'Command and arguments that succeed once the engine answers; by engine when absent.' }),
  interval: duration('Time between two checks.').default('5s'),
  timeout: duration('Longest wait for one check.').default('5s'),
  retries: z.int().min(1).default(3).meta({ description: 'Failures in a row until unhealthy.' }),
  start_period: duration('Time in which failures do not count; by engine when absent.').optional(),
})

const volume = z.strictObject({
  name: z.string().regex(LABEL).max(20).meta({ description: 'Name of the volume inside its backend.' }),
  path: absolutePath('Where the container sees it.'),
})

const backend = z.strictObject({
  engine: z.enum(ENGINES).meta({ description: 'What runs in the container; decides arguments, health check, socket.' }),
  image: z.string().regex(IMAGE, 'write registry/name@sha256:digest').meta({
    description: 'Container image, by digest; a tag is a warning.',
  }),
  image_archive: absolutePath(
    'OCI or docker archive on the host that apply loads the image from, instead of a pull.',
  ).optional(),
  model: z
    .string()
    .max(255)
    .regex(MODEL, 'write a model id such as "Qwen/Qwen3-8B-FP8" or a file name below the models directory')
    .optional()
    .meta({ description: 'Model to serve: a path below the models directory, and the name clients see.' }),
  gpu: gpu.prefault({ kind: 'none' }).meta({ description: 'GPU that the container gets.' }),
  idle_stop: duration(
    'Stop after this long without a connection and start on the next one; absent: always on.',
  ).optional(),
  group: z.string().regex(NAME).optional().meta({
    description:
      'At most one backend of a group runs at a time; its members start on demand, with or without idle_stop.',
  }),
  max_concurrent: z
    .int()
    .min(1)
    .optional()
    .meta({ description: 'Requests that it answers at a time, others wait; no limit when absent.' }),
  max_waiting: z.int().min(1).default(100).meta({ description: 'Requests that may wait for it; more are refused.' }),
  wait_timeout: duration(
    'Longest wait for a free place, or until another backend of the group has finished its requests.',
  ).default('120s'),
  memory: bytes('Memory the container may use; no limit when absent.').optional(),
  cpus: z
    .number()
    .positive()
    .max(1024)
    .optional()
    .meta({ description: 'CPU share; no limit when absent.', unit: 'CPUs' }),
  pids: z.int().min(16).default(4096).meta({ description: 'Processes and threads the container may have.' }),
  shm: bytes('Size of /dev/shm; by engine when absent.').optional(),
  uid: z
    .int()
    .min(1000)
    .max(59_999)
    .optional()
    .meta({ description: 'User id; allocated in gate.lock.json when absent.' }),
  listen: z.enum(['unix', 'tcp']).optional().meta({
    description: 'Unix socket without network, or a loopback port on an internal one; by engine when absent.',
  }),
  port: randomPort.default('random').meta({ description: 'Loopback port on the host, for listen = "tcp".' }),
  container_port: port.min(1).optional().meta({ description: 'Port inside the container; by engine when absent.' }),
  network: flag(false, 'Whether the container may reach the internet and the gateway.'),
  api_key: secret('Key the daemon presents; made at apply when absent and the engine can check one.').optional(),
  expose: z
    .string()
    .regex(LABEL, 'write one DNS label such as "webui"')
    .optional()
    .meta({ description: 'Host name below gate.domain under which the proxy serves this backend to browsers.' }),
  args: z.array(z.string().min(1, 'podman loses empty arguments and all behind them; leave it out')).default([]).meta({
    description: 'More arguments of the engine. custom: {socket}, {port} and {model} are filled in.',
  }),
  environment: z
    .record(z.string().regex(ENVIRONMENT_NAME, 'write an environment name'), z.string())
    .default({})
    .meta({ description: 'More environment of the container. Never a secret: it can be read from outside.' }),
  secrets: z
    .record(z.string().regex(ENVIRONMENT_NAME, 'write an environment name'), secret('Secret given as environment.'))
    .default({})
    .meta({ description: 'Environment of the container that is secret, by name.' }),
  volumes: z.array(volume).default([]).meta({ description: 'More volumes that survive the container.' }),
  read_only: flag(true, 'Whether the root file system of the container is read-only.'),
  notify: z
    .enum(['healthy', 'started'])
    .default('healthy')
    .meta({ description: 'When the unit counts as started: at the first successful health check, or at once.' }),
  health: health.prefault({}).meta({ description: 'Health check.' }),
  pull_timeout: duration('Time a pull may take at start; 0s: never pulled at start, apply does it before.').default(
    '0s',
  ),
  start_timeout: duration('Longest start; health.start_period + pull_timeout + 60s when absent.').optional(),
  stop_timeout: duration('Time to finish requests when stopping.').default('30s'),
})

const target = z.strictObject({
  backend: z.string().optional().meta({ description: 'Name of a backend.' }),
  upstream: z.string().optional().meta({ description: 'Name of an upstream.' }),
  alias: z.string().optional().meta({ description: 'Name of another virtual model.' }),
  model: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Id sent there; the alias itself, or the model of the backend.' }),
  weight: z.number().positive().max(1_000_000).default(1).meta({ description: 'Share of requests (weighted).' }),
})

const model = z.strictObject({
  category: z.string().min(1).optional().meta({ description: 'Category; usable as a model name.' }),
  targets: z
    .array(target)
    .min(1)
    .meta({ description: 'Where requests go: each names a backend, an upstream or an alias.' }),
  strategy: z
    .enum(['fallback', 'weighted', 'latency', 'cost'])
    .default('fallback')
    .meta({ description: 'fallback: in order; weighted: by share; latency: fastest first; cost: cheapest first.' }),
})

const budget = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,9}(?:\.\d{1,6})? USD$/, 'write an amount and its currency such as "200 USD"')
    .meta({ description: 'Money per window.', unit: 'USD' }),
  window: z.enum(['hour', 'day', 'week', 'month']).meta({ description: 'Calendar window, in UTC.' }),
})

const proxy = z.strictObject({
  engine: z
    .enum(['nginx', 'caddy', 'none'])
    .default('none')
    .meta({ description: 'Reverse proxy in front of the gateway.' }),
  http_port: port.min(1).default(80).meta({ description: 'Port for HTTP; redirects to HTTPS when there is TLS.' }),
  https_port: port.min(1).default(443).meta({ description: 'Port for HTTPS.' }),
  aliases: z.array(z.string().regex(LABEL)).default([]).meta({
    description: 'More host names below gate.domain that lead to the gateway.',
  }),
  hsts: duration('How long browsers keep to HTTPS; 0s: no such header.').default('365d'),
})

const dns = z.strictObject({
  engine: z.enum(['dnsmasq', 'none']).default('none').meta({ description: 'Name server for the names of the domain.' }),
  listen: z
    .string()
    .regex(LISTEN, 'write an interface or an address')
    .optional()
    .meta({ description: 'Interface or address to answer on, and that the names point to.' }),
  port: port.min(1).default(53).meta({ description: 'UDP and TCP port.' }),
  forward: z.array(z.string().regex(addressPattern, 'write an IP address')).default([]).meta({
    description: 'Name servers for all other names; empty: other names are refused.',
  }),
})

const relay = z.strictObject({
  enable: flag(false, 'Be reachable through relays.'),
  addresses: z
    .array(z.string().regex(/^(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/, 'write host:port'))
    .default([])
    .meta({ description: 'Relays as host:port.' }),
  custom_domain: z.string().regex(LABEL).optional().meta({ description: 'Name asked of the relay.' }),
})

const relayInstance = z.strictObject({
  https_port: port.min(1).default(443).meta({ description: 'Port for visitors.' }),
  p2p_port: port.min(1).default(31_145).meta({ description: 'Port for nodes.' }),
  metrics_port: port.min(1).optional().meta({ description: 'Loopback port for metrics; none when absent.' }),
  bind_address: z.string().regex(addressPattern, 'write an IP address').default('::').meta({
    description: 'Address to listen on.',
  }),
  log_level: z.enum(['error', 'warn', 'info', 'debug']).default('info').meta({ description: 'Least important level.' }),
  domain_suffix: hostName('Nodes become <name>.<domain_suffix>.').optional(),
  allow_from: cidrs.default([]).meta({ description: 'Addresses that may connect; empty: all.' }),
  open_firewall: flag(false, 'Open https_port and p2p_port on every interface.'),
  open_firewall_on_interfaces: interfaces('Open both ports on these interfaces only.').default([]),
  dns: z
    .strictObject({
      enabled: flag(true, 'Whether records are written.'),
      provider: z.enum(['cloudflare']).meta({ description: 'Where the records of nodes are written.' }),
      api_token: secret('Token that may edit the zone.').optional(),
      zone_id: z
        .string()
        .regex(/^[A-Za-z0-9]{1,64}$/)
        .optional()
        .meta({ description: 'Zone.' }),
    })
    .optional()
    .meta({ description: 'DNS records of nodes; none when absent.' }),
})

const sandbox = z.strictObject({
  enable: flag(false, 'Whether models may run code.'),
  runtime: z.enum(['podman', 'wasm', 'none']).default('podman').meta({ description: 'What isolates the code.' }),
  allow_unisolated: flag(false, 'Needed for runtime = "none": code then runs on the host.'),
  image: z.string().regex(IMAGE).optional().meta({ description: 'Image for runtime = "podman", by digest.' }),
  timeout: duration('Longest run.').default('30s'),
  memory: bytes('Memory of one run.').default('256MiB'),
  cpus: z.number().positive().max(64).default(0.5).meta({ description: 'CPU share of one run.', unit: 'CPUs' }),
  network: flag(false, 'Whether the code may reach the internet.'),
  languages: z
    .array(z.enum(['python', 'javascript', 'bash']))
    .min(1)
    .default(['python', 'javascript', 'bash'])
    .meta({ description: 'Languages that may run.' }),
})

const client = z.strictObject({
  enable: flag(false, 'Make an installer for clients: trust in the CA, and split DNS.'),
  ca: absolutePath('CA certificate to trust, PEM; that of tls.internal_ca when absent.').optional(),
  port: port.min(1).default(8081).meta({ description: 'Port on which the proxy hands out the installer, over HTTP.' }),
})

export const specSchema = z.strictObject({
  $schema: z.string().optional().meta({ description: 'JSON Schema, for editors (JSON form only).' }),
  gate: gate.prefault({}).meta({ description: 'The gateway itself.' }),
  upstreams: named(upstream, 'Providers that requests can go to, by name.'),
  backends: z
    .record(
      z.string().regex(BACKEND_NAME, 'use at most 20 lower-case letters and digits, with single "-" between'),
      backend,
    )
    .default({})
    .meta({ description: 'Local engines, by name: each one unprivileged user with one rootless container.' }),
  models: named(model, 'Virtual models: what clients ask for, by alias.'),
  budgets: named(budget, 'Money per window, by name; keys and users attach to a budget.'),
  proxy: proxy.prefault({}).meta({ description: 'Reverse proxy.' }),
  dns: dns.prefault({}).meta({ description: 'Name server.' }),
  relay: relay.prefault({}).meta({ description: 'Being reachable through relays (client side).' }),
  relays: named(relayInstance, 'Relay servers on this host, by instance.'),
  sandbox: sandbox.prefault({}).meta({ description: 'Code execution.' }),
  client: client.prefault({}).meta({ description: 'Installer for clients.' }),
})

export type Spec = z.output<typeof specSchema>
/** The spec as somebody wrote it, without defaults. */
export type WrittenSpec = z.input<typeof specSchema>
export type BackendSpec = Spec['backends'][string]
export type SecretReference = z.output<ReturnType<typeof secret>>
export type Engine = (typeof ENGINES)[number]
export type GpuKind = (typeof GPU_KINDS)[number]
export type ProfileName = (typeof PROFILE_NAMES)[number]

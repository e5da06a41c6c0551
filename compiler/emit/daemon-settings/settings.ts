import type { SpecPath } from '../../../schemas/spec/path.ts'
import { environmentName } from '../../../schemas/words/key-names.ts'
import { type JsonNode, object, value } from '../../../syntax/json/print.ts'
import type { Tree } from '../../../syntax/tree.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Backend } from '../../ir/nodes/backend.ts'
import type { ServerSettings } from '../../ir/nodes/gateway.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import { alertTable } from './alerts.ts'
import { authTable } from './auth.ts'
import { appTable, backendTable, type Reach } from './backends.ts'
import { durationText } from './duration-text.ts'
import { modelTable } from './models.ts'
import { moneyTables } from './money.ts'
import { notYet } from './not-yet.ts'
import { contradictions, overlay } from './overlay.ts'
import { peerTable } from './peers.ts'
import { telemetryTable } from './telemetry.ts'
import { tlsTables } from './tls.ts'
import { listNode } from './tuning.ts'
import { missingAddresses, sameNames, upstreamTable } from './upstreams.ts'

/** What a target may decide about the daemon's configuration: addresses, and nothing else. */
export type Surroundings = {
  /** Address to listen on there. */
  readonly host: string
  /** How the daemon reaches a backend there; undefined: it cannot, and the target has to say so. */
  readonly reach: (backend: Backend) => Reach | undefined
}

/** A secret of the daemon and the variable that can carry it. */
export type SecretVariable = { readonly name: string; readonly secret: Secret }

export type DaemonSettings = {
  /** The declared layer, as schemas/config/config.ts has it. It holds no secret. */
  readonly declared: JsonNode
  readonly secrets: readonly SecretVariable[]
  readonly findings: readonly Finding[]
}

/**
 * The one mapping of a deployment to the daemon's configuration: whatever a target makes of it begins here.
 * @param above a layer of that configuration, which lies over what the spec gives
 */
export function daemonSettings(deployment: Deployment, { host, reach }: Surroundings, above: Tree): DaemonSettings {
  const { upstreams, backends } = deployment
  const servers = backends.flatMap((backend) => {
    const reached = backend.isUpstream ? reach(backend) : undefined
    return reached === undefined ? [] : [{ backend, reached }]
  })
  const reachable = [...upstreams, ...servers.map(({ backend }) => backend)]
  const models = modelTable(deployment, new Set(reachable.map(({ name }) => name)))
  const declared = object([], {
    server: server(deployment.gateway, host),
    auth: authTable(deployment.gateway.auth),
    upstreams: upstreamTable(upstreams),
    backends: backendTable(servers),
    apps: appTable(backends.flatMap((app) => (app.isUpstream ? [] : [{ app, agent: reach(app)?.agent }]))),
    models: models.node,
    categories: categories(deployment),
    ...moneyTables(deployment),
    alerts: alertTable(deployment),
    discovery: discovery(deployment),
    ...tlsTables(deployment.gateway.tlsServing),
    relay: relay(deployment),
    peers: peerTable(deployment),
    managed: managed(deployment),
    usage: usage(deployment),
    log: log(deployment),
    telemetry: telemetryTable(deployment),
  })
  return {
    declared: overlay(declared, above),
    secrets: deployment.secrets.flatMap((secret) =>
      secretVariable(
        secret,
        servers.map((s) => s.backend.name),
      ),
    ),
    findings: [
      ...sameNames(reachable),
      ...missingAddresses(upstreams),
      ...models.findings,
      ...notYet(deployment),
      ...contradictions(declared, above),
    ],
  }
}

function server(settings: ServerSettings, host: string): JsonNode {
  const origin: SpecPath = ['gate', 'server']
  const at = (key: string, content: string | number | readonly string[]) => value([...origin, key], content)
  const time = (key: string, ms: number | undefined) => (ms === undefined ? undefined : at(key, durationText(ms)))
  const {
    host: _,
    port,
    p2pPort,
    allowFrom,
    adminAllowFrom,
    trustedProxies,
    proxyProtocol,
    externalUrl,
    ...others
  } = settings
  const { allowedHosts, allowedOrigins, ...limits } = others
  const { maxBodyBytes, maxBufferedBytes, maxConnections, maxConnectionsPerAddress, maxConcurrent, ...times } = limits
  const { headersTimeoutMs, bodyTimeoutMs, stallTimeoutMs, drainTimeoutMs, ...rest } = times
  rest satisfies Record<string, never>
  return object(origin, {
    host: at('host', host),
    port: at('port', port),
    p2p_port: at('p2p_port', p2pPort),
    allow_from: at('allow_from', allowFrom),
    admin_allow_from: adminAllowFrom.length === 0 ? undefined : at('admin_allow_from', adminAllowFrom),
    trusted_proxies: at('trusted_proxies', trustedProxies),
    proxy_protocol: proxyProtocol ? value([...origin, 'proxy_protocol'], true) : undefined,
    external_url: externalUrl === undefined ? undefined : at('external_url', externalUrl),
    allowed_hosts: allowedHosts.length === 0 ? undefined : at('allowed_hosts', allowedHosts),
    allowed_origins: allowedOrigins.length === 0 ? undefined : at('allowed_origins', allowedOrigins),
    max_body: at('max_body', `${maxBodyBytes}B`),
    max_buffered: at('max_buffered', `${maxBufferedBytes}B`),
    max_connections: at('max_connections', maxConnections),
    max_connections_per_address:
      maxConnectionsPerAddress === undefined ? undefined : at('max_connections_per_address', maxConnectionsPerAddress),
    max_concurrent: at('max_concurrent', maxConcurrent),
    headers_timeout: time('headers_timeout', headersTimeoutMs),
    body_timeout: time('body_timeout', bodyTimeoutMs),
    stall_timeout: time('stall_timeout', stallTimeoutMs),
    drain_timeout: time('drain_timeout', drainTimeoutMs),
  })
}

/** On a host that is deployed, what is there is written down: a login that takes a port is no engine. */
function discovery({ gateway }: Deployment): JsonNode {
  const origin: SpecPath = ['gate', 'discovery']
  const { enabled, intervalMs, ...rest } = gateway.discovery
  rest satisfies Record<string, never>
  return object(origin, {
    enabled: value([...origin, 'enabled'], enabled ?? false),
    interval: intervalMs === undefined ? undefined : value([...origin, 'interval'], durationText(intervalMs)),
  })
}

function relay({ relayClient }: Deployment): JsonNode {
  const {
    enable,
    addresses,
    domain,
    custom_domain,
    names,
    invite: _,
    pins,
    ca,
    ct_log,
    backends,
    ...rest
  } = relayClient
  rest satisfies Record<string, never>
  const text = (key: string, content: string | undefined) =>
    content === undefined ? undefined : value(['relay', key], content)
  const list = (key: string, all: readonly string[]) => (all.length === 0 ? undefined : value(['relay', key], all))
  return object(['relay'], {
    enable: value(['relay', 'enable'], enable),
    addresses: value(['relay', 'addresses'], addresses),
    domain: text('domain', domain),
    custom_domain: text('custom_domain', custom_domain),
    names: list('names', names),
    pins: list('pins', pins),
    ca: text('ca', ca),
    ct_log: text('ct_log', ct_log),
    backends: backends.length === 0 ? undefined : listNode(['relay', 'backends'], backends),
  })
}

function categories({ categories: all }: Deployment): JsonNode | undefined {
  const entries = Object.entries(all).map(([name, { description, ...rest }]) => {
    rest satisfies Record<string, never>
    const origin: SpecPath = ['categories', name]
    return [name, object(origin, { description: value([...origin, 'description'], description) })] as const
  })
  return entries.length === 0 ? undefined : object(['categories'], Object.fromEntries(entries))
}

function managed({ gateway }: Deployment): JsonNode | undefined {
  const origin: SpecPath = ['gate', 'managed']
  const { claude_code, ...rest } = gateway.managed
  rest satisfies Record<string, never>
  if (claude_code === undefined) return undefined
  return object(origin, { claude_code: value([...origin, 'claude_code'], claude_code) })
}

function usage({ gateway }: Deployment): JsonNode | undefined {
  const origin: SpecPath = ['gate', 'usage']
  const { retentionMs, totalsRetentionMs, textRetentionMs, textOfKeys, textOfModels, ...rest } = gateway.usage
  rest satisfies Record<string, never>
  const time = (key: string, ms: number | undefined) =>
    ms === undefined ? undefined : value([...origin, key], durationText(ms))
  const names = (key: string, all: readonly string[]) =>
    all.length === 0 ? undefined : value([...origin, 'keep_text', key], all)
  const keepsText = textOfKeys.length + textOfModels.length > 0
  const table = {
    retention: time('retention', retentionMs),
    totals_retention: time('totals_retention', totalsRetentionMs),
    keep_text: keepsText
      ? object([...origin, 'keep_text'], { keys: names('keys', textOfKeys), models: names('models', textOfModels) })
      : undefined,
    text_retention: time('text_retention', textRetentionMs),
  }
  return Object.values(table).every((node) => node === undefined) ? undefined : object(origin, table)
}

function log({ gateway }: Deployment): JsonNode {
  const origin: SpecPath = ['gate', 'log']
  const { level, format, ...rest } = gateway.log
  rest satisfies Record<string, never>
  return object(origin, {
    level: value([...origin, 'level'], level),
    format: format === undefined ? undefined : value([...origin, 'format'], format),
  })
}

/** Credentials are named like the key that they fill; those of backends that cannot be reached are left out. */
function secretVariable(secret: Secret, reached: readonly string[]): SecretVariable[] {
  if (secret.destination.kind !== 'daemon') return []
  const [first = '', name = '', ...rest] = secret.destination.credential.split('.')
  if (first === 'backends' && !reached.includes(name)) return []
  return [{ name: environmentName([first, name, ...rest]), secret }]
}

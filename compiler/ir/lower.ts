import type { SpecPath } from '../../schemas/spec/path.ts'
import type { Spec, WrittenSpec } from '../../schemas/spec/spec.ts'
import { type Allocation, isPublished, SUBUID_COUNT } from './allocation.ts'
import type { Deployment } from './deployment.ts'
import { authorityDirectories, lowerAuthority } from './lower-authority.ts'
import { lowerBackend } from './lower-backend.ts'
import {
  lowerClient,
  lowerDns,
  lowerFirewall,
  lowerGateway,
  lowerGatewayUser,
  lowerVhosts,
  stateDirectories,
} from './lower-gateway.ts'
import { tlsSecrets } from './lower-tls.ts'
import { lowerProxy, lowerSandbox, lowerUpstreams } from './lower-upstreams.ts'
import { type GatewayNames, gatewayNames } from './names.ts'
import type { Gateway } from './nodes/gateway.ts'
import type { Listener, Secret } from './nodes/host.ts'
import type { Relay, RelayTable } from './nodes/web.ts'

/** Turns the spec into an explicit deployment: defaults filled in, names decided, units converted. */
export function lower(spec: Spec, allocation: Allocation, written: WrittenSpec): Deployment {
  const {
    $schema: _,
    gate,
    upstreams,
    backends,
    models,
    categories,
    budgets,
    limits,
    peers,
    alerts,
    proxy,
    dns,
    relay,
    relays,
    sandbox,
    client: _client,
    defaults: _defaults, // merged where the spec was read
    ...rest
  } = spec
  rest satisfies Record<string, never>
  const names = gatewayNames(gate.instance)
  const gateway = lowerGateway(spec, names, allocation)
  const portOf = (name: string): number => {
    const port = Object.hasOwn(backends, name) ? backends[name]?.port : undefined
    return typeof port === 'number' ? port : allocation.portOf(['backends', name, 'port'])
  }
  const parts = Object.entries(backends)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, backend]) => {
      const { uid, subuid } = allocation.userOf(name)
      const port = isPublished(spec, name) ? portOf(name) : undefined
      const range = { start: subuid, count: SUBUID_COUNT }
      return lowerBackend(name, backend, { names, gatewayPort: gateway.port, uid, subuid: range, port, portOf })
    })
  const vhosts = lowerVhosts(spec, gateway, parts)
  const authority = lowerAuthority(spec, gateway, vhosts)
  const relayServers = Object.entries(relays).map(([instance, server]) => lowerRelay(instance, server, names))
  return deepFreeze({
    prefix: names.prefix,
    names,
    profile: gate.profile,
    domain: gate.domain,
    written,
    gateway,
    upstreams: lowerUpstreams(upstreams),
    models,
    categories,
    budgets,
    limits,
    peers,
    alerts,
    sandbox: lowerSandbox(sandbox),
    relayClient: relay,
    proxy: lowerProxy(proxy),
    client: lowerClient(spec, names, authority),
    backends: parts.map((part) => part.backend),
    users: [lowerGatewayUser(names), ...parts.map((part) => part.user)],
    groups: [names.adminGroup, names.modelsGroup].map((name) => ({ origin: ['gate'], name })),
    containers: parts.map((part) => part.container),
    configFiles: parts.flatMap((part) => part.configFiles),
    networks: parts.flatMap((part) => part.networks),
    volumes: parts.flatMap((part) => part.volumes),
    sockets: parts.flatMap((part) => part.sockets),
    agents: parts.map((part) => part.agent),
    images: parts.map((part) => part.image),
    directories: [
      ...stateDirectories(names),
      ...authorityDirectories(authority, names),
      { origin: ['gate'], path: names.configDirectory, mode: 0o755, user: 'root', group: 'root' },
      // root's: systemd makes the sockets in it, and tmpfiles.d(5) follows no path through another user's directory
      { origin: ['gate'], path: names.runtimeDirectory, mode: 0o755, user: 'root', group: 'root' },
      { origin: ['backends'], path: names.backendsDirectory, mode: 0o755, user: 'root', group: 'root' },
      { origin: ['backends'], path: names.shellsDirectory, mode: 0o755, user: 'root', group: 'root' },
      { origin: ['backends'], path: names.secretsDirectory, mode: 0o711, user: 'root', group: 'root' },
      ...parts.flatMap((part) => part.directories),
    ],
    boundedDirectories: parts.map((part) => part.boundedDirectories),
    links: parts.flatMap((part) => part.links),
    secrets: [...gatewaySecrets(spec, gateway), ...parts.flatMap((part) => part.secrets)],
    firewall: lowerFirewall(spec, gateway),
    vhosts,
    authority,
    dns: lowerDns(dns, gate.domain, vhosts),
    relays: relayServers,
    listeners: [
      ...gatewayListeners(spec, gateway),
      ...relayListeners(relayServers),
      ...parts.flatMap((part) => part.listeners),
    ],
  })
}

function lowerRelay(instance: string, server: Spec['relays'][string], names: GatewayNames): Relay {
  const {
    https_port,
    p2p_port,
    metrics_port,
    bind_address,
    log_level,
    domain_suffix,
    allow_from,
    trusted_proxies,
    public_address,
    invite,
    registry,
    limits,
    tls,
    open_firewall: _,
    open_firewall_on_interfaces: _interfaces,
    dns,
    ...rest
  } = server
  rest satisfies Record<string, never>
  const written = dns?.enabled ? dns : undefined
  const isShared = registry?.['kind'] === 'etcd'
  return {
    origin: ['relays', instance],
    instance,
    unit: names.relayUnit,
    bindAddress: bind_address,
    httpsPort: https_port,
    p2pPort: p2p_port,
    metricsPort: metrics_port,
    logLevel: log_level,
    domainSuffix: domain_suffix,
    allowFrom: allow_from,
    trustedProxies: trusted_proxies,
    publicAddress: public_address,
    invite,
    registry: without(registry, 'password'),
    limits,
    tls,
    dns: written && {
      provider: written.provider,
      zoneId: written.zone_id,
      rfc2136: without(written.rfc2136, 'secret'),
    },
    isDialling: written !== undefined || isShared || isTrue(tls?.['acme']),
  }
}

function without(table: RelayTable | undefined, secret: string): RelayTable | undefined {
  return table && Object.fromEntries(Object.entries(table).filter(([key]) => key !== secret))
}

/** Whether a table of the configuration has `enabled = true`. */
const isTrue = (table: unknown): boolean =>
  typeof table === 'object' && table !== null && 'enabled' in table && table.enabled === true

/** Secrets of the daemon and the relays; a credential is named like the configuration key that it fills. */
function gatewaySecrets({ gate, upstreams, alerts, relay, relays }: Spec, gateway: Gateway): Secret[] {
  const daemon = (origin: SpecPath, credential: string, source: Secret['source'] | undefined): Secret[] =>
    source === undefined
      ? []
      : [{ origin, name: origin.join('.'), source, destination: { kind: 'daemon', credential } }]
  return [
    ...daemon(['gate', 'auth', 'token'], 'auth.token', gate.auth.token),
    ...daemon(['gate', 'auth', 'password_hash'], 'auth.password_hash', gate.auth.password_hash),
    ...daemon(['gate', 'auth', 'jwt', 'secret'], 'auth.jwt.secret', gate.auth.jwt.secret),
    ...daemon(['gate', 'telemetry', 'headers'], 'telemetry.headers', gate.telemetry.headers),
    ...daemon(['gate', 'secrets', 'encryption_key'], 'secrets.encryption_key', gate.secrets.encryption_key),
    ...daemon(['gate', 'secrets', 'previous_key'], 'secrets.previous_key', gate.secrets.previous_key),
    ...tlsSecrets(gateway),
    ...daemon(['relay', 'invite'], 'relay.invite', relay.invite),
    ...Object.entries(gate.auth.oidc).flatMap(([name, { client_secret }]) =>
      daemon(['gate', 'auth', 'oidc', name, 'client_secret'], `auth.oidc.${name}.client_secret`, client_secret),
    ),
    ...Object.entries(upstreams).flatMap(([name, { api_key }]) =>
      daemon(['upstreams', name, 'api_key'], `upstreams.${name}.api_key`, api_key),
    ),
    ...Object.entries(alerts).flatMap(([name, alert]) =>
      (['url', 'secret', 'token'] as const).flatMap((key) =>
        daemon(['alerts', name, key], `alerts.${name}.${key}`, alert[key]),
      ),
    ),
    ...Object.entries(relays).flatMap(([instance, relay]) => relaySecrets(instance, relay)),
  ]
}

function relaySecrets(instance: string, { dns, registry }: Spec['relays'][string]): Secret[] {
  const secret = (path: readonly string[], credential: string, source: Secret['source'] | undefined): Secret[] => {
    const origin = ['relays', instance, ...path]
    const destination = { kind: 'relay', instance, credential } as const
    return source === undefined ? [] : [{ origin, name: origin.join('.'), source, destination }]
  }
  const ofDns =
    dns?.enabled === true
      ? [
          ...secret(['dns', 'api_token'], 'dns.cloudflare.api_token', dns.api_token),
          ...secret(['dns', 'rfc2136', 'secret'], 'dns.rfc2136.secret', dns.rfc2136?.secret),
        ]
      : []
  return [...ofDns, ...secret(['registry', 'password'], 'registry.password', registry?.password)]
}

function gatewayListeners({ proxy, dns, client }: Spec, gateway: Gateway): Listener[] {
  const listeners: Listener[] = [
    { origin: ['gate', 'server', 'port'], port: gateway.port, protocol: 'tcp', host: gateway.host },
    { origin: ['gate', 'server', 'p2p_port'], port: gateway.p2pPort, protocol: 'tcp', host: gateway.host },
  ]
  if (gateway.tlsServing !== undefined) {
    const { host = '*', httpsPort, httpPort } = gateway.tlsServing
    listeners.push({ origin: ['gate', 'tls', 'https_port'], port: httpsPort, protocol: 'tcp', host })
    if (httpPort !== undefined)
      listeners.push({ origin: ['gate', 'tls', 'http_port'], port: httpPort, protocol: 'tcp', host })
  }
  if (proxy.engine !== 'none') {
    listeners.push({ origin: ['proxy', 'http_port'], port: proxy.http_port, protocol: 'tcp', host: '*' })
    if (gateway.tls.kind !== 'none')
      listeners.push({ origin: ['proxy', 'https_port'], port: proxy.https_port, protocol: 'tcp', host: '*' })
    if (client.enable) listeners.push({ origin: ['client', 'port'], port: client.port, protocol: 'tcp', host: '*' })
  }
  if (dns.engine !== 'none' && dns.listen !== undefined) {
    const host = dns.listen
    listeners.push({ origin: ['dns', 'port'], port: dns.port, protocol: 'tcp', host })
    listeners.push({ origin: ['dns', 'port'], port: dns.port, protocol: 'udp', host })
  }
  return listeners
}

function relayListeners(relays: readonly Relay[]): Listener[] {
  return relays.flatMap(({ origin, httpsPort, p2pPort, metricsPort, bindAddress: host }): Listener[] => [
    { origin: [...origin, 'https_port'], port: httpsPort, protocol: 'tcp', host },
    { origin: [...origin, 'p2p_port'], port: p2pPort, protocol: 'tcp', host },
    ...(metricsPort === undefined
      ? []
      : [{ origin: [...origin, 'metrics_port'], port: metricsPort, protocol: 'tcp' as const, host: '127.0.0.1' }]),
  ])
}

function deepFreeze<T extends object>(value: T): T {
  Object.freeze(value)
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null && !Object.isFrozen(inner)) deepFreeze(inner)
  return value
}

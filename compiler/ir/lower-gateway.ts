import { byteCount, durationMs } from '../../schemas/config/values.ts'
import type { Spec } from '../../schemas/spec/spec.ts'
import { addressPattern, canonicalHost } from '../../schemas/words/address.ts'
import { PROFILES } from '../catalog/profiles.ts'
import type { Allocation } from './allocation.ts'
import type { BackendParts } from './lower-backend.ts'
import { lowerExternalUrl, lowerTls, lowerTlsServing } from './lower-tls.ts'
import { authorityFiles, type GatewayNames } from './names.ts'
import type { AuthorityNode } from './nodes/authority.ts'
import type { Gateway } from './nodes/gateway.ts'
import type { Directory, FirewallRule, User } from './nodes/host.ts'
import type { Address } from './nodes/node.ts'
import type { Client, Dns, Vhost } from './nodes/web.ts'

export function lowerGateway(spec: Spec, names: GatewayNames, allocation: Allocation): Gateway {
  const { gate, proxy } = spec
  const { profile, domain: _domain, instance: _instance, keep_generations, ...own } = gate
  const {
    image,
    memory,
    cache,
    server,
    tls,
    auth,
    discovery,
    network,
    managed,
    usage,
    log,
    telemetry,
    secrets: _secrets,
    ...rest
  } = own
  rest satisfies Record<string, never>
  const sizes = PROFILES[profile]
  const { mode, ...restOfAuth } = auth
  const { headers: _headers, interval, ...restOfTelemetry } = telemetry
  return {
    origin: ['gate'],
    unit: names.daemonUnit,
    keepGenerations: keep_generations,
    image,
    user: names.user,
    adminGroup: names.adminGroup,
    stateDirectory: names.stateDirectory,
    modelsDirectory: names.modelsDirectory,
    runtimeDirectory: names.runtimeDirectory,
    adminSocket: names.adminSocket,
    proxySocket: names.proxySocket,
    configDirectory: names.configDirectory,
    declaredConfig: names.declaredConfig,
    environmentFile: names.environmentFile,
    generatedDirectory: names.generatedDirectory,
    secretsUnit: names.secretsUnit,
    host: canonicalHost(server.host),
    port: server.port === 'random' ? allocation.portOf(['gate', 'server', 'port']) : server.port,
    p2pPort: server.p2p_port === 'random' ? allocation.portOf(['gate', 'server', 'p2p_port']) : server.p2p_port,
    allowFrom: server.allow_from,
    adminAllowFrom: server.admin_allow_from,
    // nginx has asked the proxies before it itself, and no other client may speak for one
    trustedProxies: proxy.engine === 'nginx' ? [] : server.trusted_proxies,
    outerProxies: server.trusted_proxies,
    proxyProtocol: server.proxy_protocol,
    externalUrl: lowerExternalUrl(spec),
    allowedHosts: server.allowed_hosts,
    allowedOrigins: server.allowed_origins,
    maxBodyBytes: server.max_body === undefined ? sizes.maxBodyBytes : byteCount(server.max_body),
    maxBufferedBytes: server.max_buffered === undefined ? sizes.maxBufferedBytes : byteCount(server.max_buffered),
    maxConnections: server.max_connections ?? sizes.maxConnections,
    maxConnectionsPerAddress: server.max_connections_per_address,
    maxConcurrent: server.max_concurrent ?? sizes.maxConcurrent,
    headersTimeoutMs: optionalMs(server.headers_timeout),
    bodyTimeoutMs: optionalMs(server.body_timeout),
    stallTimeoutMs: optionalMs(server.stall_timeout),
    drainTimeoutMs: optionalMs(server.drain_timeout),
    discovery: { enabled: discovery.enabled, intervalMs: optionalMs(discovery.interval) },
    network,
    cacheBytes: cache === undefined ? sizes.cacheBytes : byteCount(cache),
    memoryBytes: memory === undefined ? sizes.memoryBytes : byteCount(memory),
    auth: { ...restOfAuth, modes: [mode].flat() },
    tls: lowerTls(tls),
    tlsServing: proxy.engine === 'none' ? lowerTlsServing(spec) : undefined,
    tlsWithoutProxy: lowerTlsServing(spec),
    managed,
    usage: lowerUsage(usage),
    log,
    telemetry: { ...restOfTelemetry, intervalMs: optionalMs(interval) },
  }
}

function lowerUsage({ retention, totals_retention, keep_text, text_retention, ...rest }: Spec['gate']['usage']) {
  rest satisfies Record<string, never>
  const { keys, models, ...restOfText } = keep_text
  restOfText satisfies Record<string, never>
  return {
    retentionMs: optionalMs(retention),
    totalsRetentionMs: optionalMs(totals_retention),
    textRetentionMs: optionalMs(text_retention),
    textOfKeys: keys,
    textOfModels: models,
  }
}

const optionalMs = (text: string | undefined) => (text === undefined ? undefined : durationMs(text))

export function lowerGatewayUser(names: GatewayNames): User {
  return {
    origin: ['gate'],
    name: names.user,
    uid: undefined,
    home: names.stateDirectory,
    groups: [], // not that of the admins, which opens shells
    subuid: undefined,
    linger: false,
    limits: [],
    description: 'Gate',
  }
}

/**
 * The daemon makes, replaces and removes files of its own in its state directory, and nothing else there: the directory
 * is root's and sticky, so that the daemon can put nothing in place of the models, which are mounted by path.
 */
export function stateDirectories(names: GatewayNames): Directory[] {
  const { stateDirectory, modelsDirectory, user, modelsGroup } = names
  return [
    // others go through it to the models
    { origin: ['gate'], path: stateDirectory, mode: 0o1771, user: 'root', group: user },
    { origin: ['gate'], path: modelsDirectory, mode: 0o750, user: 'root', group: modelsGroup },
  ]
}

export function lowerVhosts(
  { gate, proxy, backends }: Spec,
  gateway: Gateway,
  parts: readonly BackendParts[],
): Vhost[] {
  if (proxy.engine === 'none' || gate.domain === undefined) return []
  const { domain } = gate
  const local: Address = { kind: 'unix', path: gateway.proxySocket }
  const toGateway = { kind: 'gateway', upstream: local, maxBodyBytes: gateway.maxBodyBytes } as const
  return [
    { ...toGateway, origin: ['gate', 'domain'], host: domain },
    ...proxy.aliases.map((label, i) => ({ ...toGateway, origin: ['proxy', 'aliases', i], host: `${label}.${domain}` })),
    ...parts.flatMap(({ backend, published }): Vhost[] => {
      const expose = backends[backend.name]?.expose
      if (expose === undefined || published === undefined) return []
      const origin = ['backends', backend.name, 'expose']
      const { maxBodyBytes } = gateway
      return [{ kind: 'app', origin, host: `${expose}.${domain}`, upstream: published, maxBodyBytes }]
    }),
  ]
}

export function lowerDns(dns: Spec['dns'], domain: string | undefined, vhosts: readonly Vhost[]): Dns | undefined {
  if (dns.engine === 'none' || dns.listen === undefined || domain === undefined) return undefined
  const isAddress = addressPattern.test(dns.listen)
  return {
    origin: ['dns'],
    listen: { kind: isAddress ? 'address' : 'interface', value: dns.listen },
    port: dns.port,
    domain,
    names: [...new Set([domain, ...vhosts.map(({ host }) => host)])],
    forward: dns.forward,
  }
}

export function lowerClient(
  { client, proxy }: Spec,
  names: GatewayNames,
  authority: AuthorityNode | undefined,
): Client | undefined {
  const { enable, ca, port, ...rest } = client
  rest satisfies Record<string, never>
  if (!enable) return undefined
  return {
    origin: ['client'],
    ca: ca ?? (authority === undefined ? undefined : authorityFiles(names).trusted),
    port: proxy.engine === 'none' ? undefined : port,
    directory: names.clientDirectory,
  }
}

/** What open_firewall opens for the gateway is everything a client of it needs; backends are never opened. */
export function lowerFirewall({ gate, proxy, dns, client, relays }: Spec, gateway: Gateway): FirewallRule[] {
  const { open_firewall, open_firewall_on_interfaces } = gate.server
  const own = open_firewall ? [undefined] : open_firewall_on_interfaces
  const origin = ['gate', 'server', open_firewall ? 'open_firewall' : 'open_firewall_on_interfaces']
  return [
    ...rules(origin, [gateway.port, gateway.p2pPort, ...tlsPorts(gateway), ...webPorts(proxy, client, gateway)], own),
    ...(dns.engine === 'none' ? [] : [...rules(origin, [dns.port], own), ...rules(origin, [dns.port], own, 'udp')]),
    ...Object.entries(relays).flatMap(([instance, relay]) =>
      rules(
        ['relays', instance, relay.open_firewall ? 'open_firewall' : 'open_firewall_on_interfaces'],
        [relay.https_port, relay.p2p_port],
        relay.open_firewall ? [undefined] : relay.open_firewall_on_interfaces,
      ),
    ),
  ]
}

function rules(
  origin: string[],
  ports: readonly number[],
  interfaces: readonly (string | undefined)[],
  protocol: 'tcp' | 'udp' = 'tcp',
): FirewallRule[] {
  return interfaces.flatMap((name) => ports.map((port) => ({ origin, port, protocol, interface: name })))
}

/** Of the daemon's own listeners. */
function tlsPorts({ tlsServing }: Gateway): number[] {
  if (tlsServing === undefined) return []
  const { httpsPort, httpPort } = tlsServing
  return httpPort === undefined ? [httpsPort] : [httpsPort, httpPort]
}

function webPorts(proxy: Spec['proxy'], client: Spec['client'], gateway: Gateway): number[] {
  if (proxy.engine === 'none') return []
  const https = gateway.tls.kind === 'none' ? [] : [proxy.https_port]
  return [proxy.http_port, ...https, ...(client.enable ? [client.port] : [])]
}

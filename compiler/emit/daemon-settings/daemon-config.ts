import type { SpecPath } from '../../../schemas/spec/path.ts'
import { environmentName } from '../../../schemas/words/key-names.ts'
import { array, type JsonNode, object, value } from '../../../syntax/json/print.ts'
import { PROFILES } from '../../catalog/profiles.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment, Secret } from '../../ir/deployment.ts'
import { flatModels } from '../declared/models.ts'
import { notExpressed } from '../not-expressed.ts'

/** One variable of the daemon's environment. */
export type Variable = { readonly name: string; readonly value: string; readonly origin: SpecPath }

/** A secret of the daemon and the variable that carries it. */
export type SecretVariable = { readonly name: string; readonly secret: Secret }

export type DaemonSettings = {
  /** The same as `variables`, as the declared layer: edits at runtime go over it, never over variables. */
  readonly declared: JsonNode
  readonly variables: readonly Variable[]
  readonly secrets: readonly SecretVariable[]
  readonly findings: readonly Finding[]
}

export type Surroundings = {
  /** The name of the target, for findings. */
  readonly target: string
  /** Address to listen on there. */
  readonly host: string
  /** URL of a backend's API, by name; what is not in it cannot be reached. */
  readonly backendUrls: ReadonlyMap<string, string>
}

type Setting = readonly [path: string, value: unknown, origin: SpecPath]

/**
 * The daemon's whole configuration, as its declared file and as environment, for targets that have no place for a file.
 * Tables that people name entries of (upstreams, backends, models) are JSON, so that names keep their spelling.
 */
export function daemonSettings(deployment: Deployment, surroundings: Surroundings): DaemonSettings {
  const { gateway, relayClient } = deployment
  const { auth, log, tls } = gateway
  const server: SpecPath = ['gate', 'server']
  const { upstreams, backends, findings } = upstreamTables(deployment, surroundings)
  const reachable = new Set([...Object.keys(upstreams), ...Object.keys(backends)])
  const models = modelTable(deployment, surroundings.target, reachable)
  const settings: readonly Setting[] = [
    ['server.host', surroundings.host, [...server, 'host']],
    ['server.port', gateway.port, [...server, 'port']],
    ['server.p2p_port', gateway.p2pPort, [...server, 'p2p_port']],
    ['server.allow_from', gateway.allowFrom, [...server, 'allow_from']],
    ['server.trusted_proxies', gateway.trustedProxies, [...server, 'trusted_proxies']],
    ['server.max_body', `${gateway.maxBodyBytes}B`, [...server, 'max_body']],
    ['server.max_buffered', `${gateway.maxBufferedBytes}B`, [...server, 'max_buffered']],
    ['server.max_connections', gateway.maxConnections, [...server, 'max_connections']],
    ['server.max_concurrent', gateway.maxConcurrent, [...server, 'max_concurrent']],
    ['auth.mode', auth.modes.every((mode) => mode === 'none') ? 'none' : 'token', ['gate', 'auth', 'mode']],
    ['auth.jwt.issuer', auth.jwt.issuer, ['gate', 'auth', 'jwt', 'issuer']],
    ['auth.jwt.expiration_hours', auth.jwt.expiration_hours, ['gate', 'auth', 'jwt', 'expiration_hours']],
    ['log.level', log.level, ['gate', 'log', 'level']],
    ['log.format', log.format ?? 'json', ['gate', 'log', 'format']],
    ['relay.enable', relayClient.enable, ['relay', 'enable']],
    ['relay.addresses', relayClient.addresses, ['relay', 'addresses']],
    ['relay.custom_domain', relayClient.custom_domain, ['relay', 'custom_domain']],
    ['letsencrypt.enabled', tls.kind === 'acme', ['gate', 'tls']],
    ['letsencrypt.email', tls.kind === 'acme' ? tls.email : undefined, ['gate', 'tls', 'acme', 'email']],
    ['letsencrypt.staging', tls.kind === 'acme' ? tls.staging : undefined, ['gate', 'tls', 'acme', 'staging']],
    ['letsencrypt.domains', tls.kind === 'acme' ? tls.domains : [], ['gate', 'tls', 'acme', 'domains']],
    ['upstreams', upstreams, ['upstreams']],
    ['backends', backends, ['backends']],
    ['models', models.table, ['models']],
  ]
  const wanted = settings.filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0))
  return {
    declared: declaredTree(wanted),
    variables: wanted.map(([path, value, origin]) => {
      const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
      return { name: environmentName(path.split('.')), value: text, origin }
    }),
    secrets: deployment.secrets.flatMap((secret) => secretVariable(secret, backends)),
    findings: [...unknownFindings(deployment, surroundings.target), ...findings, ...models.findings],
  }
}

/** Settings by their paths, one table in another. */
function declaredTree(settings: readonly Setting[]): JsonNode {
  const groups = Map.groupBy(settings, ([path]) => path.split('.')[0] ?? '')
  return object(
    ['gate'],
    Object.fromEntries(
      [...groups].map(([name, group]): [string, JsonNode] => {
        const [first] = group
        if (first !== undefined && first[0] === name) return [name, jsonNode(first[1], first[2])]
        const below = group.map(([path, ...rest]): Setting => [path.slice(name.length + 1), ...rest])
        return [name, declaredTree(below)]
      }),
    ),
  )
}

function jsonNode(content: unknown, origin: SpecPath): JsonNode {
  if (typeof content === 'string' || typeof content === 'number' || typeof content === 'boolean')
    return value(origin, content)
  if (Array.isArray(content))
    return array(
      origin,
      content.map((item) => jsonNode(item, origin)),
    )
  const entries = Object.entries(content ?? {}).flatMap(([key, inner]): [string, JsonNode][] =>
    inner === undefined ? [] : [[key, jsonNode(inner, [...origin, key])]],
  )
  return object(origin, Object.fromEntries(entries))
}

/** What the spec says that the daemon's configuration has no key for; about access, what it does instead is stricter. */
function unknownFindings({ gateway, profile }: Deployment, target: string): Finding[] {
  const findings: Finding[] = []
  if (gateway.cacheBytes !== PROFILES[profile].cacheBytes) {
    const message = `under the target ${target} the daemon sizes its database cache itself`
    findings.push(notExpressed(['gate', 'cache'], message, 'remove cache'))
  }
  const other = gateway.auth.modes.filter((mode) => mode !== 'token' && mode !== 'none')
  if (other.length > 0) {
    const message = `under the target ${target} clients present keys only, not: ${other.join(', ')}`
    findings.push(notExpressed(['gate', 'auth', 'mode'], message, 'use mode = "token"'))
  }
  if (gateway.adminAllowFrom.length > 0) {
    const message = `under the target ${target} there are no admin routes but the daemon's socket`
    findings.push(notExpressed(['gate', 'server', 'admin_allow_from'], message, 'remove admin_allow_from'))
  }
  return findings
}

type Table = Readonly<Record<string, Readonly<Record<string, unknown>>>>

function upstreamTables(
  { upstreams, backends }: Deployment,
  { target, backendUrls }: Surroundings,
): { upstreams: Table; backends: Table; findings: Finding[] } {
  const findings: Finding[] = []
  const remote = Object.entries(upstreams).map(([name, { api_key: _, ...rest }]) => [name, rest] as const)
  const local = backends.flatMap(({ name, origin, model, maxConcurrent }) => {
    const url = backendUrls.get(name)
    if (url === undefined) return []
    if (Object.hasOwn(upstreams, name))
      findings.push({
        code: 'NAME_COLLISION',
        path: origin,
        part: 'key',
        message: `under the target ${target} backends and upstreams share their names, and there is an upstream "${name}"`,
        hint: 'rename one of them',
      })
    const limit = maxConcurrent === undefined ? {} : { max_concurrent: maxConcurrent }
    const models = model === undefined ? {} : { models: [model] }
    return [[name, { provider: 'custom', base_url: url, ...models, ...limit }] as const]
  })
  return { upstreams: Object.fromEntries(remote), backends: Object.fromEntries(local), findings }
}

/** Virtual models by upstream: aliases are followed, and targets that cannot be reached left out. */
function modelTable(
  deployment: Deployment,
  place: string,
  reachable: ReadonlySet<string>,
): { table: Table; findings: Finding[] } {
  const findings: Finding[] = []
  const flat = flatModels(deployment, reachable)
  const table = Object.entries(deployment.models).flatMap(([alias, { strategy, category }]) => {
    const path = ['models', alias]
    if (strategy === 'cost')
      findings.push(
        notExpressed(
          [...path, 'strategy'],
          `under the target ${place} the daemon takes these targets in order`,
          'use "fallback"',
        ),
      )
    const reached = flat(alias).map(({ upstream, model, weight }) => ({ upstream, model, weight }))
    if (reached.length === 0) {
      const message = `under the target ${place} nothing runs that "${alias}" leads to, so it is left out`
      findings.push(notExpressed(path, message, 'give it a target that does'))
      return []
    }
    const chosen = strategy === 'cost' ? 'fallback' : strategy
    return [[alias, { targets: reached, strategy: chosen, ...(category === undefined ? {} : { category }) }] as const]
  })
  return { table: Object.fromEntries(table), findings }
}

/** Credentials are named like the key that they fill; the keys of backends that cannot be reached are left out. */
function secretVariable(secret: Secret, backends: Table): SecretVariable[] {
  if (secret.destination.kind !== 'daemon') return []
  const [first = '', name = '', ...rest] = secret.destination.credential.split('.')
  if (first === 'auth' && name === 'oidc') return []
  if (first === 'backends' && !Object.hasOwn(backends, name)) return []
  return [{ name: environmentName([first, name, ...rest]), secret }]
}

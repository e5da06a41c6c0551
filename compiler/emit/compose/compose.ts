import { addressOf } from '../../../schemas/words/address.ts'
import { printJson } from '../../../syntax/json/print.ts'
import { composeText } from '../../../syntax/yaml/compose.ts'
import { printYaml, type YamlMap, yamlMap, yamlScalar } from '../../../syntax/yaml/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Backend } from '../../ir/nodes/backend.ts'
import type { ConfigFile, Container } from '../../ir/nodes/container.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import { configText } from '../config-text.ts'
import { type DaemonSettings, daemonSettings } from '../daemon-settings/settings.ts'
import { gatewayImage } from '../gateway-image.ts'
import { notExpressed, withoutSystemd } from '../not-expressed.ts'
import type { Emission, EmitOptions } from '../output.ts'
import { withoutProxy } from '../platform.ts'
import { composeContainer } from './container.ts'
import { composeGateway } from './gateway.ts'
import { composeTlsFindings, insideContainer } from './tls.ts'

const COMMENT = [
  'Made by gatectl from the spec; changes here are lost.',
  'Start it with "docker compose up --detach" beside this file.',
]

/** A Compose file: the gateway and every backend that can be reached over a network, one internal network each. */
export function emitCompose(deployment: Deployment, options: EmitOptions): Emission {
  const { containers, gateway, prefix } = deployment
  const reachable = containers.filter(({ port }) => port !== undefined)
  const names = new Set(reachable.map(backendName))
  const users = new Set(reachable.map(({ user }) => user))
  const urls = new Map(reachable.map((container) => [backendName(container), backendUrl(container)]))
  const alone = withoutProxy(deployment)
  const settings = daemonSettings(
    insideContainer(alone),
    {
      host: '0.0.0.0',
      reach: ({ name }) => {
        const baseUrl = urls.get(name)
        return baseUrl === undefined ? undefined : { baseUrl }
      },
    },
    options.settings,
  )
  const secrets = Map.groupBy(deployment.secrets, ({ origin }) => origin[1])
  const exposed = new Set(deployment.vhosts.filter(({ kind }) => kind === 'app').map(({ origin }) => origin[1]))
  const config = deployment.configFiles.filter(({ backend }) => names.has(backend))
  const handed = reachable.map((container) =>
    composeContainer(container, {
      prefix,
      secrets: secrets.get(backendName(container)) ?? [],
      isExposed: exposed.has(backendName(container)),
      config: new Map(config.map((file) => [file.path, `./${besideCompose(file)}`])),
    }),
  )
  const root = yamlMap({
    name: composeText(prefix, ['gate']),
    services: yamlMap({
      [prefix]: composeGateway(alone, reachable, settings),
      ...Object.fromEntries(handed.map(({ name, service }) => [name, service])),
    }),
    networks: yamlMap({
      default: yamlMap({}),
      ...Object.fromEntries(
        reachable
          .filter(({ network }) => network.kind !== 'outbound')
          .map(({ unit, origin }) => [unit, yamlMap({ internal: yamlScalar(true) }, origin)]),
      ),
    }),
    volumes: yamlMap({
      [`${prefix}-state`]: yamlMap({}, ['gate']),
      ...Object.fromEntries(
        deployment.volumes.filter(({ user }) => users.has(user)).map(({ unit, origin }) => [unit, yamlMap({}, origin)]),
      ),
    }),
    secrets: secretFiles(settings),
  })
  return {
    files: [
      { path: 'compose/compose.yaml', mode: 0o644, ...printYaml(COMMENT, root, ['gate']) },
      { path: 'compose/declared.json', mode: 0o644, ...printJson(settings.declared) },
      ...config.map((file) => ({ path: `compose/${besideCompose(file)}`, mode: 0o644, ...configText(file) })),
    ],
    findings: [
      ...gatewayImage(gateway, 'compose').findings,
      ...withoutSystemd('compose', deployment),
      ...addressFinding(gateway.host),
      ...composeTlsFindings(alone),
      ...settings.findings,
      ...settings.secrets.flatMap(({ secret }) => placeFinding(secret)),
      ...accountFindings(reachable),
      ...reachable.flatMap(linkFindings),
      ...deployment.backends.flatMap((backend) => backendFindings(backend, names)),
      ...handed.flatMap(({ findings }) => findings),
    ],
  }
}

const besideCompose = ({ backend, path }: ConfigFile): string =>
  `config/${backend}/${path.slice(path.lastIndexOf('/') + 1)}`

const backendName = ({ origin }: Container): string => String(origin[1])

function backendUrl({ unit, network, port }: Container): string {
  // what shares the gateway's network is on its loopback
  const host = network.kind === 'outbound' && network.hostPorts.length > 0 ? '127.0.0.1' : unit
  return `http://${host}:${port ?? 0}/v1`
}

/** Compose publishes ports on addresses, and looks no name up. */
function addressFinding(host: string): Finding[] {
  if (addressOf(host) !== undefined) return []
  const message = `Compose cannot publish a port on the name "${host}"`
  const path = ['gate', 'server', 'host']
  return [{ code: 'NOT_AN_ADDRESS', path, message, hint: 'write an IP address such as "127.0.0.1"' }]
}

function secretFiles({ secrets }: DaemonSettings): YamlMap | undefined {
  const files = secrets.flatMap(({ name, secret }) => {
    const { source, origin } = secret
    if ('env' in source) return []
    return [[name, yamlMap({ file: composeText(secretPath(secret), origin) }, origin)] as const]
  })
  return files.length === 0 ? undefined : yamlMap(Object.fromEntries(files))
}

function secretPath({ source, name }: Secret): string {
  if ('file' in source) return source.file
  return `./secrets/${'credential' in source ? source.credential : name}`
}

/** Credentials are systemd's; here they are files beside the Compose file. */
function placeFinding(secret: Secret): Finding[] {
  if ('env' in secret.source || 'file' in secret.source) return []
  const what =
    'credential' in secret.source ? 'systemd credentials do not exist there' : 'nothing generates this key there'
  return [
    notExpressed(secret.origin, `${what}, so compose reads ${secretPath(secret)}`, 'write that file, with mode 0600'),
  ]
}

/** There a backend has a name and the port of its container, not one of the host. */
function linkFindings({ links, fetch, origin }: Container): Finding[] {
  return [
    ...(links.length === 0
      ? []
      : [notExpressed([...origin, 'links'], 'compose has no links between backends', 'use the target quadlet')]),
    ...(fetch === undefined
      ? []
      : [
          notExpressed(
            [...origin, 'hub'],
            'compose fetches no model',
            `run "${fetch.join(' ')}" in the container once`,
          ),
        ]),
  ]
}

function accountFindings(reachable: readonly Container[]): Finding[] {
  if (reachable.length === 0) return []
  const message = 'compose runs all containers under one engine, not each under a user of its own'
  return [notExpressed(['backends'], message, 'run Compose with rootless Docker or podman, or use the target quadlet')]
}

function backendFindings({ origin, name, idleStopMs, group }: Backend, reachable: ReadonlySet<string>): Finding[] {
  if (!reachable.has(name))
    return [
      notExpressed(
        origin,
        `compose leaves out "${name}": the gateway reaches containers over a network, not by Unix socket`,
        'write listen = "tcp"',
      ),
    ]
  return [
    ...(idleStopMs === undefined
      ? []
      : [notExpressed([...origin, 'idle_stop'], 'compose cannot start containers by socket', 'remove idle_stop')]),
    ...(group === undefined
      ? []
      : [notExpressed([...origin, 'group'], 'compose starts every backend of a group', 'use one backend only')]),
  ]
}

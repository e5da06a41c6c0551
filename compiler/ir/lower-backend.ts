import { durationMs } from '../../schemas/config/values.ts'
import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec, SecretReference } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS, listenOf } from '../catalog/engines.ts'
import { engineCommand } from './command.ts'
import type { Deployment } from './deployment.ts'
import {
  isCovered,
  lowerConfigFiles,
  lowerContainer,
  lowerHealth,
  lowerUlimits,
  type OwnNames,
} from './lower-container.ts'
import { modelPaths } from './model-files.ts'
import { backendNames, type GatewayNames, homeDirectories, podmanName } from './names.ts'
import type { Agent, Backend, BackendSocket, EngineAddress } from './nodes/backend.ts'
import type { Container, ContainerImage, Network, Volume } from './nodes/container.ts'
import type { BoundedDirectories, Directory, Secret, User } from './nodes/host.ts'
import type { Address } from './nodes/node.ts'
import { placeholders } from './placeholders.ts'

/** What a backend needs to know about the rest of the deployment. */
export type BackendContext = {
  readonly names: GatewayNames
  readonly gatewayPort: number
  readonly uid: number
  readonly subuid: { readonly start: number; readonly count: number }
  /** Loopback port of the host; absent: none leads to it. */
  readonly port: number | undefined
  /** Loopback port of another backend. */
  readonly portOf: (backend: string) => number
}

/** Everything that one backend adds to the deployment. */
export type BackendParts = Pick<
  Deployment,
  'configFiles' | 'networks' | 'volumes' | 'sockets' | 'directories' | 'links' | 'secrets' | 'listeners'
> & {
  readonly backend: Backend
  readonly user: User
  readonly container: Container
  readonly agent: Agent
  readonly image: ContainerImage
  readonly boundedDirectories: BoundedDirectories
  /** Where other programs of the host reach it. */
  readonly published: Address | undefined
}

const DEFAULT_START_MARGIN_MS = 60_000

export function lowerBackend(name: string, spec: BackendSpec, context: BackendContext): BackendParts {
  const origin: SpecPath = ['backends', name]
  const traits = ENGINE_TRAITS[spec.engine]
  const own = { ...backendNames(context.names, name), name, origin, uid: context.uid, listen: listenOf(spec) }
  const containerPort = spec.container_port ?? traits.containerPort
  const command = engineCommand(spec, { listen: own.listen, containerPort, gatewayPort: context.gatewayPort })
  const isTcp = own.listen === 'tcp'
  const inner: EngineAddress = isTcp
    ? { kind: 'inside', port: containerPort, pidFile: own.pidFile }
    : { kind: 'unix', path: own.innerSocket }
  const published =
    context.port === undefined ? undefined : ({ kind: 'tcp', host: '127.0.0.1', port: context.port } as const)
  // a group starts its members one at a time, so none may start with its user
  const onDemand = spec.idle_stop !== undefined || spec.group !== undefined
  // what serves no models has no caller but those of its port
  const hasSocket = onDemand || (isTcp && traits.isUpstream)
  const idleStopMs = spec.idle_stop === undefined ? undefined : durationMs(spec.idle_stop)
  const secrets = lowerSecrets(spec, own)
  const volumes = Object.fromEntries([
    // what the spec puts in the place of a volume of the engine
    ...Object.entries(command.volumes).filter(([, path]) => !isCovered(path, spec)),
    ...spec.volumes.map((volume) => [volume.name, volume.path] as const),
  ])
  const links = spec.links.map((link) => ({ name: link, port: context.portOf(link) }))
  const addresses = new Map(links.map((link) => [link.name, `${link.name}:${link.port}`]))
  const fill = placeholders(spec, containerPort, addresses)
  const check = spec.engine === 'custom' ? spec.health.command?.map(fill) : spec.health.command
  const health = lowerHealth(spec, check ?? command.health)
  const configFiles = lowerConfigFiles(spec, own)
  const startTimeoutMs =
    spec.start_timeout === undefined
      ? (health?.startPeriodMs ?? 0) + durationMs(spec.pull_timeout) + DEFAULT_START_MARGIN_MS
      : durationMs(spec.start_timeout)
  const user = lowerUser(spec, own, context)
  const container = lowerContainer(spec, own, {
    command,
    fill,
    links,
    configFiles,
    port: isTcp ? containerPort : undefined,
    publish: published === undefined ? [] : [{ host: published.host, hostPort: published.port, containerPort }],
    pidFile: isTcp && hasSocket ? own.pidFile : undefined,
    socketUnit: hasSocket && !onDemand ? own.proxySocket : undefined,
    gatewayPort: context.gatewayPort,
    names: context.names,
    hasSecrets: secrets.some(({ destination }) => destination.kind === 'environment'),
    keepGroups: user.groups.length > 0,
    volumes,
    health,
    startTimeoutMs,
    onDemand,
  })
  return {
    backend: {
      origin,
      name,
      engine: spec.engine,
      isUpstream: traits.isUpstream,
      model: spec.model,
      group: spec.group,
      together: spec.together,
      priority: spec.priority,
      maxConcurrent: spec.max_concurrent,
      maxWaiting: spec.max_waiting,
      waitTimeoutMs: durationMs(spec.wait_timeout),
      pricePerHour: spec.price_per_hour,
      idleStopMs,
      startTimeoutMs,
      address: { kind: 'unix', path: own.engineSocket },
      apiKey: secrets.find(({ destination }) => destination.kind === 'daemon'),
      agentSocket: own.agentSocket,
      user: own.user,
      unit: own.unit,
    },
    user,
    container,
    configFiles,
    networks: container.network.kind === 'internal' ? [podmanNode(own, container.network.unit)] : [],
    volumes: Object.keys(volumes).map((volume) => podmanNode(own, `${own.unit}-${volume}`)),
    sockets: hasSocket ? [lowerSocket(own, inner, { onDemand, idleMs: idleStopMs, preload: spec.preload })] : [],
    agent: {
      origin,
      user: own.user,
      uid: own.uid,
      home: own.home,
      path: own.agentSocket,
      shellPath: own.shellSocket,
      gateway: context.names.user,
      admins: context.names.adminGroup,
      containerUnit: own.containerService,
      onDemand: onDemand ? { socketUnit: own.proxySocket, proxyUnit: own.proxyService } : undefined,
      containerName: own.unit,
      images: [spec.image],
      imageArchive: spec.image_archive,
    },
    image: {
      origin: [...origin, 'image'],
      name,
      uid: own.uid,
      home: own.home,
      unit: own.unit,
      image: spec.image,
      archive: spec.image_archive,
      restart: [own.containerService, ...(onDemand ? [own.proxySocket] : [])],
    },
    directories: lowerDirectories(own, context.names, secrets),
    boundedDirectories: {
      origin,
      paths: [own.directory, own.shellDirectory],
      unit: own.directoryUnit,
      user: own.user,
      uid: own.uid,
      ...DIRECTORY_LIMITS,
    },
    links: !isTcp && !onDemand ? [{ origin, path: own.engineSocket, target: own.innerSocket }] : [],
    secrets,
    published,
    listeners:
      published === undefined
        ? []
        : [{ origin: [...origin, 'port'], port: published.port, protocol: 'tcp', host: published.host }],
  }
}

function lowerUser(spec: BackendSpec, own: OwnNames, { names, subuid }: BackendContext): User {
  const { gpu, model } = spec
  return {
    origin: own.origin,
    name: own.user,
    uid: own.uid,
    home: own.home,
    groups: [
      ...(model === undefined && modelPaths(spec).length === 0 ? [] : [names.modelsGroup]),
      ...deviceGroups(gpu),
    ],
    limits: lowerUlimits(spec),
    subuid,
    linger: true,
    description: `Gate backend ${own.name}`,
  }
}

/**
 * render owns /dev/kfd and the render nodes, which is all that computing needs; video would also open framebuffers,
 * cameras and the screen's own nodes.
 * @see https://github.com/systemd/systemd/blob/v257/rules.d/50-udev-default.rules.in
 */
function deviceGroups({ kind, devices }: BackendSpec['gpu']): string[] {
  if (kind !== 'amd' && kind !== 'vulkan') return []
  return devices.some((device) => device.startsWith('card')) ? ['render', 'video'] : ['render']
}

function lowerSocket(
  own: OwnNames,
  target: EngineAddress,
  when: Pick<BackendSocket, 'onDemand' | 'idleMs' | 'preload'>,
): BackendSocket {
  const key = when.idleMs !== undefined ? 'idle_stop' : when.onDemand ? 'group' : 'listen'
  return {
    origin: [...own.origin, key],
    user: own.user,
    uid: own.uid,
    home: own.home,
    socketUnit: own.proxySocket,
    proxyUnit: own.proxyService,
    containerUnit: own.containerService,
    path: own.engineSocket,
    target,
    ...when,
  }
}

/** It holds sockets alone. The engine writes there, so a limit is all that keeps the rest of /run free. */
const DIRECTORY_LIMITS = { bytes: 1024 ** 2, inodes: 64 }

function lowerDirectories(own: OwnNames, names: GatewayNames, secrets: readonly Secret[]): Directory[] {
  const shared = { origin: own.origin, mode: 0o2750, user: own.user, group: names.user }
  const rootOwned = { origin: own.origin, mode: 0o755, user: 'root', group: 'root' }
  const writable = { origin: own.origin, mode: 0o700, user: own.user, group: own.user }
  const home = homeDirectories(own.home)
  return [
    { ...shared, path: own.directory },
    { ...shared, path: own.containerDirectory },
    { ...shared, path: own.shellDirectory, group: names.adminGroup },
    ...home.root.map((path) => ({ ...rootOwned, path })),
    ...home.account.map((path) => ({ ...writable, path })),
    ...(secrets.some(({ destination }) => destination.kind === 'environment')
      ? [{ ...rootOwned, path: own.secretsDirectory, mode: 0o750, group: own.user }]
      : []),
  ]
}

function lowerSecrets({ engine, api_key, hub, secrets }: BackendSpec, own: OwnNames): Secret[] {
  const { keyVariable, isUpstream } = ENGINE_TRAITS[engine]
  const source: Secret['source'] | undefined =
    api_key ?? (own.listen === 'tcp' && keyVariable !== undefined ? { generated: true } : undefined)
  const inContainer = (variable: string, from: Secret['source'] | SecretReference, origin: SpecPath): Secret => ({
    origin,
    name: `${origin.join('.')}`,
    source: from,
    destination: {
      kind: 'environment',
      file: own.environmentFile,
      user: own.user,
      uid: own.uid,
      variable,
      unit: own.secretsUnit,
    },
  })
  const key = [...own.origin, 'api_key']
  // a credential is called like the key that it fills
  const credential = `backends.${own.name}.api_key`
  return [
    ...(source === undefined || !isUpstream
      ? []
      : [{ origin: key, name: key.join('.'), source, destination: { kind: 'daemon' as const, credential } }]),
    ...(source === undefined || keyVariable === undefined ? [] : [inContainer(keyVariable, source, key)]),
    ...(hub?.token === undefined ? [] : [inContainer('HF_TOKEN', hub.token, [...own.origin, 'hub', 'token'])]),
    ...Object.entries(secrets).map(([variable, from]) =>
      inContainer(variable, from, [...own.origin, 'secrets', variable]),
    ),
  ]
}

function podmanNode(own: OwnNames, unit: string): Network & Volume {
  return { origin: own.origin, user: own.user, uid: own.uid, unit, podmanName: podmanName(unit) }
}

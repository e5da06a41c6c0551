import { createHash } from 'node:crypto'
import { byteCount, durationMs } from '../../schemas/config/values.ts'
import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS, startPeriodMs, userOf } from '../catalog/engines.ts'
import type { EngineCommand } from './command.ts'
import { modelPaths } from './model-files.ts'
import { type backendNames, type GatewayNames, INSIDE } from './names.ts'
import type { ConfigFile, Container, ContainerNetwork, Health, Mount, Ulimit } from './nodes/container.ts'
import type { Fill } from './placeholders.ts'

/** Names and ids of one backend. */
export type OwnNames = ReturnType<typeof backendNames> & {
  readonly name: string
  readonly origin: SpecPath
  readonly uid: number
  readonly listen: 'unix' | 'tcp'
}

/** What else a container is made of. */
type ContainerContext = Pick<
  Container,
  'keepGroups' | 'health' | 'startTimeoutMs' | 'onDemand' | 'port' | 'publish' | 'pidFile' | 'socketUnit'
> & {
  readonly command: EngineCommand
  readonly fill: Fill
  readonly links: readonly { readonly name: string; readonly port: number }[]
  readonly configFiles: readonly ConfigFile[]
  readonly gatewayPort: number
  readonly names: GatewayNames
  readonly hasSecrets: boolean
  /** Paths inside, by volume. */
  readonly volumes: Readonly<Record<string, string>>
}

/** The container of a backend. */
export function lowerContainer(spec: BackendSpec, own: OwnNames, context: ContainerContext): Container {
  const { command, fill, links, configFiles, gatewayPort, names, hasSecrets, volumes } = context
  const { keepGroups, health, startTimeoutMs, onDemand, port, publish, pidFile, socketUnit } = context
  const environment = Object.entries(spec.environment).map(([name, value]) => [name, fill(value)])
  return {
    origin: own.origin,
    user: own.user,
    uid: own.uid,
    unit: own.unit,
    name: own.unit,
    description: `Gate backend ${own.name}`,
    image: spec.image,
    imageArchive: spec.image_archive,
    pull: durationMs(spec.pull_timeout) > 0 ? 'missing' : 'never',
    entrypoint: command.entrypoint,
    args: [...command.args, ...spec.args.map(fill)],
    environment: { ...command.environment, ...Object.fromEntries(environment) },
    environmentFile: hasSecrets ? own.environmentFile : undefined,
    mounts: lowerMounts(spec, own, volumes, names),
    models: ownModels(spec).map((path) => join(names.modelsDirectory, path)),
    configDigest: digest(configFiles),
    runsAs: userOf(spec),
    ulimits: lowerUlimits(spec),
    timeZone: spec.time_zone,
    network: lowerNetwork(spec, own, publish.length > 0, [
      ...(ENGINE_TRAITS[spec.engine].needsNetwork ? [gatewayPort] : []),
      ...links.map(({ port }) => port),
    ]),
    links: links.map(({ name }) => name),
    fetch: spec.engine === 'ollama' && spec.hub !== undefined ? ['ollama', 'pull', spec.model ?? ''] : undefined,
    port,
    publish,
    pidFile,
    socketUnit,
    gpu: spec.gpu.kind,
    devices: devicePaths(spec),
    keepGroups,
    memoryBytes: spec.memory === undefined ? undefined : byteCount(spec.memory),
    cpus: spec.cpus,
    pids: spec.pids,
    shmBytes: spec.shm === undefined ? ENGINE_TRAITS[spec.engine].shmBytes : byteCount(spec.shm),
    readOnly: spec.read_only,
    notify: spec.notify,
    health,
    startTimeoutMs,
    stopTimeoutMs: durationMs(spec.stop_timeout),
    onDemand,
    labels: { 'gate.managed': names.prefix, 'gate.backend': own.name },
  }
}

function lowerMounts(
  spec: BackendSpec,
  own: OwnNames,
  volumes: Readonly<Record<string, string>>,
  names: GatewayNames,
): Mount[] {
  const at = (...keys: readonly (string | number)[]): SpecPath => [...own.origin, ...keys]
  const readOnly = (origin: SpecPath, source: string, target: string): Mount => ({
    kind: 'path',
    origin,
    source,
    target,
    readOnly: true,
  })
  const socket: Mount = {
    kind: 'path',
    origin: at('listen'),
    source: own.containerDirectory,
    target: INSIDE.socketDirectory,
    readOnly: false,
  }
  return [
    ...(own.listen === 'unix' ? [socket] : []),
    // as a whole: a link in it leads nowhere but inside, and a path below it could be a link itself
    ...(ownModels(spec).length === 0 ? [] : [readOnly(at('model'), names.modelsDirectory, INSIDE.modelsDirectory)]),
    ...Object.entries(volumes).map(([name, target]): Mount => {
      const i = spec.volumes.findIndex((volume) => volume.name === name)
      // the engines' own are where their images have nothing
      const owned = i !== -1 && userOf(spec) === 'engine'
      return { kind: 'volume', origin: at('volumes'), unit: `${own.unit}-${name}`, target, owned }
    }),
    ...spec.mounts.map(({ source, path, read_only, relabel }, i): Mount => {
      const mount = {
        kind: 'path',
        origin: at('mounts', i),
        source,
        target: path ?? source,
        readOnly: read_only,
      } as const
      return relabel === undefined ? mount : { ...mount, relabel }
    }),
    ...(spec.router?.presets === undefined
      ? []
      : [readOnly(at('router', 'presets'), spec.router.presets, INSIDE.presets)]),
    ...spec.config_files.map(({ path, source }, i) =>
      readOnly(at('config_files', i), source ?? configPath(own, i, path), path),
    ),
  ]
}

/** What it needs of the models directory: paths below it, or '' for the whole of it. */
function ownModels(spec: BackendSpec): string[] {
  // models from another place of the host
  return modelPaths(spec).filter((path) => !isCovered(join(INSIDE.modelsDirectory, path), spec))
}

const join = (directory: string, path: string): string => (path === '' ? directory : `${directory}/${path}`)

/** Whether a mount or a volume of the spec brings a path into the container. */
export function isCovered(target: string, { mounts, volumes }: BackendSpec): boolean {
  const places = [...mounts.map(({ source, path = source }) => path), ...volumes.map(({ path }) => path)]
  return places.some((path) => target === path || target.startsWith(`${path}/`))
}

/** The files that the spec itself holds for one backend. */
export function lowerConfigFiles({ config_files }: BackendSpec, own: OwnNames): ConfigFile[] {
  return config_files.flatMap(({ path, text }, i) =>
    text === undefined
      ? []
      : [
          {
            origin: [...own.origin, 'config_files', i],
            uid: own.uid,
            backend: own.name,
            path: configPath(own, i, path),
            text,
          },
        ],
  )
}

const configPath = (own: OwnNames, index: number, path: string): string =>
  `${own.configDirectory}/${index}-${path.slice(path.lastIndexOf('/') + 1)}`

function digest(files: readonly ConfigFile[]): string | undefined {
  if (files.length === 0) return undefined
  const all = JSON.stringify(files.map(({ path, text }) => [path, text]))
  return createHash('sha256').update(all).digest('hex').slice(0, 16)
}

/** Limits of setrlimit(2), in its units. */
export function lowerUlimits({ ulimits: { memlock, nofile, stack, ...rest } }: BackendSpec): Ulimit[] {
  rest satisfies Record<string, never>
  const size = (name: Ulimit['name'], text: string | undefined): Ulimit[] =>
    text === undefined ? [] : [{ name, value: text === 'unlimited' ? undefined : byteCount(text) }]
  return [
    ...size('memlock', memlock),
    ...(nofile === undefined ? [] : [{ name: 'nofile' as const, value: nofile }]),
    ...size('stack', stack),
  ]
}

function lowerNetwork(
  spec: BackendSpec,
  own: OwnNames,
  isPublished: boolean,
  hostPorts: readonly number[],
): ContainerNetwork {
  if (spec.network || spec.hub !== undefined) return { kind: 'outbound', hostPorts }
  return isPublished ? { kind: 'internal', unit: own.unit } : { kind: 'none' }
}

function devicePaths({ gpu }: BackendSpec): string[] {
  switch (gpu.kind) {
    case 'none':
      return []
    case 'nvidia':
      return gpu.devices.map((device) => `nvidia.com/gpu=${device}`)
    case 'amd':
      return ['/dev/kfd', ...driPaths(gpu.devices)]
    case 'vulkan':
      return driPaths(gpu.devices)
  }
}

function driPaths(devices: readonly string[]): string[] {
  return devices.includes('all') ? ['/dev/dri'] : devices.map((device) => `/dev/dri/${device}`)
}

/** Each check is a process of podman and one in the container. */
const START_INTERVAL_MS = 2_000

/** @param command of the engine, or the one of the spec; without either there is no check */
export function lowerHealth(
  { engine, hub, health, notify }: BackendSpec,
  command: readonly string[] | undefined,
): Health | undefined {
  if (command === undefined || (notify === 'started' && health.command === undefined)) return undefined
  const intervalMs = durationMs(health.interval)
  return {
    command,
    intervalMs,
    startIntervalMs:
      health.start_interval === undefined ? Math.min(intervalMs, START_INTERVAL_MS) : durationMs(health.start_interval),
    timeoutMs: durationMs(health.timeout),
    retries: health.retries,
    startPeriodMs: health.start_period === undefined ? startPeriodMs({ engine, hub }) : durationMs(health.start_period),
  }
}

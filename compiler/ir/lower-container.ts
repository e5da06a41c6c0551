import { byteCount, durationMs } from '../../schemas/config/values.ts'
import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS } from '../catalog/engines.ts'
import type { EngineCommand } from './command.ts'
import { type backendNames, type GatewayNames, INSIDE } from './names.ts'
import type { Container, ContainerNetwork, Health, Mount } from './nodes/container.ts'

/** Names and ids of one backend. */
export type OwnNames = ReturnType<typeof backendNames> & {
  readonly name: string
  readonly origin: SpecPath
  readonly uid: number
  readonly listen: 'unix' | 'tcp'
}

/** What else a container is made of. */
type ContainerContext = Pick<Container, 'keepGroups' | 'health' | 'startTimeoutMs' | 'onDemand'> & {
  readonly command: EngineCommand
  readonly published: Container['publish']
  readonly gatewayPort: number
  readonly names: GatewayNames
  readonly hasSecrets: boolean
  /** Paths inside, by volume. */
  readonly volumes: Readonly<Record<string, string>>
}

/** The container of a backend. */
export function lowerContainer(spec: BackendSpec, own: OwnNames, context: ContainerContext): Container {
  const { command, published, gatewayPort, names, hasSecrets, volumes } = context
  const { keepGroups, health, startTimeoutMs, onDemand } = context
  const isCustom = spec.engine === 'custom'
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
    args: isCustom ? command.args : [...command.args, ...spec.args],
    environment: isCustom ? command.environment : { ...command.environment, ...spec.environment },
    environmentFile: hasSecrets ? own.environmentFile : undefined,
    mounts: lowerMounts(spec, own, volumes, names),
    network: lowerNetwork(spec, own, gatewayPort),
    publish: published,
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
  const mounts: Mount[] = []
  if (own.listen === 'unix')
    mounts.push({ kind: 'path', source: own.containerDirectory, target: INSIDE.socketDirectory, readOnly: false })
  if (spec.model !== undefined && spec.engine !== 'ollama') {
    const source = `${names.modelsDirectory}/${spec.model}`
    mounts.push({ kind: 'path', source, target: `${INSIDE.modelsDirectory}/${spec.model}`, readOnly: true })
  }
  for (const [volume, target] of Object.entries(volumes))
    mounts.push({ kind: 'volume', unit: `${own.unit}-${volume}`, target })
  return mounts
}

function lowerNetwork(spec: BackendSpec, own: OwnNames, gatewayPort: number): ContainerNetwork {
  if (spec.network) return { kind: 'outbound', hostPorts: ENGINE_TRAITS[spec.engine].needsNetwork ? [gatewayPort] : [] }
  return own.listen === 'unix' ? { kind: 'none' } : { kind: 'internal', unit: own.unit }
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

/** @param command of the engine, or the one of the spec; without either there is no check */
export function lowerHealth(
  { engine, health, notify }: BackendSpec,
  command: readonly string[] | undefined,
): Health | undefined {
  if (command === undefined || (notify === 'started' && health.command === undefined)) return undefined
  return {
    command,
    intervalMs: durationMs(health.interval),
    timeoutMs: durationMs(health.timeout),
    retries: health.retries,
    startPeriodMs:
      health.start_period === undefined ? ENGINE_TRAITS[engine].startPeriodMs : durationMs(health.start_period),
  }
}

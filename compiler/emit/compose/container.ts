import { composeText, composeTexts, composeVariable } from '../../../syntax/yaml/compose.ts'
import { type YamlMap, type YamlNode, yamlList, yamlMap, yamlScalar } from '../../../syntax/yaml/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Container } from '../../ir/nodes/container.ts'
import type { Secret } from '../../ir/nodes/host.ts'
import { notExpressed } from '../not-expressed.ts'
import { ROOT_RIGHTS } from '../root-rights.ts'

/** What one backend is in a Compose file. */
export type ComposeContainer = {
  readonly name: string
  readonly service: YamlMap
  readonly findings: readonly Finding[]
}

/** What a container needs to know about the rest. */
type Around = {
  readonly prefix: string
  /** All secrets from the backend's part of the spec. */
  readonly secrets: readonly Secret[]
  /** Whether the proxy of the host serves it. */
  readonly isExposed: boolean
  /** Files of the spec itself: where one is beside the Compose file, by its path on a host. */
  readonly config: ReadonlyMap<string, string>
}

export function composeContainer(
  container: Container,
  { prefix, secrets, isExposed, config }: Around,
): ComposeContainer {
  const { origin, unit, gpu, devices, health } = container
  const at = (key: string) => [...origin, key]
  const own = secrets.filter(({ destination }) => destination.kind === 'environment')
  const sharesGateway = container.network.kind === 'outbound' && container.network.hostPorts.length > 0
  const service = yamlMap(
    {
      image: composeText(container.image, at('image')),
      container_name: composeText(container.name),
      restart: composeText('unless-stopped'),
      entrypoint: container.entrypoint === undefined ? undefined : composeTexts([container.entrypoint], at('engine')),
      command: container.args.length === 0 ? undefined : composeTexts(container.args, at('args')),
      environment: environment(container, own),
      env_file: own.every(({ source }) => 'env' in source) ? undefined : composeTexts([environmentPath(container)]),
      read_only: yamlScalar(container.readOnly, at('read_only')),
      // what podman gives a read-only container
      tmpfs: container.readOnly ? composeTexts(['/tmp', '/var/tmp', '/run']) : undefined,
      cap_drop: composeTexts(['ALL']),
      cap_add: container.runsAs === 'image' ? composeTexts(ROOT_RIGHTS, at('user')) : undefined,
      security_opt: composeTexts(['no-new-privileges:true']),
      pids_limit: yamlScalar(container.pids, at('pids')),
      mem_limit:
        container.memoryBytes === undefined ? undefined : composeText(`${container.memoryBytes}b`, at('memory')),
      cpus: container.cpus === undefined ? undefined : yamlScalar(container.cpus, at('cpus')),
      shm_size: container.shmBytes === undefined ? undefined : composeText(`${container.shmBytes}b`, at('shm')),
      ulimits: ulimits(container),
      network_mode: sharesGateway ? composeText(`service:${prefix}`, at('network')) : undefined,
      networks: sharesGateway ? undefined : networks(container, isExposed),
      // the proxy of the host comes in by this port; the gateway does not need it
      ports: isExposed && !sharesGateway ? ports(container) : undefined,
      volumes: container.mounts.length === 0 ? undefined : mounts(container, config),
      devices:
        gpu === 'amd' || gpu === 'vulkan'
          ? composeTexts(
              devices.map((path) => `${path}:${path}`),
              at('gpu'),
            )
          : undefined,
      deploy: gpu === 'nvidia' ? nvidia(container) : undefined,
      healthcheck: health === undefined ? undefined : healthcheck(health, at('health')),
      stop_grace_period: composeText(`${Math.ceil(container.stopTimeoutMs / 1000)}s`, at('stop_timeout')),
      labels: yamlMap(
        Object.fromEntries(Object.entries(container.labels).map(([name, value]) => [name, composeText(value)])),
      ),
    },
    origin,
  )
  return { name: unit, service, findings: [...secretFindings(container, own), ...zoneFindings(container)] }
}

function environment(
  { environment: plain, timeZone, origin }: Container,
  secrets: readonly Secret[],
): YamlMap | undefined {
  const entries: [string, YamlNode][] = [
    ...Object.entries(plain).map(([name, value]): [string, YamlNode] => [
      name,
      composeText(value, [...origin, 'environment', name]),
    ]),
    ...(timeZone === undefined || timeZone === 'local'
      ? []
      : [['TZ', composeText(timeZone, [...origin, 'time_zone'])] satisfies [string, YamlNode]]),
    ...secrets.flatMap(({ source, destination, origin: from }): [string, YamlNode][] =>
      'env' in source && destination.kind === 'environment'
        ? [[destination.variable, composeVariable(source.env, from)]]
        : [],
    ),
  ]
  return entries.length === 0 ? undefined : yamlMap(Object.fromEntries(entries))
}

const environmentPath = ({ unit }: Container): string => `./secrets/${unit}.env`

/** Compose turns no file into a variable, so what is not in the caller's environment comes from a file of lines. */
function secretFindings(container: Container, secrets: readonly Secret[]): Finding[] {
  return secrets.flatMap(({ source, destination, origin }) =>
    'env' in source || destination.kind !== 'environment'
      ? []
      : [
          notExpressed(
            origin,
            `compose reads ${destination.variable} from ${environmentPath(container)}`,
            `write the line ${destination.variable}=… there, with mode 0600, or use { env = "NAME" }`,
          ),
        ],
  )
}

function networks({ network, unit, origin }: Container, isExposed: boolean): YamlNode {
  // an internal network publishes no port
  const names = network.kind !== 'outbound' ? [unit, ...(isExposed ? ['default'] : [])] : ['default']
  return composeTexts(names, [...origin, 'network'])
}

function ports({ publish, origin }: Container): YamlNode {
  return composeTexts(
    publish.map(({ host, hostPort, containerPort }) => `${host}:${hostPort}:${containerPort}`),
    [...origin, 'port'],
  )
}

function mounts({ mounts: all }: Container, config: ReadonlyMap<string, string>): YamlNode {
  return yamlList(
    all.map((mount) =>
      mount.kind === 'volume'
        ? yamlMap(
            {
              type: composeText('volume'),
              source: composeText(mount.unit),
              target: composeText(mount.target),
            },
            mount.origin,
          )
        : yamlMap(
            {
              type: composeText('bind'),
              source: composeText(config.get(mount.source) ?? mount.source),
              target: composeText(mount.target),
              read_only: yamlScalar(mount.readOnly),
              bind:
                mount.relabel === undefined
                  ? undefined
                  : yamlMap({ selinux: composeText(mount.relabel === 'shared' ? 'z' : 'Z') }),
            },
            mount.origin,
          ),
    ),
  )
}

function ulimits({ ulimits: limits, origin }: Container): YamlMap | undefined {
  if (limits.length === 0) return undefined
  return yamlMap(
    Object.fromEntries(
      limits.map(({ name, value }) => {
        const number = () => yamlScalar(value ?? -1)
        return [name, yamlMap({ soft: number(), hard: number() }, [...origin, 'ulimits', name])]
      }),
    ),
  )
}

function zoneFindings({ timeZone, origin }: Container): Finding[] {
  if (timeZone !== 'local') return []
  const message = 'compose cannot take over the time zone of the host'
  return [notExpressed([...origin, 'time_zone'], message, 'write a zone such as "Europe/Berlin"')]
}

function nvidia({ devices, origin }: Container): YamlNode {
  const ids = devices.map((device) => device.slice(device.indexOf('=') + 1))
  const which = ids.includes('all') ? { count: composeText('all') } : { device_ids: composeTexts(ids) }
  const device = yamlMap({ driver: composeText('nvidia'), ...which, capabilities: composeTexts(['gpu']) })
  return yamlMap({ resources: yamlMap({ reservations: yamlMap({ devices: yamlList([device]) }) }) }, [...origin, 'gpu'])
}

function healthcheck(health: NonNullable<Container['health']>, origin: readonly (string | number)[]): YamlNode {
  return yamlMap(
    {
      test: composeTexts(['CMD', ...health.command], [...origin, 'command']),
      interval: composeText(`${health.intervalMs}ms`, [...origin, 'interval']),
      timeout: composeText(`${health.timeoutMs}ms`, [...origin, 'timeout']),
      retries: yamlScalar(health.retries, [...origin, 'retries']),
      start_period: composeText(`${health.startPeriodMs}ms`, [...origin, 'start_period']),
    },
    origin,
  )
}

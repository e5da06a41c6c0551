import type { SpecPath } from '../../../schemas/spec/path.ts'
import {
  argument,
  command,
  type Entry,
  literal,
  text,
  timeSpan,
  type UnitFile,
  type Value,
  words,
} from '../../../syntax/unit/print.ts'
import { downLevel } from '../../catalog/podman-keys.ts'
import type { Finding } from '../../diagnostic.ts'
import { INSIDE } from '../../ir/names.ts'
import type { Container, ContainerNetwork, Mount, Ulimit } from '../../ir/nodes/container.ts'
import { type EmitOptions, isBefore, type Version } from '../output.ts'
import { ROOT_RIGHTS } from '../root-rights.ts'
import { healthEntries, healthFindings, readinessEntries } from './health.ts'

/** One file for a user's podman-systemd.unit(5). */
export type Quadlet = {
  readonly uid: number
  readonly file: string
  readonly unit: UnitFile
  readonly findings: readonly Finding[]
}

/** What every such file starts with. */
export const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** The container of a backend, without the keys that its podman does not know yet. */
export function containerUnit(container: Container, { podman, layout: { programs } }: EmitOptions): Quadlet {
  const { origin, unit, uid } = container
  const readiness = readinessEntries(container, podman, programs.podman)
  const { entries, service, findings } = downLevel('Container', containerEntries(container, podman), podman, origin)
  return {
    uid,
    file: `${unit}.container`,
    findings: [...readiness.findings, ...healthFindings(container), ...findings],
    unit: {
      origin,
      comment: COMMENT,
      sections: [
        { name: 'Unit', entries: unitEntries(container) },
        { name: 'Container', entries },
        {
          name: 'Service',
          entries: [
            ...serviceEntries(container, programs.podman),
            ...readiness.entries,
            ...fetchEntries(container, programs.podman),
            ...service,
          ],
        },
        { name: 'Install', entries: container.onDemand ? [] : [{ key: 'WantedBy', value: text('default.target') }] },
      ],
    },
  }
}

/** After the engine answers, since it is the engine that fetches. */
function fetchEntries({ fetch, name, origin }: Container, podman: string): Entry[] {
  if (fetch === undefined) return []
  return [{ key: 'ExecStartPost', value: command(podman, 'exec', name, ...fetch), origin: [...origin, 'hub'] }]
}

function unitEntries(container: Container): Entry[] {
  return [
    { key: 'Description', value: text(container.description) },
    ownerEntry(container),
    ...(container.socketUnit === undefined
      ? []
      : [{ key: 'Wants', value: text(container.socketUnit), origin: at(container, 'listen') }]),
    { key: 'StartLimitIntervalSec', value: literal('600s') },
    { key: 'StartLimitBurst', value: literal('5') },
    ...(container.onDemand
      ? [{ key: 'StopWhenUnneeded', value: literal('yes'), origin: at(container, 'idle_stop') }]
      : []),
  ]
}

/**
 * podman's generator gives every user the quadlets of a directory that is reached through a link, as NixOS has them.
 */
export const ownerEntry = ({ user }: { readonly user: string }): Entry => ({
  key: 'ConditionUser',
  value: literal(user),
})

/** Security first: what the container may not, then what it gets. */
function containerEntries(container: Container, podman: Version): Entry[] {
  const { image, pull, entrypoint, args, environmentFile, memoryBytes, shmBytes } = container
  const optional = (key: string, value: Value | undefined, from: string): Entry[] =>
    value === undefined ? [] : [{ key, value, origin: at(container, from) }]
  return [
    { key: 'Image', value: argument(image), origin: at(container, 'image') },
    { key: 'ContainerName', value: argument(container.name) },
    { key: 'Pull', value: literal(pull), origin: at(container, 'pull_timeout') },
    ...userEntries(container),
    { key: 'NoNewPrivileges', value: literal('true') },
    { key: 'ReadOnly', value: literal(String(container.readOnly)), origin: at(container, 'read_only') },
    ...(container.readOnly ? [{ key: 'ReadOnlyTmpfs', value: literal('true') }] : []),
    { key: 'PidsLimit', value: literal(String(container.pids)), origin: at(container, 'pids') },
    ...optional('Memory', memoryBytes === undefined ? undefined : literal(String(memoryBytes)), 'memory'),
    ...optional('ShmSize', shmBytes === undefined ? undefined : literal(String(shmBytes)), 'shm'),
    ...container.ulimits.map((limit) => ({
      key: 'Ulimit',
      value: literal(ulimitText(limit)),
      origin: at(container, 'ulimits', limit.name),
    })),
    ...optional('Timezone', container.timeZone === undefined ? undefined : argument(container.timeZone), 'time_zone'),
    // the socket is for its user and the group gate, no other account
    { key: 'PodmanArgs', value: command('--umask=0007') },
    ...(container.pidFile === undefined
      ? []
      : [{ key: 'PodmanArgs', value: literal(`--pidfile=%t/${container.pidFile}`), origin: at(container, 'listen') }]),
    ...networkEntries(container, podman),
    ...container.publish.map(({ host, hostPort, containerPort }) => ({
      key: 'PublishPort',
      value: argument(`${host}:${hostPort}:${containerPort}`),
      origin: at(container, 'port'),
    })),
    ...container.devices.map((device) => ({ key: 'AddDevice', value: command(device), origin: at(container, 'gpu') })),
    ...(container.keepGroups ? [{ key: 'GroupAdd', value: literal('keep-groups') }] : []),
    ...container.mounts.map((mount) => ({
      key: 'Volume',
      value: argument(mountText(mount)),
      origin: mount.origin,
    })),
    ...optional('Entrypoint', entrypoint === undefined ? undefined : argument(entrypoint), 'engine'),
    ...(args.length === 0 ? [] : [{ key: 'Exec', value: command(...args), origin: at(container, 'args') }]),
    ...Object.entries(container.environment).map(([name, value]) => ({
      key: 'Environment',
      value: command(`${name}=${value}`),
      origin: at(container, 'environment', name),
    })),
    ...optional('EnvironmentFile', environmentFile === undefined ? undefined : command(environmentFile), 'secrets'),
    ...healthEntries(container),
    {
      key: 'StopTimeout',
      value: literal(String(Math.ceil(container.stopTimeoutMs / 1000))),
      origin: at(container, 'stop_timeout'),
    },
    { key: 'LogDriver', value: literal('journald') },
    ...(container.configDigest === undefined
      ? []
      : [
          {
            key: 'Label',
            value: command(`gate.config=${container.configDigest}`),
            origin: at(container, 'config_files'),
          },
        ]),
    ...Object.entries(container.labels).map(([name, value]) => ({ key: 'Label', value: command(`${name}=${value}`) })),
  ]
}

/**
 * Without `UserNS=` root inside is the backend's account outside, and every other user inside one of its subordinate
 * ids.
 */
function userEntries(container: Container): Entry[] {
  const drop = { key: 'DropCapability', value: words('all') }
  const origin = at(container, 'user')
  if (container.runsAs === 'image') return [drop, { key: 'AddCapability', value: words(...ROOT_RIGHTS), origin }]
  return [{ key: 'UserNS', value: literal(`keep-id:uid=${INSIDE.uid},gid=${INSIDE.gid}`), origin }, drop]
}

function ulimitText({ name, value }: Ulimit): string {
  const number = value ?? -1
  return `${name}=${number}:${number}`
}

function networkEntries(container: Container, podman: Version): Entry[] {
  return [
    { key: 'Network', value: argument(networkText(container.network, podman)), origin: at(container, 'network') },
    ...container.links.map((name) => ({
      key: 'AddHost',
      value: argument(`${name}:127.0.0.1`),
      origin: at(container, 'links'),
    })),
  ]
}

/**
 * The podman that first gave the container an address for its host, 169.254.1.2, under which every service that listens
 * on all addresses is reached; pasta can be told not to.
 */
const HOST_ADDRESS_SINCE: Version = { major: 5, minor: 3 }

function networkText(network: ContainerNetwork, podman: Version): string {
  switch (network.kind) {
    case 'none':
      return 'none'
    case 'internal':
      return `${network.unit}.network`
    case 'outbound': {
      const options = [
        ...(isBefore(podman, HOST_ADDRESS_SINCE) ? [] : ['--map-guest-addr,none']),
        // ports of the host's loopback that the container sees on its own; passt(1)
        ...network.hostPorts.map((port) => `-T,${port}`),
      ]
      return options.length === 0 ? 'pasta' : `pasta:${options.join(',')}`
    }
  }
}

function mountText(mount: Mount): string {
  if (mount.kind === 'volume') return `${mount.unit}.volume:${mount.target}${mount.owned ? ':U' : ''}`
  const { readOnly, relabel } = mount
  const label = relabel === 'shared' ? ['z'] : relabel === 'private' ? ['Z'] : []
  const options = [...(readOnly ? ['ro'] : []), ...label].join(',')
  return `${mount.source}:${mount.target}${options === '' ? '' : `:${options}`}`
}

function serviceEntries({ name, startTimeoutMs, stopTimeoutMs, cpus, origin }: Container, podman: string): Entry[] {
  return [
    { key: 'Restart', value: literal('on-failure') },
    { key: 'RestartSec', value: literal('5s') },
    // after conmon was killed, podman fails once to remove what it left, and then knows that it is gone
    { key: 'ExecStartPre', value: command(`-${podman}`, 'rm', '--force', '--ignore', name) },
    { key: 'TimeoutStartSec', value: timeSpan(startTimeoutMs), origin: [...origin, 'start_timeout'] },
    // podman stop waits this long before it kills; systemd has to wait longer
    { key: 'TimeoutStopSec', value: timeSpan(stopTimeoutMs + 15_000), origin: [...origin, 'stop_timeout'] },
    ...(cpus === undefined
      ? []
      : [{ key: 'CPUQuota', value: literal(`${Math.round(cpus * 100)}%`), origin: [...origin, 'cpus'] }]),
  ]
}

/** The key of the spec that a setting of the container comes from. */
function at(container: Container, ...keys: readonly string[]): SpecPath {
  return [...container.origin, ...keys]
}

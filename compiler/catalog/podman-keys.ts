import type { SpecPath } from '../../schemas/spec/path.ts'
import { command, type Entry, type Value } from '../../syntax/unit/print.ts'
import type { Finding } from '../diagnostic.ts'
import { isBefore, type Version, versionText } from '../emit/output.ts'

/**
 * Which podman first knew a quadlet key. An unknown key makes podman ignore the whole unit, so nothing newer than the
 * target is ever emitted. Derived from the key tables of podman's generator at each x.y.0 tag.
 */
const KEYS_SINCE = {
  Container: {
    '4.4':
      'Image ContainerName Exec Environment EnvironmentFile EnvironmentHost Volume Network PublishPort ExposeHostPort ' +
      'AddDevice AddCapability DropCapability NoNewPrivileges ReadOnly SeccompProfile User Group Notify RunInit Label ' +
      'Annotation PodmanArgs Timezone',
    '4.5':
      'HealthCmd HealthInterval HealthTimeout HealthRetries HealthStartPeriod HealthOnFailure HealthStartupCmd ' +
      'HealthStartupInterval HealthStartupRetries HealthStartupSuccess HealthStartupTimeout Secret Mount Tmpfs UserNS ' +
      'IP IP6 LogDriver Rootfs SecurityLabelDisable SecurityLabelFileType SecurityLabelLevel SecurityLabelType',
    '4.6': 'AutoUpdate HostName Pull Mask Unmask Sysctl WorkingDir SecurityLabelNested',
    '4.7': 'DNS DNSOption DNSSearch PidsLimit ShmSize Ulimit',
    '4.8': 'ContainersConfModule GlobalArgs UIDMap GIDMap SubUIDMap SubGIDMap ReadOnlyTmpfs',
    '5.0': 'Pod Entrypoint StopTimeout',
    '5.1': 'GroupAdd',
    '5.2': 'NetworkAlias LogOpt StopSignal',
    '5.3': 'AddHost CgroupsMode ServiceName StartWithPod HealthLogDestination HealthMaxLogCount HealthMaxLogSize',
    '5.5': 'Memory ReloadCmd ReloadSignal Retry RetryDelay',
    '5.7': 'HttpProxy',
    '5.8': 'AppArmor',
  },
  Network: {
    '4.4': 'DisableDNS Driver Gateway IPAMDriver IPRange IPv6 Internal Label Options Subnet',
    '4.6': 'PodmanArgs',
    '4.7': 'DNS NetworkName',
    '4.8': 'ContainersConfModule GlobalArgs',
    '5.3': 'ServiceName',
    '5.5': 'NetworkDeleteOnStop',
    '5.6': 'InterfaceName',
  },
  Volume: {
    '4.4': 'Copy Device Group Label Options Type User',
    '4.6': 'PodmanArgs',
    '4.7': 'VolumeName',
    '4.8': 'ContainersConfModule Driver GlobalArgs Image',
    '5.3': 'ServiceName',
  },
} as const

export const OLDEST_PODMAN: Version = { major: 4, minor: 4 }
export const NEWEST_PODMAN: Version = { major: 5, minor: 8 }

type Older =
  /** The same as an option of podman run. */
  | { readonly kind: 'flag'; readonly flag: string }
  /** The same as a directive of the service. */
  | { readonly kind: 'service'; readonly key: string }

/** What an older podman gets instead. A key that is too new and not listed here is refused. */
const OLDER: Readonly<Record<string, Older>> = {
  AddHost: { kind: 'flag', flag: '--add-host' },
  Entrypoint: { kind: 'flag', flag: '--entrypoint' },
  GroupAdd: { kind: 'flag', flag: '--group-add' },
  HealthCmd: { kind: 'flag', flag: '--health-cmd' },
  HealthInterval: { kind: 'flag', flag: '--health-interval' },
  HealthRetries: { kind: 'flag', flag: '--health-retries' },
  HealthOnFailure: { kind: 'flag', flag: '--health-on-failure' },
  HealthStartupCmd: { kind: 'flag', flag: '--health-startup-cmd' },
  HealthStartupInterval: { kind: 'flag', flag: '--health-startup-interval' },
  HealthStartupTimeout: { kind: 'flag', flag: '--health-startup-timeout' },
  HealthTimeout: { kind: 'flag', flag: '--health-timeout' },
  LogDriver: { kind: 'flag', flag: '--log-driver' },
  Memory: { kind: 'service', key: 'MemoryMax' },
  PidsLimit: { kind: 'flag', flag: '--pids-limit' },
  Pull: { kind: 'flag', flag: '--pull' },
  ReadOnlyTmpfs: { kind: 'flag', flag: '--read-only-tmpfs' },
  ShmSize: { kind: 'flag', flag: '--shm-size' },
  StopTimeout: { kind: 'flag', flag: '--stop-timeout' },
  Tmpfs: { kind: 'flag', flag: '--tmpfs' },
  Ulimit: { kind: 'flag', flag: '--ulimit' },
  UserNS: { kind: 'flag', flag: '--userns' },
}

export type QuadletSection = keyof typeof KEYS_SINCE

export type DownLevelled = {
  /** Entries of the quadlet's own section. */
  readonly entries: readonly Entry[]
  /** Entries that moved to [Service]. */
  readonly service: readonly Entry[]
  readonly findings: readonly Finding[]
}

/** Rewrites what the target's podman does not know yet, or says why it cannot be. */
export function downLevel(
  section: QuadletSection,
  entries: readonly Entry[],
  podman: Version,
  origin: SpecPath,
): DownLevelled {
  const kept: Entry[] = []
  const service: Entry[] = []
  const findings: Finding[] = []
  for (const entry of entries) {
    const since = keySince(section, entry.key)
    const older = OLDER[entry.key]
    if (!isBefore(podman, since)) kept.push(entry)
    else if (older?.kind === 'flag')
      kept.push({ ...entry, key: 'PodmanArgs', value: command(`${older.flag}=${singleText(entry.value)}`) })
    else if (older?.kind === 'service') service.push({ ...entry, key: older.key })
    else {
      const message = `podman ${versionText(podman)} does not know ${entry.key}, which came with ${versionText(since)}`
      findings.push({ code: 'TOO_OLD', path: entry.origin ?? origin, message })
    }
  }
  return { entries: kept, service, findings }
}

/** The podman that first knew a key. @throws Error for a key that no version knows: a mistake in an emitter */
function keySince(section: QuadletSection, key: string): Version {
  const since = SINCE.get(`${section} ${key}`)
  if (since === undefined) throw new Error(`no version of podman knows the key ${key} in [${section}]`)
  return since
}

const SINCE: ReadonlyMap<string, Version> = new Map(
  Object.entries(KEYS_SINCE).flatMap(([section, versions]) =>
    Object.entries(versions).flatMap(([version, keys]) => {
      const [major = 0, minor = 0] = version.split('.').map(Number)
      return keys.split(' ').map((key): [string, Version] => [`${section} ${key}`, { major, minor }])
    }),
  ),
)

function singleText(value: Value): string {
  if (value.kind === 'words' || value.kind === 'command') return value.words.join(' ')
  return value.text
}

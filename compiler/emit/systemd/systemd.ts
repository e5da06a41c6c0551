import { hash } from 'node:crypto'
import type { Layout } from '../../../schemas/deploy/layout.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { addressOf } from '../../../schemas/words/address.ts'
import { command, type Entry, literal, printUnit, type UnitFile } from '../../../syntax/unit/print.ts'
import type { Finding } from '../../diagnostic.ts'
import type { Deployment } from '../../ir/deployment.ts'
import type { Ulimit } from '../../ir/nodes/container.ts'
import type { Gateway } from '../../ir/nodes/gateway.ts'
import { unknownAddresses } from '../egress/egress.ts'
import type { Emission, EmitOptions, OutputFile } from '../output.ts'
import { sysusers, tmpfiles } from './accounts.ts'
import { caRequest, caUnits } from './ca-units.ts'
import { daemonUnits, type TlsSockets } from './daemon-units.ts'
import { directoryUnits } from './directory-units.ts'
import { entries } from './hardening.ts'
import { memoryEntries } from './node-service.ts'
import { reachUnit } from './reach-unit.ts'
import { relayUnits } from './relay-units.ts'
import { daemonCredentials, relayCredentials, secretUnits } from './secret-units.ts'

type Units = { readonly units: Readonly<Record<string, UnitFile>>; readonly findings: readonly Finding[] }

const COMMENT = ['Made by gatectl from the spec; changes here are lost.']

/** System units of the daemon and the relays, accounts, directories, and what backends need of the host. */
export function emitSystemd(deployment: Deployment, options: EmitOptions): Emission {
  const { units, findings } = systemUnits(deployment, options)
  const files = Object.entries(units).map(([name, unit]) => unitFile(name, unit, options.layout))
  return {
    files: [...files, ...declarations(deployment, options.layout), ...caRequest(deployment, options.layout)],
    findings,
  }
}

/** Every system unit and drop-in by its path below the directory of units. */
export function systemUnits(deployment: Deployment, { systemd, layout, settings }: EmitOptions): Units {
  const secrets = secretUnits(deployment, layout.programs.shell, COMMENT)
  const parts = [
    daemon(deployment, systemd, layout),
    { units: reachUnit(deployment, { settings }, COMMENT), findings: unknownAddresses(deployment, settings) },
    relays(deployment, systemd, layout),
    secrets,
    {
      units: {
        ...backendHost(deployment),
        ...caUnits(deployment, layout, COMMENT),
        ...directoryUnits(deployment, layout, COMMENT),
        ...backendManagers(deployment, secrets.wanted),
      },
      findings: [],
    },
  ]
  const units = parts.flatMap((part) => Object.entries(part.units)).sort(([a], [b]) => (a < b ? -1 : 1))
  return { units: Object.fromEntries(units), findings: parts.flatMap((part) => part.findings) }
}

function daemon(deployment: Deployment, systemd: number, layout: Layout): Units {
  const { gateway, secrets } = deployment
  const { engine } = deployment.proxy
  const host = addressOf(gateway.host)
  const findings: Finding[] = []
  if (host === undefined) {
    const message = `a socket unit cannot listen on the name "${gateway.host}"`
    const path = ['gate', 'server', 'host']
    findings.push({ code: 'NOT_AN_ADDRESS', path, message, hint: 'write an IP address such as "127.0.0.1"' })
  }
  const tlsHost = gateway.tlsServing?.host
  if (tlsHost !== undefined && addressOf(tlsHost) === undefined) {
    const message = `a socket unit cannot listen on the name "${tlsHost}"`
    const path = ['gate', 'tls', 'host']
    findings.push({
      code: 'NOT_AN_ADDRESS',
      path,
      message,
      hint: 'write an IP address, or remove it for every address',
    })
  }
  const credentials = daemonCredentials(deployment)
  const needsGenerated = secrets.some(
    ({ source, destination }) => 'generated' in source && destination.kind === 'daemon',
  )
  const units = daemonUnits({
    origin: gateway.origin,
    comment: COMMENT,
    unit: gateway.unit,
    user: gateway.user,
    adminGroup: gateway.adminGroup,
    stateDirectory: gateway.stateDirectory,
    environmentFile: gateway.environmentFile,
    adminSocket: gateway.adminSocket,
    backendsDirectory: deployment.names.backendsDirectory,
    proxy: engine === 'none' ? undefined : { socket: gateway.proxySocket, group: layout.groups[engine] },
    host: host ?? '127.0.0.1',
    port: gateway.port,
    tls: tlsSockets(gateway),
    tlsDigest: tlsDigest(gateway),
    maxConnections: gateway.maxConnections,
    args: ['--declared', gateway.declaredConfig],
    extra: [...memoryEntries(gateway.memoryBytes, ['gate', 'memory']), ...credentials.entries],
    after: [
      ...(needsGenerated ? [gateway.secretsUnit] : []),
      // the daemon signs with what it makes
      ...(deployment.authority === undefined || engine !== 'none' ? [] : [deployment.names.caUnit]),
    ],
    systemd,
    layout,
  })
  return { units, findings: [...findings, ...credentials.findings] }
}

function tlsSockets({ tlsServing }: Gateway): TlsSockets | undefined {
  if (tlsServing === undefined) return undefined
  const { host, httpsPort, httpPort } = tlsServing
  return { host: host === undefined ? undefined : addressOf(host), httpsPort, httpPort }
}

function tlsDigest({ tlsServing, externalUrl }: Gateway): string | undefined {
  if (tlsServing === undefined) return undefined
  return hash('sha256', JSON.stringify({ tlsServing, externalUrl })).slice(0, 16)
}

function relays(deployment: Deployment, systemd: number, layout: Layout): Units {
  const handovers = new Map(
    deployment.relays.map(({ instance }) => [instance, relayCredentials(deployment, instance)] as const),
  )
  const { configDirectory, adminGroup } = deployment.gateway
  const host = { configDirectory, adminGroup, comment: COMMENT, systemd, layout }
  return {
    units: relayUnits(deployment.relays, (instance) => handovers.get(instance)?.entries ?? [], host),
    findings: [...handovers.values()].flatMap(({ findings }) => findings),
  }
}

/** What the user managers of backends need of the host. */
function backendHost({ containers }: Deployment): Record<string, UnitFile> {
  if (containers.length === 0) return {}
  return {
    'user@.service.d/50-gate.conf': {
      origin: ['backends'],
      comment: COMMENT,
      sections: [
        // rootless quadlets wait for this target, which nothing else may ask for
        { name: 'Unit', entries: entries({ Wants: 'network-online.target' }) },
        { name: 'Service', entries: entries({ Delegate: 'cpu cpuset io memory pids' }) },
      ],
    },
  }
}

/**
 * What the manager of each backend's user is configured with.
 * @param secrets by user id, the unit that writes its secrets
 */
function backendManagers({ users }: Deployment, secrets: ReadonlyMap<number, string>): Record<string, UnitFile> {
  const units = users.flatMap(({ origin, uid, home, subuid, limits }): [string, UnitFile][] => {
    if (uid === undefined || subuid === undefined) return []
    const unit = secrets.get(uid)
    // Wants: without its secrets one backend cannot start, its user's manager does
    const wants = unit === undefined ? [] : entries({ Wants: unit, After: unit })
    // the home is root's, and podman refuses a ~/.config of another user unless it is named
    const config = { key: 'Environment', value: command(`XDG_CONFIG_HOME=${home}/.config`) }
    const sections = [
      ...(wants.length === 0 ? [] : [{ name: 'Unit', entries: wants }]),
      { name: 'Service', entries: [config, ...limitEntries(limits, [...origin, 'ulimits'])] },
    ]
    return [[`user@${uid}.service.d/50-gate-backend.conf`, { origin, comment: COMMENT, sections }]]
  })
  return Object.fromEntries(units)
}

/** No container gets more than its user's manager has. */
function limitEntries(limits: readonly Ulimit[], origin: SpecPath): Entry[] {
  return limits.map(({ name, value }) => ({
    key: `Limit${name.toUpperCase()}`,
    value: literal(value === undefined ? 'infinity' : String(value)),
    origin: [...origin, name],
  }))
}

function declarations(deployment: Deployment, layout: Layout): OutputFile[] {
  const { prefix, users, groups } = deployment
  return [
    {
      path: `systemd/sysusers.d/${prefix}.conf`,
      install: `/etc/sysusers.d/${prefix}.conf`,
      mode: 0o644,
      ...sysusers(users, groups, layout),
    },
    {
      path: `systemd/tmpfiles.d/${prefix}.conf`,
      install: `/etc/tmpfiles.d/${prefix}.conf`,
      mode: 0o644,
      ...tmpfiles(deployment, layout),
    },
  ]
}

function unitFile(name: string, unit: UnitFile, { directories }: Layout): OutputFile {
  return {
    path: `systemd/system/${name}`,
    install: `${directories.units}/${name}`,
    mode: 0o644,
    ...printUnit(unit),
  }
}

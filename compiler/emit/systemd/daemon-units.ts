import type { Layout } from '../../../schemas/deploy/layout.ts'
import type { SpecPath } from '../../../schemas/spec/path.ts'
import { hostPort, isEveryInterface, isLoopback } from '../../../schemas/words/address.ts'
import { command, type Entry, literal, type Section, text, type UnitFile, words } from '../../../syntax/unit/print.ts'
import { unitDescriptors } from '../descriptors.ts'
import { entries, hardening } from './hardening.ts'
import { NOTIFY_RELOAD_SINCE, nodeServiceEntries } from './node-service.ts'

/** What the units of one daemon depend on. The units in systemd/ are made from this, too. */
export type DaemonUnits = {
  readonly origin: SpecPath
  readonly comment: readonly string[]
  /** Without suffix. */
  readonly unit: string
  readonly user: string
  readonly adminGroup: string
  readonly stateDirectory: string
  readonly environmentFile: string
  readonly adminSocket: string
  /** Directory with the sockets of backends and of their agents. */
  readonly backendsDirectory: string
  /** Where the proxy of this host connects, and its group; undefined: there is none. */
  readonly proxy: { readonly socket: string; readonly group: string } | undefined
  /** IP address, without brackets. */
  readonly host: string
  readonly port: number
  /** Where it serves TLS itself; undefined: it does not. */
  readonly tls: TlsSockets | undefined
  /** Changes with what the daemon reads of TLS when it starts; undefined: nothing. */
  readonly tlsDigest: string | undefined
  /** `gate.server.max_connections` */
  readonly maxConnections: number
  readonly args: readonly string[]
  /** More directives of the service. */
  readonly extra: readonly Entry[]
  /** More units that come first. */
  readonly after: readonly string[]
  readonly systemd: number
  readonly layout: Layout
}

export type TlsSockets = {
  /** IP address, without brackets; undefined: every address. */
  readonly host: string | undefined
  readonly httpsPort: number
  /** For redirects and http-01; undefined: there is no such socket. */
  readonly httpPort: number | undefined
}

const DESCRIPTION = 'Gate, a private AI gateway'

/** File name -> unit. */
export function daemonUnits(daemon: DaemonUnits): Record<string, UnitFile> {
  const { unit, origin, comment } = daemon
  const file = (sections: readonly Section[]): UnitFile => ({ origin, comment, sections })
  return {
    [`${unit}.service`]: file(serviceSections(daemon)),
    [`${unit}.socket`]: file(socketSections(daemon)),
    [`${unit}-admin.socket`]: file(adminSocketSections(daemon)),
    ...tlsSocketUnits(daemon, daemon.tls),
  }
}

/** The sockets for TLS. They name the service, which takes them when they are open as it starts. */
export function tlsSocketUnits(
  { unit, origin, comment }: Pick<DaemonUnits, 'unit' | 'origin' | 'comment'>,
  tls: TlsSockets | undefined,
): Record<string, UnitFile> {
  if (tls === undefined) return {}
  const { host, httpsPort, httpPort } = tls
  const file = (purpose: string, name: 'https' | 'http', port: number): UnitFile => ({
    origin,
    comment,
    sections: tlsSocketSections({ unit, purpose, name, host, port, origin: [...origin, 'tls', `${name}_port`] }),
  })
  return {
    [`${unit}-https.socket`]: file('clients over TLS', 'https', httpsPort),
    ...(httpPort === undefined ? {} : { [`${unit}-http.socket`]: file('redirects to TLS', 'http', httpPort) }),
  }
}

function serviceSections(daemon: DaemonUnits): Section[] {
  const { unit, user, after } = daemon
  const ofTls = Object.keys(tlsSocketUnits(daemon, daemon.tls))
  const admin = `${unit}-admin.socket`
  const clients = [`${unit}.socket`, ...ofTls].join(' ')
  const sockets = [`${unit}.socket`, admin, ...ofTls].join(' ')
  const wanted = [`${unit}.socket`, ...after, ...ofTls].join(' ')
  const first = [`${unit}.socket`, admin, 'network.target', 'nss-lookup.target', ...after, ...ofTls].join(' ')
  return [
    {
      name: 'Unit',
      entries: [
        ...entries({ Description: DESCRIPTION, Documentation: 'file:///usr/share/doc/gate/install-systemd.md' }),
        {
          key: 'Requires',
          value: text(admin),
          comment:
            'systemd keeps the listening sockets: a restart loses no connection, and a request starts the daemon',
        },
        { key: 'Wants', value: text(wanted), comment: 'while its port is taken, gatectl is answered all the same' },
        { key: 'PartOf', value: text(clients), comment: 'what restarts or stops that socket does so to the daemon' },
        { key: 'After', value: text(first) },
        { key: 'RequiresMountsFor', value: text(daemon.stateDirectory) },
        {
          key: 'StartLimitIntervalSec',
          value: literal('0'),
          comment: 'never give up on a daemon that cannot start until its configuration is repaired',
        },
        ...(daemon.tlsDigest === undefined ? [] : [digestEntry(daemon.tlsDigest)]),
      ],
    },
    {
      name: 'Service',
      entries: [
        ...nodeServiceEntries('daemon', daemon.args, daemon.systemd, daemon.layout),
        { key: 'Sockets', value: text(sockets) },
        { key: 'SyslogIdentifier', value: text(unit) },
        { key: 'User', value: text(user) },
        { key: 'Group', value: text(user) },
        {
          key: 'Environment',
          value: command(`STATE_DIRECTORY=${daemon.stateDirectory}`),
          comment: 'made by tmpfiles.d: StateDirectory= would hand it and the models in it over to the account',
        },
        { key: 'ReadWritePaths', value: text(daemon.stateDirectory) },
        {
          key: 'EnvironmentFile',
          value: text(`-${daemon.environmentFile}`),
          comment: 'never a secret: D-Bus shows it to every user; secrets come as LoadCredential=KEY:FILE',
        },
        {
          key: 'LimitNOFILE',
          value: literal(String(unitDescriptors(daemon.maxConnections))),
          origin: [...daemon.origin, 'server', 'max_connections'],
        },
        ...daemon.extra,
        ...hardening(),
        { key: 'SystemCallFilter', value: literal('setpriority'), comment: 'passwords are hashed at a low priority' },
        ...runEntries(daemon),
      ],
    },
    {
      name: 'Install',
      entries: [...entries({ WantedBy: 'multi-user.target' }), { key: 'Also', value: text(sockets) }],
    },
  ]
}

/** A key that systemd leaves alone: a unit that changes is restarted, and not told to reload. */
function digestEntry(digest: string): Entry {
  const comment = 'of gate.tls, which the daemon reads when it starts'
  return { key: 'X-Restart-Triggers', value: text(digest), origin: ['gate', 'tls'], comment }
}

/** Where /etc/resolv.conf leads, and the sockets of systemd-resolved and of avahi, which knows names in .local. */
const RESOLVERS = [
  '/run/systemd/resolve',
  '/run/NetworkManager',
  '/run/resolvconf',
  '/run/connman',
  '/run/avahi-daemon',
]

/** Directories of backends that come later appear in it, and what is mounted there, too: systemd binds it as a slave. */
function runEntries({ backendsDirectory, systemd }: DaemonUnits): Entry[] {
  const notify = systemd < NOTIFY_RELOAD_SINCE ? ['/run/systemd/notify'] : []
  return [
    {
      key: 'TemporaryFileSystem',
      value: literal('/run:ro'),
      comment: 'no bus, no Varlink and no socket of a container engine: of /run it sees backends and the resolver',
    },
    {
      key: 'BindReadOnlyPaths',
      value: words(backendsDirectory, ...[...notify, ...RESOLVERS].map((path) => `-${path}`)),
    },
  ]
}

function socketSections({ unit, host, port, proxy, origin }: DaemonUnits): Section[] {
  return [
    socketUnit('clients'),
    {
      name: 'Socket',
      entries: [
        {
          key: 'ListenStream',
          value: text(hostPort(host, port)),
          origin: [...origin, 'server', 'port'],
          comment: 'in place of server.host and server.port of the daemon',
        },
        ...(proxy === undefined ? [] : proxyEntries(proxy)),
        ...(isOwnAddress(host) ? [] : [{ key: 'FreeBind', value: literal('yes') }]),
        ...entries({ FileDescriptorName: 'gateway', NoDelay: 'yes' }),
        { key: 'Service', value: text(`${unit}.service`) },
      ],
    },
    { name: 'Install', entries: entries({ WantedBy: 'sockets.target' }) },
  ]
}

type TlsSocket = {
  readonly unit: string
  readonly purpose: string
  readonly name: 'https' | 'http'
  readonly host: string | undefined
  readonly port: number
  readonly origin: SpecPath
}

function tlsSocketSections({ unit, purpose, name, host, port, origin }: TlsSocket): Section[] {
  // a port alone is every address, of both families
  const stream = host === undefined || isEveryInterface(host) ? String(port) : hostPort(host, port)
  const isAlways = host === undefined || isOwnAddress(host)
  return [
    socketUnit(purpose),
    {
      name: 'Socket',
      entries: [
        { key: 'ListenStream', value: text(stream), origin },
        ...(isAlways ? [] : [{ key: 'FreeBind', value: literal('yes') }]),
        ...entries({ FileDescriptorName: name, NoDelay: 'yes' }),
        { key: 'Service', value: text(`${unit}.service`) },
      ],
    },
    { name: 'Install', entries: entries({ WantedBy: 'sockets.target' }) },
  ]
}

/** Mode and group are those of the Unix socket: any account of the host can connect to the port. */
function proxyEntries({ socket, group }: NonNullable<DaemonUnits['proxy']>): Entry[] {
  const origin = ['proxy', 'engine']
  const comment = 'for the proxy alone, whose word for the address of a client is taken'
  return [
    { key: 'ListenStream', value: text(socket), origin, comment },
    { key: 'SocketGroup', value: text(group), origin },
    ...entries({ SocketMode: '0660', RemoveOnStop: 'yes' }),
  ]
}

function adminSocketSections({ unit, user, adminGroup, adminSocket }: DaemonUnits): Section[] {
  return [
    socketUnit('administration'),
    {
      name: 'Socket',
      entries: [
        { key: 'ListenStream', value: text(adminSocket) },
        ...entries({ FileDescriptorName: 'admin' }),
        { key: 'Service', value: text(`${unit}.service`) },
        { key: 'SocketUser', value: text(user) },
        { key: 'SocketGroup', value: text(adminGroup) },
        ...entries({ SocketMode: '0660', RemoveOnStop: 'yes' }),
      ],
    },
    { name: 'Install', entries: entries({ WantedBy: 'sockets.target' }) },
  ]
}

/** A port that was taken a few times is tried again when it is free, without a reset-failed in between. */
function socketUnit(purpose: string): Section {
  return { name: 'Unit', entries: entries({ Description: `${DESCRIPTION}: ${purpose}`, StartLimitIntervalSec: '0' }) }
}

/** Always there. Any other may come later than the socket, so it is bound before it exists. */
function isOwnAddress(host: string): boolean {
  return isLoopback(host) || isEveryInterface(host)
}

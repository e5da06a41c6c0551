import type { Layout } from '../../../schemas/deploy/layout.ts'
import { hostPort } from '../../../schemas/words/address.ts'
import { type Entry, literal, text, type UnitFile, words } from '../../../syntax/unit/print.ts'
import type { Relay, RelayTable } from '../../ir/nodes/web.ts'
import { entries, hardening } from './hardening.ts'
import { nodeServiceEntries } from './node-service.ts'

/** What a relay's program finds open when it starts: sd_listen_fds(3) passes these names in LISTEN_FDNAMES. */
const RELAY_SOCKETS = [
  { name: 'https', what: 'visitors', port: ({ httpsPort }: Relay) => httpsPort, key: 'https_port' },
  { name: 'p2p', what: 'nodes', port: ({ p2pPort }: Relay) => p2pPort, key: 'p2p_port' },
] as const

type RelaySocket = (typeof RELAY_SOCKETS)[number]

/**
 * File name -> unit: templates of all relays on a host, and for each instance drop-ins with its settings. systemd opens
 * the ports, so a relay needs no privilege for those below 1024.
 * @param credentials the secrets of one instance
 */
export function relayUnits(
  relays: readonly Relay[],
  credentials: (instance: string) => readonly Entry[],
  host: RelayHost,
): Record<string, UnitFile> {
  const [first] = relays
  if (first === undefined) return {}
  const { unit } = first
  const { comment } = host
  return Object.fromEntries([
    [`${unit}@.service`, relayTemplate(unit, host)],
    ...RELAY_SOCKETS.map((socket) => [`${socketUnit(unit, socket)}@.socket`, socketTemplate(unit, socket, comment)]),
    [`${unit}-admin@.socket`, adminTemplate(unit, host)],
    ...relays.flatMap((relay) => [
      [`${unit}@${relay.instance}.service.d/50-gate.conf`, relayDropIn(relay, credentials(relay.instance), comment)],
      ...RELAY_SOCKETS.map((socket) => [
        `${socketUnit(unit, socket)}@${relay.instance}.socket.d/50-gate.conf`,
        socketDropIn(relay, socket, comment),
      ]),
      [`${unit}-admin@${relay.instance}.socket.d/50-gate.conf`, adminDropIn(relay, comment)],
    ]),
  ])
}

type RelayHost = {
  readonly configDirectory: string
  /** Who may use the admin sockets. */
  readonly adminGroup: string
  readonly comment: readonly string[]
  readonly systemd: number
  readonly layout: Layout
}

const socketUnit = (unit: string, { name }: RelaySocket): string => `${unit}-${name}`

function relayTemplate(unit: string, { configDirectory, comment, systemd, layout }: RelayHost): UnitFile {
  const sockets = [...RELAY_SOCKETS.map((socket) => socketUnit(unit, socket)), `${unit}-admin`]
    .map((name) => `${name}@%i.socket`)
    .join(' ')
  return {
    origin: ['relays'],
    comment,
    sections: [
      {
        name: 'Unit',
        entries: entries({
          Description: 'Gate relay %i',
          Requires: sockets,
          Wants: 'network-online.target',
          After: `${sockets} network-online.target nss-lookup.target`,
          StartLimitIntervalSec: '0',
        }),
      },
      {
        name: 'Service',
        entries: [
          ...nodeServiceEntries('relay', [], systemd, layout),
          ...entries({
            Sockets: sockets,
            SyslogIdentifier: `${unit}-%i`,
            Slice: `system-${unit.replaceAll('-', '\\x2d')}.slice`,
            DynamicUser: 'yes',
            StateDirectory: `${unit}/%i`,
            StateDirectoryMode: '0700',
            Environment: 'RELAY_INSTANCE=%i',
            EnvironmentFile: `-${configDirectory}/relay-%i.env`,
            LimitNOFILE: '65536',
          }),
          ...hardening(),
        ],
      },
      { name: 'Install', entries: entries({ WantedBy: 'multi-user.target', Also: sockets }) },
    ],
  }
}

function socketTemplate(unit: string, socket: RelaySocket, comment: readonly string[]): UnitFile {
  return {
    origin: ['relays'],
    comment,
    sections: [
      { name: 'Unit', entries: entries({ Description: `Gate relay %i: ${socket.what}` }) },
      {
        name: 'Socket',
        entries: entries({
          FileDescriptorName: socket.name,
          Service: `${unit}@%i.service`,
          // bound before the address exists, and for IPv4, too, when the address is "::"
          FreeBind: 'yes',
          BindIPv6Only: 'both',
          NoDelay: 'yes',
          Backlog: '4096',
        }),
      },
      { name: 'Install', entries: entries({ WantedBy: 'sockets.target' }) },
    ],
  }
}

function adminTemplate(unit: string, { adminGroup, comment }: RelayHost): UnitFile {
  return {
    origin: ['relays'],
    comment,
    sections: [
      { name: 'Unit', entries: entries({ Description: 'Gate relay %i: administration' }) },
      {
        name: 'Socket',
        entries: [
          ...entries({ FileDescriptorName: 'admin' }),
          ...entries({
            Service: `${unit}@%i.service`,
            SocketGroup: adminGroup,
            SocketMode: '0660',
            RemoveOnStop: 'yes',
          }),
        ],
      },
      { name: 'Install', entries: entries({ WantedBy: 'sockets.target' }) },
    ],
  }
}

function adminDropIn({ origin, unit, instance }: Relay, comment: readonly string[]): UnitFile {
  const entry: Entry = { key: 'ListenStream', value: text(`/run/${unit}/${instance}/admin.sock`), origin }
  return { origin, comment, sections: [{ name: 'Socket', entries: [entry] }] }
}

/** What one relay is configured with. Settings are named like the keys of its configuration. */
function relayDropIn(relay: Relay, credentials: readonly Entry[], comment: readonly string[]): UnitFile {
  const { origin, isDialling } = relay
  const variables = relayEnvironment(relay).map(
    ([name, value, key]): Entry => ({
      key: 'Environment',
      value: words(`RELAY__${name}=${value}`),
      origin: [...origin, key],
    }),
  )
  // systemd's list holds in both directions: not for a relay that connects to others
  const addresses = isDialling ? [] : addressEntries(relay)
  return { origin, comment, sections: [{ name: 'Service', entries: [...variables, ...credentials, ...addresses] }] }
}

function socketDropIn(relay: Relay, { port, key }: RelaySocket, comment: readonly string[]): UnitFile {
  const { origin, bindAddress } = relay
  const listen = text(hostPort(bindAddress, port(relay)))
  const entry: Entry = { key: 'ListenStream', value: listen, origin: [...origin, key] }
  // connections belong to the socket's own control group, so its list is the one that they meet
  return { origin, comment, sections: [{ name: 'Socket', entries: [entry, ...addressEntries(relay)] }] }
}

function relayEnvironment(relay: Relay): [string, string, string][] {
  const { httpsPort, p2pPort, metricsPort, bindAddress, logLevel, domainSuffix, allowFrom, dns } = relay
  const { trustedProxies, publicAddress, invite, registry, limits, tls } = relay
  const zone = dns === undefined ? undefined : 'DNS__CLOUDFLARE__ZONE_ID'
  return [
    ['HTTPS_PORT', String(httpsPort), 'https_port'],
    ['P2P_PORT', String(p2pPort), 'p2p_port'],
    ...optional('METRICS_PORT', metricsPort === undefined ? undefined : String(metricsPort), 'metrics_port'),
    ['BIND_ADDRESS', bindAddress, 'bind_address'],
    ['LOG_LEVEL', logLevel, 'log_level'],
    ...optional('DOMAIN_SUFFIX', domainSuffix, 'domain_suffix'),
    ...optional('ALLOW_FROM', allowFrom.length === 0 ? undefined : JSON.stringify(allowFrom), 'allow_from'),
    ...optional(
      'TRUSTED_PROXIES',
      trustedProxies.length === 0 ? undefined : JSON.stringify(trustedProxies),
      'trusted_proxies',
    ),
    ...optional('PUBLIC_ADDRESS', publicAddress, 'public_address'),
    ...optional('INVITE', tableText(invite), 'invite'),
    ...optional('REGISTRY', tableText(registry), 'registry'),
    ...optional('LIMITS', tableText(limits), 'limits'),
    ...optional('TLS', tableText(tls), 'tls'),
    ...optional('DNS__PROVIDER', dns?.provider, 'dns'),
    ...optional(zone ?? '', dns?.zoneId, 'dns'),
    ...optional('DNS__RFC2136', tableText(dns?.rfc2136), 'dns'),
  ]
}

/** As Nix writes it: keys in order. */
function tableText(table: RelayTable | undefined): string | undefined {
  return table === undefined ? undefined : JSON.stringify(sorted(table))
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function optional(name: string, value: string | undefined, key: string): [string, string, string][] {
  return value === undefined ? [] : [[name, value, key]]
}

function addressEntries({ allowFrom, origin }: Relay): Entry[] {
  if (allowFrom.length === 0) return []
  const from = [...origin, 'allow_from']
  return [
    { key: 'IPAddressDeny', value: literal('any'), origin: from },
    { key: 'IPAddressAllow', value: text(['localhost', ...allowFrom].join(' ')), origin: from },
  ]
}

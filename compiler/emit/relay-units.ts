import type { Relay } from '../ir/deployment.ts'
import { PROGRAMS } from '../ir/names.ts'
import { type Entry, literal, text, type UnitFile, words } from '../syntax/unit.ts'
import { entries, hardening } from './hardening.ts'
import { nodeServiceEntries } from './node-service.ts'

/** The template of all relays on a host. Each instance adds its settings in a drop-in, `relayDropIn`. */
export function relayTemplate(
  unit: string,
  configDirectory: string,
  comment: readonly string[],
  systemd: number,
): UnitFile {
  return {
    origin: ['relays'],
    comment,
    sections: [
      {
        name: 'Unit',
        entries: [
          ...entries({
            Description: 'Gate relay %i',
            Wants: 'network-online.target',
            After: 'network-online.target nss-lookup.target',
            StartLimitIntervalSec: '0',
          }),
        ],
      },
      {
        name: 'Service',
        entries: [
          ...nodeServiceEntries(PROGRAMS.relay, [], systemd),
          ...entries({
            SyslogIdentifier: `${unit}-%i`,
            Slice: `system-${unit.replaceAll('-', '\\x2d')}.slice`,
            DynamicUser: 'yes',
            StateDirectory: `${unit}/%i`,
            StateDirectoryMode: '0700',
            EnvironmentFile: `-${configDirectory}/relay-%i.env`,
            LimitNOFILE: '65536',
          }),
          ...hardening(),
        ],
      },
      { name: 'Install', entries: entries({ WantedBy: 'multi-user.target' }) },
    ],
  }
}

/** Ports below are for processes with CAP_NET_BIND_SERVICE; ip(7). */
const FIRST_FREE_PORT = 1024

/** What one relay is told. Settings are named like the keys of its configuration. */
export function relayDropIn(relay: Relay, credentials: readonly Entry[], comment: readonly string[]): UnitFile {
  const { origin } = relay
  const variables = relayEnvironment(relay).map(
    ([name, value, key]): Entry => ({
      key: 'Environment',
      value: words(`RELAY__${name}=${value}`),
      origin: [...origin, key],
    }),
  )
  const { httpsPort, p2pPort } = relay
  const low = httpsPort < FIRST_FREE_PORT || p2pPort < FIRST_FREE_PORT
  const service = [
    ...variables,
    ...credentials,
    ...addressEntries(relay),
    // a capability means nothing on the host from inside a user namespace
    ...(low
      ? entries({
          PrivateUsers: 'no',
          CapabilityBoundingSet: 'CAP_NET_BIND_SERVICE',
          AmbientCapabilities: 'CAP_NET_BIND_SERVICE',
        })
      : []),
  ]
  return { origin, comment, sections: [{ name: 'Service', entries: service }] }
}

function relayEnvironment(relay: Relay): [string, string, string][] {
  const { httpsPort, p2pPort, bindAddress, logLevel, domainSuffix, allowFrom, dns } = relay
  const zone = dns === undefined ? undefined : `DNS__${dns.provider.toUpperCase()}__ZONE_ID`
  return [
    ['HTTPS_PORT', String(httpsPort), 'https_port'],
    ['P2P_PORT', String(p2pPort), 'p2p_port'],
    ['BIND_ADDRESS', bindAddress, 'bind_address'],
    ['LOG_LEVEL', logLevel, 'log_level'],
    ...optional('DOMAIN_SUFFIX', domainSuffix, 'domain_suffix'),
    ...optional('ALLOW_FROM', allowFrom.length === 0 ? undefined : JSON.stringify(allowFrom), 'allow_from'),
    ...optional('DNS__PROVIDER', dns?.provider, 'dns'),
    ...optional(zone ?? '', dns?.zoneId, 'dns'),
  ]
}

function optional(name: string, value: string | undefined, key: string): [string, string, string][] {
  return value === undefined ? [] : [[name, value, key]]
}

/** systemd's own allow list holds for both directions: not for a relay that writes records at a DNS provider. */
function addressEntries({ allowFrom, dns, origin }: Relay): Entry[] {
  if (allowFrom.length === 0 || dns !== undefined) return []
  return [
    { key: 'IPAddressDeny', value: literal('any'), origin: [...origin, 'allow_from'] },
    { key: 'IPAddressAllow', value: text(['localhost', ...allowFrom].join(' ')), origin: [...origin, 'allow_from'] },
  ]
}

import { z } from 'zod'
import { certifiedHostName, cidrs, hostPort, httpUrl, port, publicKeyPin } from '../config/values.ts'
import { addressPattern } from '../words/address.ts'
import { absolutePath, flag, hostName, interfaces, LABEL, secret } from './values.ts'

/** The key `relay` of the spec: being reachable through relays. */
export const relay = z.strictObject({
  enable: flag(false, 'Make the gateway reachable through relays.'),
  addresses: z.array(hostPort).default([]).meta({ description: 'Relays as host:port.' }),
  custom_domain: z.string().regex(LABEL).optional().meta({ description: 'Name asked of the relay.' }),
  names: z.array(certifiedHostName).max(16).default([]).meta({
    description:
      'Host names of your own that point to the relay; a TXT record at _gate-relay.NAME with the node id proves each.',
  }),
  invite: secret('Invitation of the relay, where it wants one for a name.').optional(),
  pins: z.array(publicKeyPin).max(16).default([]).meta({
    description:
      'Public keys that a relay may have, as base64 of SHA-256; empty: its certificate has to be for its name.',
  }),
  ca: absolutePath('CA certificate that relays are trusted by, PEM; those of the system when absent.').optional(),
  ct_log: httpUrl.optional().meta({
    description:
      'Search of certificate logs, asked twice a day about each relayed name, such as "https://crt.sh/?output=json&q={name}"; a certificate that this daemon did not get is an alert.',
  }),
})

/** One entry of `relays`: a relay server on this host. */
export const relayInstance = z.strictObject({
  https_port: port.min(1).default(443).meta({ description: 'Port for visitors.' }),
  p2p_port: port.min(1).default(31_145).meta({ description: 'Port for nodes.' }),
  metrics_port: port.min(1).optional().meta({ description: 'Loopback port for metrics; none when absent.' }),
  bind_address: z.string().regex(addressPattern, 'write an IP address').default('::').meta({
    description: 'Address to listen on.',
  }),
  log_level: z.enum(['error', 'warn', 'info', 'debug']).default('info').meta({ description: 'Least important level.' }),
  domain_suffix: hostName('Nodes become <name>.<domain_suffix>.').optional(),
  allow_from: cidrs.default([]).meta({ description: 'Addresses that may connect; empty: all.' }),
  open_firewall: flag(false, 'Open https_port and p2p_port on every interface.'),
  open_firewall_on_interfaces: interfaces('Open both ports on these interfaces only.').default([]),
  dns: z
    .strictObject({
      enabled: flag(true, 'Whether records are written.'),
      provider: z.enum(['cloudflare']).meta({ description: 'Where the records of nodes are written.' }),
      api_token: secret('Token that may edit the zone.').optional(),
      zone_id: z
        .string()
        .regex(/^[A-Za-z0-9]{1,64}$/)
        .optional()
        .meta({ description: 'Zone.' }),
    })
    .optional()
    .meta({ description: 'DNS records of nodes; none when absent.' }),
})

import { z } from 'zod'
import { keyTree, layerSchema } from '../config/keys.ts'
import { relayBackends } from '../config/relay-backend.ts'
import {
  certifiedHostName,
  cidrs,
  hostPort,
  httpUrl,
  LABEL_FORM,
  port,
  publicKeyPin,
  ZONE_FORM,
} from '../config/values.ts'
import { relayDns, relayLimits, relayRegistry, relayTls } from '../relay-config.ts'
import { addressPattern } from '../words/address.ts'
import { absolutePath, flag, hostName, interfaces, LABEL, secret } from './values.ts'

/** The key `relay` of the spec: being reachable through relays. */
export const relay = z.strictObject({
  enable: flag(false, 'Make the gateway reachable through relays.'),
  addresses: z.array(hostPort).default([]).meta({ description: 'Relays as host:port.' }),
  domain: certifiedHostName.optional().meta({
    description: 'Domain below which relays give names; when absent, what follows "relay." in their addresses.',
  }),
  custom_domain: z.string().regex(LABEL, LABEL_FORM).optional().meta({ description: 'Name asked of the relay.' }),
  names: z.array(certifiedHostName).max(16).default([]).meta({
    description:
      'Host names of your own that point to the relay; a TXT record at _gate-relay.NAME with the node id proves each.',
  }),
  invite: secret('Invitation of the relay, where it wants one for a name.').optional(),
  pins: z.array(publicKeyPin).max(16).default([]).meta({
    description:
      'Public keys that a relay may have, as base64 of SHA-256; empty: its certificate has to be for its name.',
  }),
  ca: absolutePath(
    'PEM file with the CA that relays are trusted by, by its absolute path; those of the system when absent.',
  ).optional(),
  ct_log: httpUrl.optional().meta({
    description:
      'Search of certificate logs, asked twice a day about each relayed name, such as "https://crt.sh/?output=json&q={name}"; a certificate that this daemon did not get is an alert.',
  }),
  backends: relayBackends,
})

/** A table of a relay's configuration, where the relay's own defaults hold for what is left out. */
const asWritten = (schema: z.ZodType) => layerSchema(keyTree(schema)) as z.ZodObject
type Written = Readonly<Record<string, unknown>>
type SecretReference = z.output<ReturnType<typeof secret>>

const registry = asWritten(relayRegistry.omit({ password: true })).extend({
  password: secret('Password of that user.').optional(),
}) as unknown as z.ZodType<Written & { readonly password?: SecretReference }>
const rfc2136 = asWritten(relayDns.shape.rfc2136.unwrap().omit({ secret: true })).extend({
  secret: secret('The TSIG key, base64.').optional(),
}) as unknown as z.ZodType<Written & { readonly secret?: SecretReference }>
const limits = asWritten(relayLimits) as z.ZodType<Written>
const tls = asWritten(relayTls) as z.ZodType<Written>

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
  trusted_proxies: cidrs.default([]).meta({
    description: 'Addresses whose connections begin with a PROXY header, and must.',
  }),
  public_address: hostPort
    .optional()
    .meta({ description: 'host:port of this relay alone, for nodes and other relays; its host name when absent.' }),
  invite: z
    .strictObject({ required: flag(false, 'Whether a name is given for an invite only.') })
    .optional()
    .meta({ description: 'Who may claim names.' }),
  registry: registry.optional().meta({ description: 'Where names are kept; a file of its own when absent.' }),
  limits: limits.optional().meta({ description: 'What one side may use of the relay.' }),
  tls: tls.optional().meta({
    description: 'Certificate of relay.<domain_suffix>; one of its own, which nodes pin, when absent.',
  }),
  open_firewall: flag(false, 'Open https_port and p2p_port on every interface.'),
  open_firewall_on_interfaces: interfaces('Open both ports on these interfaces only.').default([]),
  dns: z
    .strictObject({
      enabled: flag(true, 'Whether records are written.'),
      provider: z.enum(['cloudflare', 'rfc2136']).meta({ description: 'Who is told the TXT records of nodes.' }),
      api_token: secret('Token that may edit the zone.').optional(),
      zone_id: z
        .string()
        .regex(/^[A-Za-z0-9]{1,64}$/, ZONE_FORM)
        .optional()
        .meta({ description: 'Zone at Cloudflare.' }),
      rfc2136: rfc2136.optional().meta({ description: 'A name server that takes signed updates.' }),
    })
    .optional()
    .meta({ description: 'DNS records of nodes; none when absent.' }),
})

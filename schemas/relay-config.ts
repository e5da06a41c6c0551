import { z } from 'zod'
import {
  absoluteFile,
  bytes,
  certifiedName,
  cidrs,
  dnsName,
  duration,
  hostPort,
  httpUrl,
  limitingDuration,
  port,
  secret,
  ZONE_FORM,
} from './config/values.ts'
import { addressPattern } from './words/address.ts'

const count = (fallback: number, description: string) => z.int().min(1).default(fallback).meta({ description })
const countOrNone = (description: string) =>
  z
    .int()
    .min(0)
    .default(0)
    .meta({ description: `${description} 0: no limit.` })
const secretText = (description: string) => secret.meta({ description, secret: true })

/** What one visitor, one address, one node, and all together may use of a relay. */
export const relayLimits = z.strictObject({
  visitors: count(20_000, 'Visitors at once.'),
  unparsed: count(1_024, 'Connections that have not said yet what they want; the oldest gives way.'),
  open_per_address: count(
    100,
    'Connections of one IPv4 address or IPv6 /64 at once; of its network (/24, /48) eight times as many.',
  ),
  burst_per_address: count(60, 'Connections that one address may begin at once; its network eight times as many.'),
  new_per_address_per_second: count(
    20,
    'Connections that one address may begin in a second after that; its network eight times as many.',
  ),
  tunnels: count(4_096, 'Tunnels of nodes at once.'),
  tunnels_per_node: count(4, 'Tunnels of one node at once.'),
  tunnels_per_address: count(
    32,
    'Tunnels from one IPv4 address or IPv6 /64 at once; from its network (/24, /48) eight times as many.',
  ),
  registrations_per_minute: count(6, 'Tunnels that one node may begin in a minute.'),
  streams_per_node: count(1_000, 'Visitors of one node at once.'),
  bytes_per_second_per_node: countOrNone('Bytes of one node in a second, both directions together.'),
  daily_bytes_per_node: countOrNone(
    'Bytes of one node in a day, both directions together; days are counted from the start of the relay.',
  ),
  challenges_per_hour: count(
    30,
    'Validations (acme-tls/1) of one name that one IPv4 address or IPv6 /64 may ask for in an hour.',
  ),
  names_per_node: count(3, 'Names that one node may claim.'),
  buffered: bytes('Bytes of all visitors that wait for a slow side; more ends the slowest.').default('256MiB'),
  window: bytes(
    'Bytes that a home may send ahead for each visitor; more is faster where relay and home are far apart (4MiB: 88 MB/s at 40 ms), and held for each visitor that does not read. For new tunnels; 64KiB to 16MiB.',
  ).default('1MiB'),
  idle_timeout: limitingDuration('A visitor without a byte in either direction for so long is ended.').default('5m'),
  drain_timeout: duration('How long a stop waits for visitors.').default('30s'),
})

/** Where names, and the tunnels of several relays, are kept. */
export const relayRegistry = z.strictObject({
  kind: z
    .enum(['file', 'etcd'])
    .default('file')
    .meta({ description: 'file: this relay is alone. etcd: several relays serve one domain.', restart: true }),
  path: absoluteFile
    .optional()
    .meta({ description: 'File of kind "file"; registry.json in the state directory when absent.', restart: true }),
  endpoints: z
    .array(httpUrl)
    .max(16)
    .default([])
    .meta({ description: 'etcd, such as ["https://10.0.0.1:2379"]; asked in turn.', restart: true }),
  ca_file: absoluteFile
    .optional()
    .meta({ description: "PEM file with the CA of etcd; the system's when absent.", restart: true }),
  cert_file: absoluteFile
    .optional()
    .meta({ description: 'PEM file with a client certificate for etcd.', restart: true }),
  key_file: absoluteFile.optional().meta({ description: 'PEM file with its key.', restart: true }),
  user: z.string().min(1).max(128).optional().meta({ description: 'User of etcd.', restart: true }),
  password: secretText('Password of that user.').optional(),
})

export const relayDns = z.strictObject({
  provider: z
    .enum(['cloudflare', 'rfc2136'])
    .optional()
    .meta({ description: "Who is told the TXT records of nodes' certificates; absent: none are written." }),
  cloudflare: z
    .strictObject({
      api: httpUrl.default('https://api.cloudflare.com/client/v4').meta({ description: 'Base address of the API.' }),
      api_token: secretText('Token that may edit the zone.').optional(),
      zone_id: z
        .string()
        .regex(/^[A-Za-z0-9]{1,64}$/, ZONE_FORM)
        .optional()
        .meta({ description: 'Zone; looked for by its name when absent.' }),
    })
    .prefault({})
    .meta({ description: 'Records at Cloudflare.' }),
  rfc2136: z
    .strictObject({
      server: hostPort.optional().meta({ description: 'Name server that takes signed updates.' }),
      zone: dnsName.optional().meta({ description: 'Zone; domain_suffix when absent.' }),
      key_name: dnsName.optional().meta({ description: 'Name of the TSIG key.' }),
      algorithm: z
        .enum(['hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512', 'hmac-sha1'])
        .default('hmac-sha256')
        .meta({ description: 'Algorithm of the TSIG key.' }),
      secret: secretText('The TSIG key, base64.').optional(),
    })
    .prefault({})
    .meta({ description: 'Records at a name server, by dynamic updates.' }),
})

export const relayTls = z.strictObject({
  cert_file: absoluteFile.optional().meta({
    description: 'PEM file with the certificate of relay.<domain_suffix> and its chain; read again on reload.',
  }),
  key_file: absoluteFile.optional().meta({ description: 'PEM file with its key.' }),
  acme: z
    .strictObject({
      enabled: z.boolean().default(false).meta({
        description: 'Get the certificate of relay.<domain_suffix> by ACME, which accepts the terms of that CA.',
        restart: true,
      }),
      directory: httpUrl
        .default('https://acme-v02.api.letsencrypt.org/directory')
        .meta({ description: 'Directory of the CA.', restart: true }),
      email: z.email().optional().meta({ description: 'Where the CA writes to.', restart: true }),
      ca_file: absoluteFile
        .optional()
        .meta({ description: 'PEM file with the CA of the directory, where it is a private one.', restart: true }),
    })
    .prefault({})
    .meta({ description: 'A certificate by ACME.' }),
})

/** The whole configuration of one relay: `RELAY__…`, its runtime file, its declared file, these defaults. */
export const relayConfigSchema = z.strictObject({
  https_port: port.default(443).meta({ description: 'Port for visitors.', restart: true }),
  p2p_port: port.default(31_145).meta({ description: 'Port for nodes.', restart: true }),
  metrics_port: port.optional().meta({ description: 'Loopback port for metrics; none when absent.', restart: true }),
  bind_address: z
    .string()
    .regex(addressPattern, 'write an IP address')
    .default('::')
    .meta({ description: 'Address to listen on.', restart: true }),
  public_address: hostPort
    .optional()
    .meta({ description: 'host:port of this relay alone, for nodes and other relays.', restart: true }),
  log_level: z.enum(['error', 'warn', 'info', 'debug']).default('info').meta({ description: 'Least important level.' }),
  domain_suffix: certifiedName
    .optional()
    .meta({ description: 'Nodes become <name>.<domain_suffix>, the relay is relay.<domain_suffix>.', restart: true }),
  allow_from: cidrs.default([]).meta({ description: 'Addresses that may connect; empty: all.' }),
  trusted_proxies: cidrs
    .default([])
    .meta({ description: 'Addresses whose connections begin with a PROXY header, and must.' }),
  invite: z
    .strictObject({
      required: z.boolean().default(false).meta({ description: 'Whether a name is given for an invite only.' }),
    })
    .prefault({})
    .meta({ description: 'Who may claim names.' }),
  registry: relayRegistry.prefault({}).meta({ description: 'Where names are kept.' }),
  limits: relayLimits.prefault({}).meta({ description: 'What one side may use of the relay.' }),
  dns: relayDns.prefault({}).meta({ description: 'DNS records of nodes.' }),
  tls: relayTls.prefault({}).meta({ description: 'Certificate of the relay itself.' }),
})

export type RelayConfig = z.infer<typeof relayConfigSchema>

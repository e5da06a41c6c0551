import { z } from 'zod'
import { authMode, groupRoles, identityHeader, tailnets, userName } from '../config/auth.ts'
import { managed } from '../config/managed.ts'
import { claimName, issuerUrl, oidcScopes, otherRole } from '../config/oidc.ts'
import { cidrs, host, modelName, origin, webOrigin } from '../config/values.ts'
import { ipPattern } from '../words/address.ts'
import { PROFILE_NAMES } from '../words/profiles.ts'
import { boundedBytes, boundedDuration, count } from './bounded.ts'
import { secrets, telemetry } from './telemetry.ts'
import { tls } from './tls.ts'
import { flag, hostName, IMAGE, interfaces, LABEL, named, randomPort, secret } from './values.ts'

const server = z.strictObject({
  host: host.default('127.0.0.1').meta({ description: 'Address to listen on.' }),
  port: randomPort.default(3000).meta({
    description: 'TCP port; "random" picks one in 49152-65535 once and keeps it in gate.lock.json.',
  }),
  p2p_port: randomPort.default(41_147).meta({ description: 'Port for peers; "random" as above.' }),
  allow_from: cidrs.default([]).meta({ description: 'Client addresses that may connect; empty: all.' }),
  admin_allow_from: cidrs
    .default([])
    .meta({ description: 'Narrower list for the routes of operators; empty: allow_from.' }),
  trusted_proxies: cidrs
    .default([])
    .meta({ description: 'Reverse proxies whose X-Forwarded-For is believed, beside the proxy of this spec.' }),
  proxy_protocol: flag(
    false,
    'Connections from trusted_proxies begin with a PROXY header, version 1 or 2; for a gateway without [proxy].',
  ),
  external_url: webOrigin.optional().meta({
    description:
      'Where clients reach the gateway, such as "https://ai.example.org": what redirects, cookies and links are made of; by domain and TLS when absent.',
  }),
  allowed_origins: z.array(origin).default([]).meta({
    description:
      'Origins of web pages, such as "https://app.example.org", whose scripts may ask; empty: none (CORS is off).',
  }),
  allowed_hosts: z.array(z.string().min(1)).default([]).meta({
    description: 'Host names that requests may ask for; empty: any (with auth.mode none: loopback names).',
  }),
  max_body: boundedBytes('Largest request body; by profile when absent.', '1KiB', '1TiB').optional(),
  max_buffered: boundedBytes(
    'Request bodies and buffered answers in memory at once; by profile when absent.',
    '1KiB',
  ).optional(),
  max_connections: count(500_000).optional().meta({ description: 'Open connections; by profile when absent.' }),
  max_connections_per_address: count(500_000).optional().meta({
    description:
      'Open connections of one address (IPv6: of a /64), and how many it may begin in two seconds; this host and trusted_proxies are not counted; 256 when absent.',
  }),
  max_concurrent: count(500_000).optional().meta({ description: 'Requests in flight; by profile when absent.' }),
  headers_timeout: boundedDuration('Longest wait for the headers of a request; 5s when absent.', '1ms').optional(),
  body_timeout: boundedDuration('Longest wait for the whole request; 60s when absent.', '1ms').optional(),
  stall_timeout: boundedDuration(
    'Longest time a client may stop reading its response; 60s when absent.',
    '1ms',
  ).optional(),
  drain_timeout: boundedDuration('Longest wait for requests in flight when stopping; 30s when absent.').optional(),
  open_firewall: flag(false, 'Open port, p2p_port and the ports of proxy, dns and client on every interface.'),
  open_firewall_on_interfaces: interfaces('Open the same ports on these interfaces only.').default([]),
})

const auth = z.strictObject({
  mode: authMode.default('token').meta({
    description:
      'How people sign in; several may be listed, and keys count with each. none: on a loopback address only.',
  }),
  token: secret('System token with every scope; made at first start when absent.').optional(),
  username: userName.default('admin').meta({ description: 'Name of the user whose password is password_hash.' }),
  password_hash: secret('Password of an administrator, as `gatectl auth hash-password` prints it.').optional(),
  jwt: z
    .strictObject({
      secret: secret('Signs short access tokens, best 32 random characters; made and kept when absent.').optional(),
      issuer: z.string().min(1).default('gate').meta({ description: 'Issuer of access tokens.' }),
      expiration_hours: z
        .number()
        .positive()
        .max(8_760)
        .default(24)
        .meta({ description: 'Life of a login session.', unit: 'hours' }),
    })
    .prefault({})
    .meta({ description: 'Login sessions and access tokens.' }),
  proxy: z
    .strictObject({
      from: cidrs.default([]).meta({
        description:
          'Reverse proxies that sign users in and name them in headers; empty: none. One of this host must be written as its loopback address.',
      }),
      user_header: identityHeader.default('x-forwarded-user').meta({ description: 'Header that names the user.' }),
      email_header: identityHeader
        .default('x-forwarded-email')
        .meta({ description: "Header with the user's address for e-mail." }),
      groups_header: identityHeader
        .default('x-forwarded-groups')
        .meta({ description: "Header with the user's groups, between commas." }),
      roles: groupRoles.default([]).meta({
        description: 'Role for the members of a group, the first that fits; users in none of them are members.',
      }),
    })
    .prefault({})
    .meta({ description: 'Users that a reverse proxy has signed in.' }),
  tailscale: z
    .strictObject({
      tailnets: tailnets.default([]).meta({
        description: 'Tailnets whose users are signed in by their address, such as "tail1234.ts.net"; empty: none.',
      }),
    })
    .prefault({})
    .meta({ description: 'Users of a tailnet.' }),
  oidc: named(
    z.strictObject({
      issuer: issuerUrl.meta({ description: 'Issuer URL of the identity provider.' }),
      client_id: z.string().min(1).meta({ description: 'Client id registered there.' }),
      client_secret: secret('Client secret; a public client when absent.').optional(),
      scopes: oidcScopes.default('openid email profile').meta({ description: 'What the provider is asked for.' }),
      claim: claimName
        .default('groups')
        .meta({ description: 'Claim with the groups of a person; dots lead into others: "realm_access.roles".' }),
      roles: groupRoles.default([]).meta({
        description: 'Role for the members of a group, the first that fits; without any, roles are managed in Gate.',
      }),
      otherwise: otherRole
        .default('member')
        .meta({ description: 'Role of people in none of the groups; none: they are not let in.' }),
    }),
    'Identity providers (OpenID Connect) that people sign in with, by name.',
  ),
})

const network = z
  .strictObject({
    allow: z
      .array(
        z
          .string()
          .regex(
            new RegExp(`^(?:any|internet)$|${ipPattern.source}`),
            'write "any", "internet", an address or a CIDR range such as "192.168.1.0/24"',
          ),
      )
      .default([])
      .meta({
        description:
          'Where the daemon may connect to, beside the upstreams of the spec: addresses and CIDR ranges, "internet" (every public address), "any".',
      }),
    resolvers: cidrs.default([]).meta({
      description: 'Addresses of the name servers of this host; empty: port 53 of any address may be asked.',
    }),
  })
  .prefault({})

const keptFor = (description: string) => boundedDuration(description, '1m', '36500d').optional()

/** The key `gate` of the spec: the gateway itself. */
export const gate = z.strictObject({
  profile: z.enum(PROFILE_NAMES).default('desktop').meta({ description: 'Size of the machine; sizes every limit.' }),
  domain: hostName('Domain of the gateway and its apps.').optional(),
  instance: z
    .string()
    .regex(LABEL, 'use lower-case letters, digits and "-"')
    .max(5)
    .optional()
    .meta({ description: 'Name of a second gateway on the same host; "gate" becomes "gate-<instance>" everywhere.' }),
  image: z.string().regex(IMAGE, 'write registry/name@sha256:digest').optional().meta({
    description: 'Image whose command is gate-daemon, by digest; for the targets compose, fly and render.',
  }),
  keep_generations: z.int().min(1).max(1000).default(10).meta({
    description: 'Generations that gatectl apply keeps on the host, with their images, to go back to.',
  }),
  memory: boundedBytes('Memory the daemon may use; by profile when absent.', '128MiB').optional(),
  cache: boundedBytes('Memory for the database cache; by profile when absent.', '0B', '1TiB').optional(),
  server: server.prefault({}).meta({ description: 'Listener and its limits.' }),
  tls: tls.prefault({}).meta({ description: 'Certificates.' }),
  auth: auth.prefault({}).meta({ description: 'Authentication.' }),
  discovery: z
    .strictObject({
      enabled: z.boolean().optional().meta({
        description: 'Look for engines on loopback and use what answers; false when absent.',
      }),
      interval: boundedDuration('Time between two searches; 30s when absent.', '1s').optional(),
    })
    .prefault({})
    .meta({ description: 'Engines on this host that are not backends of the spec.' }),
  network: network.meta({ description: 'What the daemon may connect to; nothing else is let through.' }),
  managed: managed.prefault({}).meta({ description: 'Settings that client programs take over.' }),
  usage: z
    .strictObject({
      retention: keptFor('How long the usage log has a row for each request; 90d when absent.'),
      totals_retention: keptFor('How long usage by hour and day is kept; 1825d when absent.'),
      keep_text: z
        .strictObject({
          keys: z.array(z.string().min(1)).default([]).meta({
            description: 'Ids or names of keys whose prompts and answers are kept.',
          }),
          models: z.array(modelName).default([]).meta({
            description: 'Models, as clients ask for them, whose prompts and answers are kept.',
          }),
        })
        .prefault({})
        .meta({ description: 'Prompts and answers that are kept, sealed; none unless named.' }),
      text_retention: keptFor('How long prompts and answers are kept; 7d when absent.'),
    })
    .prefault({})
    .meta({ description: 'The usage log.' }),
  log: z
    .strictObject({
      level: z
        .enum(['error', 'warn', 'info', 'debug'])
        .default('info')
        .meta({ description: 'Lowest level that is written.' }),
      format: z.enum(['json', 'text']).optional().meta({ description: 'Form of a line; json under systemd.' }),
    })
    .prefault({})
    .meta({ description: 'Log of the daemon.' }),
  telemetry: telemetry.prefault({}).meta({ description: 'What is sent to an OpenTelemetry collector.' }),
  secrets: secrets.prefault({}).meta({ description: 'What seals secrets and texts at rest.' }),
})

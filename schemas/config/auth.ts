import { z } from 'zod'
import { AUTH_MODES } from '../words/auth-modes.ts'
import { ROLES } from '../words/roles.ts'
import { claimName, issuerUrl, oidcScopes, otherRole } from './oidc.ts'
import { cidrs, headerSecret, named, secret } from './values.ts'

/** How people and programs prove who they are: the table `auth` of the configuration. */

/** One way, or several. */
export const authMode = z
  .union([z.enum(AUTH_MODES), z.array(z.enum(AUTH_MODES)).min(1)], {
    error: `write one or a list of ${AUTH_MODES.map((word) => `"${word}"`).join(', ')}`,
  })
  .refine((written) => written === 'none' || ![written].flat().includes('none') || [written].flat().length === 1, {
    error: '"none" lets every client in, so no other mode can be beside it',
  })

/** Lower-case name of an HTTP header; that of a credential would never reach what reads it. */
export const identityHeader = z
  .string()
  .regex(
    /^(?!(?:authorization|cookie|host|x-api-key|api-key|x-goog-api-key)$)[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/,
    'write the name of a header in lower case, such as "x-forwarded-user"',
  )

/** Name of a user: one word that is printed as it is, and that HTTP Basic can carry. */
export const userName = z
  .string()
  .regex(/^[^\s:\p{Cc}\p{Cs}\ufffe\uffff]{1,100}$/u, 'write one word of at most 100 characters, without ":"')

/** A hash by argon2id in the PHC string format, as `gatectl auth hash-password` prints it. */
const passwordHash = z
  .string()
  .regex(
    /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,2}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/,
    'write what `gatectl auth hash-password` prints: $argon2id$v=19$m=19456,t=2,p=1$…$…',
  )
  .refine((text) => {
    const [memoryKib = 0, passes = 0, lanes = 0] = [...text.matchAll(/[mtp]=(\d+)/g)].map(([, digits]) =>
      Number(digits),
    )
    return memoryKib >= 4_096 && memoryKib <= 262_144 && passes >= 1 && passes <= 16 && lanes >= 1 && lanes <= 16
  }, 'use m=4096 to 262144, t=1 to 16 and p=1 to 16')

export const groupRoles = z.array(z.strictObject({ group: z.string().min(1).max(200), role: z.enum(ROLES) })).max(1_000)

const TAILNET = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/
export const tailnets = z.array(z.string().regex(TAILNET, 'write the name in DNS, such as "tail1234.ts.net"'))

/** What the environment says in an emergency has no place in a file that stays. */
const EMERGENCY = { none: 'an emergency is over some time: set it in the environment, and remove it again' }

const ownJwt = z
  .strictObject({
    secret: secret.min(16, 'use at least 16 characters').optional().meta({
      description: 'Signs short access tokens, best 32 random characters; made and kept when absent.',
      secret: true,
    }),
    issuer: z.string().min(1).default('gate').meta({ description: 'Issuer of access tokens.' }),
    expiration_hours: z.number().positive().max(8_760).default(24).meta({ description: 'Life of a login session.' }),
  })
  .prefault({})

const proxy = z
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

const tailscale = z
  .strictObject({
    tailnets: tailnets.default([]).meta({
      description: 'Tailnets whose users are signed in by their address, such as "tail1234.ts.net"; empty: none.',
    }),
  })
  .prefault({})

const oidcProvider = z.strictObject({
  issuer: issuerUrl.meta({ description: 'Issuer URL of the identity provider.' }),
  client_id: z.string().min(1).meta({ description: 'Client id registered there.' }),
  client_secret: secret.optional().meta({ description: 'Client secret; a public client when absent.', secret: true }),
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
})

export const auth = z.strictObject({
  // With server.host, which it is checked against, it takes effect at a restart: never half of the pair.
  mode: authMode.default('token').meta({
    description:
      'How people sign in, one or a list: token, password, device, oidc; keys count with each. none: no key, on a loopback address only.',
    restart: true,
  }),
  token: headerSecret
    .min(16, 'use at least 16 characters')
    .optional()
    .meta({ description: 'System token with every scope, beside the keys that gatectl makes.', secret: true }),
  username: userName.default('admin').meta({ description: 'Name of the user whose password is password_hash.' }),
  password_hash: passwordHash.optional().meta({
    description: 'Password of an administrator, as `gatectl auth hash-password` prints it.',
    secret: true,
    thoughtUp: true,
  }),
  jwt: ownJwt,
  oidc: named(oidcProvider)
    .default({})
    .meta({ description: 'Identity providers (OpenID Connect) that people sign in with, by name.' }),
  proxy,
  tailscale,
  break_glass: z.boolean().default(false).meta({
    description: 'Let bootstrap.user in by HTTP Basic, for when no other way to sign in is left.',
    restart: true,
    spec: EMERGENCY,
  }),
  bootstrap: z
    .strictObject({
      user: userName.default('admin').meta({ description: 'User of break_glass.', restart: true, spec: EMERGENCY }),
      password: secret.min(8, 'use at least 8 characters').optional().meta({
        description: 'Password of break_glass.',
        secret: true,
        thoughtUp: true,
        restart: true,
        spec: EMERGENCY,
      }),
    })
    .prefault({}),
})

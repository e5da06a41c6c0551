import { z } from 'zod'

const absolute = z.string().regex(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^\0]+$/)
const names = z.array(z.string().min(1).max(253)).max(100)
const account = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/)

/**
 * What a deployment asks of the internal CA of its host: the compiler writes it, `gatectl ca renew` reads it. It holds
 * no key, and nothing of it is secret.
 */
export const authoritySchema = z.strictObject({
  version: z.literal(1),
  /** What tells the root from others in a trust store. */
  label: z.string().min(1).max(64),
  /** What the CA may sign for: each domain with all names below it, and each address alone. */
  permitted: z.strictObject({ domains: names, addresses: names }),
  /** Where the root and its key are; root's alone. */
  directory: absolute,
  /** Where everyone finds `ca.crt`, `ca.crl`, and the proxy its `proxy.crt` and `proxy.key`. */
  published: absolute,
  /** The reverse proxy of this host; absent: there is none. */
  proxy: z.strictObject({ names, group: account, unit: z.string().regex(/^[A-Za-z0-9:_.@-]+\.service$/) }).optional(),
  /** Where the daemon finds a CA of its own, `issuer.pem` and `issuer.key`; absent: it needs none. */
  issuer: z.strictObject({ directory: absolute, group: account }).optional(),
})

export type AuthorityRequest = z.output<typeof authoritySchema>

/** `issued.json`, beside the root: every certificate that may still be valid. Numbers in hexadecimal digits. */
export const issuedSchema = z.strictObject({
  version: z.literal(1),
  issued: z
    .array(
      z.strictObject({
        serial: z.string().regex(/^[0-9a-f]{1,40}$/),
        names,
        toMs: z.number(),
        /** proxy and issuer: of the deployment; hand: by `gatectl ca issue`. */
        by: z.enum(['proxy', 'issuer', 'hand']),
        /** Where `gatectl ca issue` wrote it, without `.crt` and `.key`. */
        place: absolute.optional(),
        revokedMs: z.number().optional(),
      }),
    )
    .max(10_000),
})

export type Issued = z.output<typeof issuedSchema>['issued'][number]

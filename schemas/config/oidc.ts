import { z } from 'zod'
import { ROLES } from '../words/roles.ts'

/** HTTPS, or HTTP on this host, for tests and for providers beside Gate. */
export const issuerUrl = z
  .string()
  .max(2_000)
  .regex(
    /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?)(?:\/[^\s?#]*)?$/,
    'write the issuer as its provider does, such as "https://accounts.example.org": HTTPS, no query',
  )

/** What a provider is asked for: RFC 6749 section 3.3. */
export const oidcScopes = z
  .string()
  .max(2_000)
  .regex(
    /^(?:[\x21\x23-\x5b\x5d-\x7e]+ )*openid(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/,
    'write words with one space between, "openid" among them',
  )

/** Name of a claim, or the way to one inside of others, such as `realm_access.roles`. */
export const claimName = z.string().regex(/^[^\p{Cc}]{1,200}$/u, 'write the name of a claim, such as "groups"')

/** The role of people in none of the groups; `none`: they are not let in. */
export const otherRole = z.enum([...ROLES, 'none'])

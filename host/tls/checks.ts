import { chain, expiry, names, revocation } from './checks/certificate.ts'
import { address, caa } from './checks/dns.ts'
import { alpn, handshake, versions } from './checks/handshake.ts'
import { renewal } from './checks/renewal.ts'
import { clock, hsts, redirect } from './checks/web.ts'
import type { SiteCheck } from './site.ts'

/** What `gatectl tls check` looks at, as far out as a client stands. */
export const SITE_CHECKS: readonly SiteCheck[] = [
  address,
  handshake,
  chain,
  names,
  expiry,
  revocation,
  renewal,
  versions,
  alpn,
  hsts,
  redirect,
  caa,
  clock,
]

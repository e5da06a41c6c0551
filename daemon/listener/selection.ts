import { isIP } from 'node:net'
import type { Identity } from './identities.ts'

/**
 * The certificate for the name that a client asks for: one with exactly that name before a wildcard, and among equals
 * the first. A client that names none (or an address, which RFC 6066 section 3 does not allow as a name) gets the first
 * of all, and so does one that asks for an unknown name: it can tell by itself that this is not what it wanted.
 * @param name lower case, without a trailing dot; null: none
 */
export function selectIdentity<I extends Pick<Identity, 'names'>>(
  identities: readonly I[],
  name: string | null,
): I | undefined {
  if (name === null) return identities[0]
  const exact = identities.find(({ names }) => names.includes(name))
  return exact ?? identities.find((identity) => covers(identity, name)) ?? identities[0]
}

/**
 * Whether a certificate is for a host. A wildcard stands for one whole label, the first: RFC 9525 section 6.3.
 * @param host lower case, without a trailing dot
 */
export function covers({ names }: Pick<Identity, 'names'>, host: string): boolean {
  const dot = host.indexOf('.')
  const wildcard = dot > 0 && isIP(host) === 0 ? `*${host.slice(dot)}` : null
  return names.some((name) => name === host || name === wildcard)
}

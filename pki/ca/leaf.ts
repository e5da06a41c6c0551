import { isIP } from 'node:net'
import { certificatesIn } from '../certificate.ts'
import {
  CLOCK_SLACK_MS,
  COMMON_NAME_MAX,
  LEAF_LIFE_MS,
  readAuthority,
  requirePermission,
  requireValid,
} from './authority.ts'
import { CaError } from './ca-error.ts'
import { type CertificateAndKey, type Random, signNew } from './signing.ts'

/** A certificate of a server, with what clients need to be sent beside it, and its key; PEM, the server's own first. */
export type Leaf = CertificateAndKey & { readonly fromMs: number; readonly toMs: number }

/** As many names as a certificate has at most: what is larger, clients refuse or read slowly. */
const NAMES_MAX = 100
const HOST = /^(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * Makes a key and a certificate of a server for host names and addresses.
 * @param issuer a CA of ours: a root, or one below it, whose certificate is then part of the chain
 * @param names in lower case; `*.` for one label, IPv6 without brackets
 * @param lifeMs LEAF_LIFE_MS when absent; never longer than the CA's
 * @throws CaError not-permitted, expired, unreadable, bad-name
 */
export async function issueLeaf(
  issuer: CertificateAndKey,
  names: readonly string[],
  nowMs: number,
  random: Random,
  lifeMs: number = LEAF_LIFE_MS,
): Promise<Leaf> {
  requireNames(names)
  const facts = readAuthority(issuer.cert)
  requireValid(facts, nowMs)
  requirePermission(facts, names)
  const fromMs = Math.max(nowMs - CLOCK_SLACK_MS, facts.fromMs)
  const toMs = Math.min(nowMs + lifeMs, facts.toMs)
  if (toMs <= fromMs) throw new CaError('expired', `${facts.subject} is not valid yet; look at the clock`)
  const addresses = names.filter((name) => isIP(name) > 0)
  const dns = names.filter((name) => isIP(name) === 0)
  // OpenSSL takes an address there for a host name, which the constraints do not permit
  const subject = dns.find((name) => name.length <= COMMON_NAME_MAX) ?? 'gate'
  const extensions = [{ kind: 'server' }, { kind: 'names', dns, addresses }] as const
  const { cert, key } = await signNew({ subject, fromMs, toMs, extensions }, random, issuer)
  const chain = certificatesIn(issuer.cert).filter(({ isSelfSigned }) => !isSelfSigned)
  return { cert: [cert, ...chain.map(({ pem }) => pem)].join(''), key, fromMs, toMs }
}

function requireNames(names: readonly string[]): void {
  if (names.length === 0) throw new CaError('bad-name', 'a certificate needs a name')
  if (names.length > NAMES_MAX) throw new CaError('bad-name', `a certificate has at most ${NAMES_MAX} names`)
  const bad = names.find((name) => isIP(name) === 0 && (name.length > 253 || !HOST.test(name)))
  if (bad !== undefined) throw new CaError('bad-name', `${JSON.stringify(bad)} is not a host name or an address`)
}

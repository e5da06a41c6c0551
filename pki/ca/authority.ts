import { X509Certificate } from 'node:crypto'
import { CaError } from './ca-error.ts'
import { constraintsDer, isPermitted, NAME_CONSTRAINTS, type Permitted, readConstraints } from './constraints.ts'
import { type CertificateAndKey, type DraftExtension, extensionOf, type Random, signNew } from './signing.ts'

const DAY_MS = 86_400_000
/** Clocks of clients may be behind. */
export const CLOCK_SLACK_MS = 3_600_000
/** Of a root: it is in the trust stores of clients. */
export const ROOT_LIFE_MS = 3_650 * DAY_MS
/** Of a CA that the daemon holds: the timer of root makes it anew long before. */
export const ISSUER_LIFE_MS = 90 * DAY_MS
/** Short enough that a stolen key is soon worth nothing; the host may be off for a week. */
export const LEAF_LIFE_MS = 14 * DAY_MS

/** What a CA is, beside its key. */
export type AuthorityFacts = {
  readonly subject: string
  readonly fromMs: number
  readonly toMs: number
  readonly permitted: Permitted
}

/**
 * Makes a root that may sign for what is permitted and nothing else, with one CA below it at most.
 * @param label what tells it from other CAs in a list of a trust store, such as the domain
 * @throws CaError bad-name
 */
export async function makeRoot(
  label: string,
  permitted: Permitted,
  nowMs: number,
  random: Random,
): Promise<CertificateAndKey> {
  requirePermitted(permitted)
  // two roots of the same name would be taken for each other
  const mark = Buffer.from(random(4)).toString('hex')
  const subject = `Gate CA ${label.slice(0, COMMON_NAME_MAX - 17)} ${mark}`
  return await signNew(authority(subject, 1, permitted, nowMs, nowMs + ROOT_LIFE_MS), random)
}

/** @see RFC 5280 A.1 ub-common-name */
export const COMMON_NAME_MAX = 64

/**
 * Makes a CA below a root, with the same permission, which can make no further CA: what the daemon signs with.
 * @returns its certificate, which clients need to be sent, and its key
 * @throws CaError unreadable, expired
 */
export async function makeIssuer(root: CertificateAndKey, nowMs: number, random: Random): Promise<CertificateAndKey> {
  const facts = readAuthority(root.cert)
  requireValid(facts, nowMs)
  const mark = Buffer.from(random(4)).toString('hex')
  const subject = `${facts.subject.slice(0, COMMON_NAME_MAX - 16)} issuer ${mark}`
  const toMs = Math.min(nowMs + ISSUER_LIFE_MS, facts.toMs)
  return await signNew(authority(subject, 0, facts.permitted, nowMs, toMs), random, root)
}

function authority(subject: string, pathLength: number, permitted: Permitted, nowMs: number, toMs: number) {
  const value = constraintsDer(permitted)
  const extensions: DraftExtension[] = [
    { kind: 'authority', pathLength },
    { kind: 'other', id: NAME_CONSTRAINTS, isCritical: true, value },
  ]
  return { subject, fromMs: nowMs - CLOCK_SLACK_MS, toMs, extensions }
}

function requirePermitted({ domains, addresses }: Permitted): void {
  if (domains.length + addresses.length === 0)
    throw new CaError('bad-name', 'a CA needs a domain or an address that it may sign for')
}

/** Reads the first certificate of a PEM text as a CA of ours. @throws CaError unreadable */
export function readAuthority(pem: string): AuthorityFacts {
  const constraints = extensionOf(pem, NAME_CONSTRAINTS)
  const certificate = new X509Certificate(pem)
  if (!certificate.ca || constraints === undefined)
    throw new CaError('unreadable', 'not the certificate of a CA of Gate: it says not for which names it may sign')
  return {
    subject: /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '',
    fromMs: Date.parse(certificate.validFrom),
    toMs: Date.parse(certificate.validTo),
    permitted: readConstraints(constraints),
  }
}

/** @throws CaError expired */
export function requireValid({ subject, toMs }: AuthorityFacts, nowMs: number): void {
  if (nowMs >= toMs) throw new CaError('expired', `${subject} has expired; run gatectl apply, or look at the clock`)
}

/** @throws CaError not-permitted, with every name that lies outside */
export function requirePermission({ subject, permitted }: AuthorityFacts, names: readonly string[]): void {
  const outside = names.filter((name) => !isPermitted(name, permitted))
  if (outside.length === 0) return
  const allowed = [...permitted.domains.map((domain) => `${domain} and below`), ...permitted.addresses].join(', ')
  throw new CaError('not-permitted', `${subject} may not sign for ${outside.join(', ')}, only for ${allowed}`)
}

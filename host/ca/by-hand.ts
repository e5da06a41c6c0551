import { createHash } from 'node:crypto'
import { readAuthority as readFacts } from '../../pki/ca/authority.ts'
import { CaError } from '../../pki/ca/ca-error.ts'
import { issueLeaf } from '../../pki/ca/leaf.ts'
import { type Lock, packPkcs12 } from '../../pki/ca/pkcs12.ts'
import { certificatesIn } from '../../pki/certificate.ts'
import type { Issued } from '../../schemas/deploy/authority.ts'
import { canonicalHost } from '../../schemas/words/address.ts'
import { makeParents } from '../generations/generations.ts'
import type { Host, HostView } from '../host.ts'
import { HostError } from '../problem.ts'
import { type Authority, noteIssued, type Source, trustedCertificates } from './authority.ts'
import { entryOf, refusal, writeServed } from './keep.ts'

/** Where a certificate that was issued by hand is. */
export type IssuedByHand = {
  readonly cert: string
  readonly key: string
  readonly toMs: number
  readonly serial: string
}

/**
 * Issues a certificate of a server and writes `<place>.crt`, with its chain, and `<place>.key`; in the directory of those,
 * the CA renews it.
 * @throws HostError CA_REFUSES, NOT_WRITABLE, DISK_FULL
 */
export async function issueByHand(
  host: Host,
  authority: Authority,
  { names, place, lifeMs }: { readonly names: readonly string[]; readonly place: string; readonly lifeMs?: number },
  { nowMs, random }: Source,
): Promise<IssuedByHand> {
  try {
    const leaf = await issueLeaf(authority.root, names, nowMs, random, lifeMs)
    const entry = entryOf(leaf.cert, 'hand')
    const at = { cert: `${place}.crt`, key: `${place}.key` }
    makeParents(host, at.key)
    noteIssued(host, authority, [{ ...entry, place }], nowMs)
    writeServed(host, at, leaf, undefined)
    return { ...at, toMs: leaf.toMs, serial: entry.serial }
  } catch (error) {
    throw error instanceof CaError ? refusal(error) : error
  }
}

/**
 * Revokes certificates: they come into the list, and are not renewed. That of the proxy and the CA of the daemon are
 * made anew, with other keys, when the deployment is next looked at.
 * @param named the number of one, or a name that is in all that are meant
 * @returns those that were revoked now
 * @throws HostError NO_CERTIFICATE
 */
export function revokeIssued(host: Host, authority: Authority, named: string, nowMs: number): readonly Issued[] {
  const serialWanted = named.toLowerCase().replaceAll(':', '')
  const nameWanted = canonicalHost(named)
  const found = authority.issued.filter(
    ({ serial, names, toMs }) => toMs > nowMs && (serial === serialWanted || isFor(names, nameWanted)),
  )
  if (found.length === 0) throw noSuch(named)
  const now = found.filter(({ revokedMs }) => revokedMs === undefined).map((one) => ({ ...one, revokedMs: nowMs }))
  if (now.length > 0) noteIssued(host, authority, now, nowMs)
  return now
}

/** Whether one of them is the wanted name, which is canonical; ledgers have addresses in any spelling. */
const isFor = (names: readonly string[], wanted: string) => names.some((name) => canonicalHost(name) === wanted)

function noSuch(named: string): HostError {
  const message = `the CA has issued no certificate ${JSON.stringify(named)} that is still valid`
  return new HostError({ code: 'NO_CERTIFICATE', message, hint: 'gatectl ca list shows them' })
}

export type ExportFormat = 'pem' | 'der' | 'p12'

/**
 * What clients are to trust, or a certificate that was issued by hand, in one file.
 * @param named absent: the roots
 * @param protection of p12; the password is needed there
 * @throws HostError NO_CERTIFICATE, CA_REFUSES
 */
export function exported(
  host: HostView,
  authority: Authority,
  { named, format }: { readonly named: string | undefined; readonly format: ExportFormat },
  protection: { readonly password: string; readonly lock: Lock } | undefined,
  nowMs: number,
): Uint8Array {
  const trusted = trustedCertificates(authority, nowMs)
  const own = named === undefined ? undefined : readIssued(host, authority, named, nowMs)
  const cert = own === undefined ? trusted : `${own.cert}${authority.root.cert}`
  if (format === 'pem') return Buffer.from(own === undefined ? trusted : own.cert)
  if (format === 'der') return derOf(own?.cert ?? authority.root.cert)
  const [first] = certificatesIn(cert)
  if (protection === undefined || first === undefined) throw new Error('PKCS#12 needs a password and a certificate')
  const bundle = { cert, label: first.subject, ...(own === undefined ? {} : { key: own.key }) }
  try {
    return packPkcs12(bundle, protection.password, protection.lock)
  } catch (error) {
    if (error instanceof CaError) throw refusal(error)
    if (error instanceof RangeError) throw new HostError({ code: 'CA_REFUSES', message: error.message })
    throw error
  }
}

/** Of the first certificate of a PEM text. */
const derOf = (pem: string) =>
  Buffer.from(certificatesIn(pem)[0]?.pem.replace(/-----[A-Z ]+-----/g, '') ?? '', 'base64')

function readIssued(host: HostView, { issued }: Authority, named: string, nowMs: number) {
  const wanted = canonicalHost(named)
  const places = issued.flatMap(({ serial, names, place, toMs, revokedMs }) =>
    place !== undefined && toMs > nowMs && revokedMs === undefined && (serial === wanted || isFor(names, wanted))
      ? [{ place, serial }]
      : [],
  )
  for (const { place, serial } of places.toReversed()) {
    const [cert, key] = [host.read(`${place}.crt`), host.read(`${place}.key`)]
    if (cert !== undefined && key !== undefined && certificatesIn(cert)[0]?.serial === serial) return { cert, key }
  }
  throw noSuch(named)
}

/** What a root is. */
export type RootFacts = {
  readonly role: 'root' | 'next'
  readonly subject: string
  readonly toMs: number
  /** Domains and addresses. */
  readonly permitted: readonly string[]
  /** Of its DER, as browsers show it. */
  readonly sha256: string
}

/** The root, and the one after it where there is one. */
export function describeRoots({ root, next }: Authority): RootFacts[] {
  return [{ role: 'root', pair: root } as const, { role: 'next', pair: next } as const].flatMap(({ role, pair }) => {
    if (pair === undefined) return []
    const { subject, toMs, permitted } = readFacts(pair.cert)
    const sha256 = createHash('sha256')
      .update(derOf(pair.cert))
      .digest('hex')
      .toUpperCase()
      .replace(/..(?=.)/g, '$&:')
    return [{ role, subject, toMs, permitted: [...permitted.domains, ...permitted.addresses], sha256 }]
  })
}

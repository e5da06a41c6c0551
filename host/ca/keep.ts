import { CLOCK_SLACK_MS, makeIssuer, readAuthority as readFacts } from '../../pki/ca/authority.ts'
import { CaError } from '../../pki/ca/ca-error.ts'
import { issueLeaf } from '../../pki/ca/leaf.ts'
import { revocationList } from '../../pki/ca/revocation.ts'
import type { CertificateAndKey } from '../../pki/ca/signing.ts'
import { certificatesIn } from '../../pki/certificate.ts'
import type { AuthorityRequest, Issued } from '../../schemas/deploy/authority.ts'
import { readAccounts } from '../accounts.ts'
import { makeParents } from '../generations/generations.ts'
import type { Host, HostView } from '../host.ts'
import { HostError } from '../problem.ts'
import {
  type Authority,
  createAuthority,
  noteIssued,
  readAuthority,
  requireAuthority,
  type Source,
  trustedCertificates,
} from './authority.ts'
import { requireCovered, rollRoot, whyRenew } from './renewal.ts'

/** What was made anew. */
export type Kept = {
  /** One line for each, for people. */
  readonly done: readonly string[]
  /** Unit that reads a certificate which changed; undefined when none did. */
  readonly reload: string | undefined
}

/**
 * In the directory of the CA, from before a certificate of the proxy is replaced until the proxy was told: what fails in
 * between, or a kill, leaves it to the next run.
 */
const OWED = 'reload-owed'

/** The list of revoked certificates counts for a month, and is signed anew when it is a day old. */
const LIST_AGE_MS = 86_400_000

/**
 * Makes everything that a deployment needs of its CA and that is missing, wrong or soon over: the root, the certificate
 * of the proxy, the CA of the daemon, certificates issued by hand, what is published. What is good stays.
 * @throws HostError CA_REFUSES, BAD_RECORD, NOT_WRITABLE, DISK_FULL; what was there before still serves then
 */
export async function keepAuthority(host: Host, request: AuthorityRequest, source: Source): Promise<Kept> {
  const done: string[] = []
  const say = (what: string) => void done.push(what)
  const { nowMs } = source
  let authority = readAuthority(host, request.directory)
  if (authority === undefined) {
    authority = await createAuthority(host, request.directory, request, source)
    say('made a root')
  }
  requireCovered(authority, request)
  try {
    authority = await rollRoot(host, authority, request.label, source, say)
    const proxy = await keepProxy(host, authority, request, source, say)
    const issuer = await keepIssuer(host, proxy, request, source, say)
    authority = await keepByHand(host, issuer, request, source, say)
    await publish(host, authority, request, nowMs)
    const isOwed = host.read(`${request.directory}/${OWED}`) !== undefined
    return { done, reload: isOwed ? request.proxy?.unit : undefined }
  } catch (error) {
    throw error instanceof CaError ? refusal(error) : error
  }
}

/**
 * What is to be kept of a CA that was made by hand: its root, what it has issued, and what is published.
 * @throws HostError NO_CA, BAD_RECORD, CA_REFUSES
 */
export function requestByHand(
  host: HostView,
  { directory, published }: Pick<AuthorityRequest, 'directory' | 'published'>,
): AuthorityRequest {
  const { root } = requireAuthority(host, directory)
  try {
    const { subject, permitted } = readFacts(root.cert)
    const label = /^Gate CA (.+) [0-9a-f]{8}$/.exec(subject)?.[1] ?? 'gate'
    const { domains, addresses } = permitted
    return { version: 1, label, permitted: { domains: [...domains], addresses: [...addresses] }, directory, published }
  } catch (error) {
    throw error instanceof CaError ? refusal(error) : error
  }
}

/** Notes that the proxy was told to read its certificate. */
export function noteReloaded(host: Host, directory: string): void {
  host.remove(`${directory}/${OWED}`)
}

/** What the CA says, as a problem of the host. */
export function refusal(error: CaError): HostError {
  return new HostError({ code: 'CA_REFUSES', message: error.message })
}

type Say = (what: string) => void

async function keepProxy(host: Host, authority: Authority, request: AuthorityRequest, source: Source, say: Say) {
  const { proxy, published } = request
  if (proxy === undefined) return authority
  const at = `${published}/proxy`
  const found = { cert: host.read(`${at}.crt`), key: host.read(`${at}.key`), names: proxy.names }
  const why = whyRenew(found, authority, source.nowMs)
  if (why === undefined) return authority
  const leaf = await issueLeaf(authority.root, proxy.names, source.nowMs, source.random)
  const noted = noteIssued(host, authority, [entryOf(leaf.cert, 'proxy')], source.nowMs)
  makeParents(host, `${published}/x`)
  host.write(`${request.directory}/${OWED}`, '', 0o600)
  writeServed(host, { cert: `${at}.crt`, key: `${at}.key` }, leaf, groupId(host, proxy.group))
  say(`issued the certificate of the proxy for ${proxy.names.join(', ')}: ${why}`)
  return noted
}

async function keepIssuer(host: Host, authority: Authority, request: AuthorityRequest, source: Source, say: Say) {
  const { issuer } = request
  if (issuer === undefined) return authority
  const at = { cert: `${issuer.directory}/issuer.pem`, key: `${issuer.directory}/issuer.key` }
  const found = { cert: host.read(at.cert), key: host.read(at.key) }
  const why = whyRenew(found, authority, source.nowMs)
  if (why === undefined) return authority
  const made = await makeIssuer(authority.root, source.nowMs, source.random)
  const noted = noteIssued(host, authority, [entryOf(made.cert, 'issuer')], source.nowMs)
  writeServed(host, at, made, groupId(host, issuer.group))
  say(`made a CA for the daemon: ${why}`)
  return noted
}

/**
 * Certificates that `gatectl ca issue` wrote to its own directory are renewed there, unless they were revoked or
 * removed. Elsewhere, root would write where another account may lead it.
 */
async function keepByHand(
  host: Host,
  authority: Authority,
  { published }: AuthorityRequest,
  source: Source,
  say: Say,
): Promise<Authority> {
  let current = authority
  for (const { place, names, serial, revokedMs } of authority.issued) {
    if (place === undefined || revokedMs !== undefined || !place.startsWith(`${issuedDirectory(published)}/`)) continue
    const cert = host.read(`${place}.crt`)
    const [first] = certificatesIn(cert ?? '')
    // one that another took the place of is followed there
    if (first?.serial !== serial) continue
    const why = whyRenew({ cert, key: host.read(`${place}.key`), names }, current, source.nowMs)
    if (why === undefined) continue
    try {
      const lifeMs = first.toMs - first.fromMs - CLOCK_SLACK_MS
      const leaf = await issueLeaf(current.root, names, source.nowMs, source.random, lifeMs)
      current = noteIssued(host, current, [{ ...entryOf(leaf.cert, 'hand'), place }], source.nowMs)
      writeServed(host, { cert: `${place}.crt`, key: `${place}.key` }, leaf, undefined)
      say(`issued ${place}.crt for ${names.join(', ')}: ${why}`)
    } catch (error) {
      // one that cannot be renewed keeps no other from it
      if (!(error instanceof CaError) && !(error instanceof HostError)) throw error
      say(`${place}.crt was not renewed: ${error.message}`)
    }
  }
  return current
}

/** Where certificates are that `gatectl ca issue` makes, and that are renewed. */
export const issuedDirectory = (published: string) => `${published}/issued`

/** What the ledger says of a certificate. */
export function entryOf(cert: string, by: Issued['by']): Issued {
  const [first] = certificatesIn(cert)
  if (first === undefined) throw new Error('what was just signed is not a certificate')
  const { serial, names, toMs } = first
  return { serial, names: [...names], toMs, by }
}

/**
 * Writes a pair, the key first. A reader that comes in between finds that they do not match, and keeps what it has.
 * @param gid group that may read the key; absent: its owner alone
 */
export function writeServed(
  host: Host,
  at: { readonly cert: string; readonly key: string },
  { cert, key }: CertificateAndKey,
  gid: number | undefined,
): void {
  host.write(at.key, key, gid === undefined ? 0o600 : 0o640, gid === undefined ? {} : { gid })
  host.write(at.cert, cert, 0o644)
}

function groupId(host: Host, name: string): number {
  const gid = readAccounts(host).groups.get(name)?.gid
  if (gid !== undefined) return gid
  const hint = 'install the program that it belongs to, then apply again'
  throw new HostError({ code: 'CA_REFUSES', message: `there is no group ${name}, which is to read a key`, hint })
}

/** `ca.crt`, which clients are to trust, and `ca.crl`; both change only when they have to. */
export async function publish(
  host: Host,
  authority: Authority,
  { published }: Pick<AuthorityRequest, 'published'>,
  nowMs: number,
): Promise<void> {
  const [trusted, list] = [`${published}/ca.crt`, `${published}/ca.crl`]
  const text = trustedCertificates(authority, nowMs)
  makeParents(host, trusted)
  const isChanged = host.read(trusted) !== text
  if (isChanged) host.write(trusted, text, 0o644)
  const revoked = authority.issued.flatMap(({ serial, revokedMs }) =>
    revokedMs === undefined ? [] : [{ serial, atMs: revokedMs }],
  )
  const writtenMs = host.status(list)?.modifiedMs ?? 0
  const isStale = nowMs - writtenMs > LIST_AGE_MS || writtenMs > nowMs
  if (isChanged || isStale || revoked.some(({ atMs }) => atMs >= writtenMs))
    host.write(list, await revocationList(authority.root, revoked, nowMs), 0o644, { modifiedMs: nowMs })
}

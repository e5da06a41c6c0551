import { makeRoot } from '../../pki/ca/authority.ts'
import type { Permitted } from '../../pki/ca/constraints.ts'
import type { CertificateAndKey, Random } from '../../pki/ca/signing.ts'
import { certificatesIn, matchesKey } from '../../pki/certificate.ts'
import { type Issued, issuedSchema } from '../../schemas/deploy/authority.ts'
import { makeParents } from '../generations/generations.ts'
import type { Host, HostView } from '../host.ts'
import { HostError } from '../problem.ts'

/** Where time and randomness come from. */
export type Source = { readonly nowMs: number; readonly random: Random }

/** The internal CA of a host, or of a developer, as its directory has it. */
export type Authority = {
  readonly directory: string
  readonly root: CertificateAndKey
  /** The root that follows; clients are to know it before anything is signed with it. */
  readonly next: CertificateAndKey | undefined
  /** Certificates of roots before, which clients may still trust; PEM, maybe empty. */
  readonly before: string
  readonly issued: readonly Issued[]
}

const BEFORE_MAX = 8
const KEY_MODE = 0o600
const PUBLIC_MODE = 0o644

/** @throws HostError BAD_RECORD for a CA of which a part is lost, NOT_READABLE */
export function readAuthority(host: HostView, directory: string): Authority | undefined {
  const root = readPair(host, directory, 'root')
  if (root === undefined) return undefined
  return {
    directory,
    root,
    next: readPair(host, directory, 'next'),
    before: host.read(`${directory}/before.crt`) ?? '',
    issued: readIssued(host, `${directory}/issued.json`),
  }
}

function readPair(host: HostView, directory: string, name: string): CertificateAndKey | undefined {
  const [cert, key] = [host.read(`${directory}/${name}.crt`), host.read(`${directory}/${name}.key`)]
  // the key is written first: without a certificate it has signed nothing
  if (cert === undefined) return undefined
  const isRead = certificatesIn(cert).length === 1
  if (key !== undefined && isRead && matchesKey(cert, key)) return { cert, key }
  const wrong = isRead ? `key is damaged, or not the key of ${name}.crt` : 'crt is not a certificate'
  const message = `${directory}/${name}.${key === undefined ? 'key is missing' : wrong}`
  const hint =
    'restore it from a backup, or make another CA: gatectl ca init --replace; clients then need its certificate'
  throw new HostError({ code: 'BAD_RECORD', message, hint })
}

function readIssued(host: HostView, file: string): readonly Issued[] {
  const text = host.read(file)
  if (text === undefined) return []
  try {
    const read = issuedSchema.safeParse(JSON.parse(text))
    if (read.success) return read.data.issued
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  const hint = 'restore it from a backup; if it is removed, nothing is known of revoked certificates'
  throw new HostError({ code: 'BAD_RECORD', message: `${file} is not what gatectl wrote`, hint })
}

/** @throws HostError NO_CA */
export function requireAuthority(host: HostView, directory: string): Authority {
  const found = readAuthority(host, directory)
  if (found !== undefined) return found
  const hint =
    'gatectl apply makes one where the spec has gate.tls.internal_ca = true; gatectl ca init makes one by hand'
  throw new HostError({ code: 'NO_CA', message: `there is no CA in ${directory}`, hint })
}

/**
 * Makes the root of a host, in place of what is there.
 * @param keepsTrust clients go on trusting the roots before until they expire; otherwise a stolen key would be good
 */
export async function createAuthority(
  host: Host,
  directory: string,
  { label, permitted }: { readonly label: string; readonly permitted: Permitted },
  { nowMs, random }: Source,
  keepsTrust = false,
): Promise<Authority> {
  const root = await makeRoot(label, permitted, nowMs, random)
  const [old = '', before = ''] = ['root', 'before'].map((name) => host.read(`${directory}/${name}.crt`))
  makePrivate(host, directory)
  if (keepsTrust) writeBefore(host, directory, `${old}${before}`)
  for (const name of ['next.crt', 'next.key', ...(keepsTrust ? [] : ['before.crt'])])
    host.remove(`${directory}/${name}`)
  writePair(host, directory, 'root', root)
  return requireAuthority(host, directory)
}

/** A directory that only its owner opens. */
export function makePrivate(host: Host, directory: string): void {
  makeParents(host, directory)
  host.makeDirectory(directory, 0o700)
}

/** The key first: a certificate without its key would stop every later apply. */
export function writePair(host: Host, directory: string, name: string, { cert, key }: CertificateAndKey): void {
  host.write(`${directory}/${name}.key`, key, KEY_MODE)
  host.write(`${directory}/${name}.crt`, cert, PUBLIC_MODE)
}

/** Roots that were, the last one first. */
export function writeBefore(host: Host, directory: string, certificates: string): void {
  const kept = certificatesIn(certificates).slice(0, BEFORE_MAX)
  host.write(`${directory}/before.crt`, kept.map(({ pem }) => pem).join(''), PUBLIC_MODE)
}

/** Notes what was issued. Expired certificates are forgotten: nobody trusts them any more. */
export function noteIssued(
  host: Host,
  { directory, issued }: Authority,
  more: readonly Issued[],
  nowMs: number,
): Authority {
  const replaced = new Set(more.map(({ serial }) => serial))
  const kept = issued.filter(({ serial, toMs }) => toMs > nowMs && !replaced.has(serial))
  const text = `${JSON.stringify({ version: 1, issued: [...kept, ...more] }, null, 2)}\n`
  host.write(`${directory}/issued.json`, text, KEY_MODE)
  return requireAuthority(host, directory)
}

/** Everything that clients are to trust: the root, the one after it, and those before that have not expired. */
export function trustedCertificates({ root, next, before }: Authority, nowMs: number): string {
  const text = `${root.cert}${next?.cert ?? ''}${before}`
  const unique = new Map(certificatesIn(text).map((certificate) => [certificate.pem, certificate]))
  return [...unique.values()].flatMap(({ pem, toMs }) => (toMs > nowMs ? [pem] : [])).join('')
}

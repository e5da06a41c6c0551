import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { command, edit, type Finding, type Fix, fail, listed, ok, warn } from '../../doctor/finding.ts'
import { type Agreed, afterHandshake } from '../site.ts'

export const chain = afterHandshake(
  'chain',
  'whether the chain of the certificate ends at a CA that this host believes',
  async (agreed, { name, trust }) => [judgeChain(agreed, name, trust)],
)

function judgeChain({ chain: links, distrust: seen }: Agreed, name: string, trust: readonly string[]): Finding {
  const path = [...links.map(ownName), shortName(links.at(-1)?.issuer ?? '') || NAMELESS]
  const shown = path.filter((step, i) => step !== path[i - 1]).join(' ← ')
  // that it has run out, or is not yet valid, has a line of its own, and hides what else is wrong
  const distrust = seen !== undefined && /EXPIRED|NOT_YET_VALID/.test(seen) ? distrustOf(links, trust) : seen
  if (distrust === undefined) return ok(shown)
  const { why, fix } = DISTRUST[distrust] ?? { why: 'OpenSSL does not believe it', fix: RENEW }
  return fail(`${shown} is not believed (${distrust})`, why, fix(name))
}

/** What OpenSSL would say of a chain if all of it were valid now. @param trust PEM */
function distrustOf(links: readonly X509Certificate[], trust: readonly string[]): string | undefined {
  const broken = links.some((link, i) => {
    const next = links[i + 1]
    return next !== undefined && !isSignedBy(link, next)
  })
  if (broken) return 'CERT_SIGNATURE_FAILURE'
  const last = links.at(-1)
  if (last === undefined || trust.some((pem) => isSignedBy(last, new X509Certificate(pem)))) return undefined
  if (!isSignedBy(last, last)) return 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'
  return links.length === 1 ? 'DEPTH_ZERO_SELF_SIGNED_CERT' : 'SELF_SIGNED_CERT_IN_CHAIN'
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  if (certificate.raw.equals(issuer.raw) && certificate !== issuer) return true // believed itself
  try {
    return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey)
  } catch {
    return false // a kind of key that OpenSSL does not know
  }
}

const REPLACE = (): Fix =>
  edit('the gateway', 'get a certificate from a CA (letsencrypt, tls.internal_ca), or put one where tls.files says')
const RENEW = (name: string): Fix => command(sh`gatectl tls renew ${name}`)
const INSTALL = (): Fix =>
  edit('this host', 'install the CA of the gateway with its client installer, or name it with --ca FILE')
const INTERMEDIATE = (): Fix => edit('the server', 'serve the whole chain: its own certificate, then the intermediate')

/** @see OpenSSL's X509_verify_cert_error_string(3) */
const DISTRUST: Readonly<Record<string, { readonly why: string; readonly fix: (name: string) => Fix }>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    why: 'the server sends its own certificate alone, and not the one that signed it, or its CA is not known here',
    fix: INTERMEDIATE,
  },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { why: 'its CA is not known to this host', fix: INSTALL },
  UNABLE_TO_GET_ISSUER_CERT: { why: 'its CA is not known to this host', fix: INSTALL },
  SELF_SIGNED_CERT_IN_CHAIN: { why: 'its CA is not known to this host', fix: INSTALL },
  DEPTH_ZERO_SELF_SIGNED_CERT: { why: 'it signed itself, so no client can believe it', fix: REPLACE },
  PERMITTED_VIOLATION: { why: 'its CA may not issue for this name (name constraints)', fix: RENEW },
  EXCLUDED_VIOLATION: { why: 'its CA may not issue for this name (name constraints)', fix: RENEW },
  INVALID_PURPOSE: { why: 'it is not for servers', fix: RENEW },
}

const NAMELESS = '(no name)'

/** What a certificate calls itself: many leaves have no subject. */
function ownName(certificate: X509Certificate): string {
  return shortName(certificate.subject ?? '') || (namesOf(certificate)[0] ?? NAMELESS)
}

/** The common name of a subject as Node writes it, else all of it. */
function shortName(subject: string): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.split('\n').join(', ')
}

export const names = afterHandshake(
  'names',
  'whether the certificate is for the name',
  async ({ chain: [leaf] }, { name }) => {
    if (leaf === undefined) return []
    const held = namesOf(leaf)
    if (isFor(leaf, name)) return [ok(`it is for ${listed(held)}`)]
    return [
      fail(
        `the certificate is not for ${name}`,
        `it is for ${listed(held) || 'no name'}`,
        edit('the gateway', `list ${name} in letsencrypt.domains or tls.names, or get a certificate with it`),
      ),
    ]
  },
)

function isFor(certificate: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? certificate.checkHost(name, { subject: 'never' }) : certificate.checkIP(name)
  return found !== undefined
}

/** As Node writes them: `DNS:a.example, IP Address:192.0.2.1`. */
function namesOf({ subjectAltName = '' }: X509Certificate): string[] {
  return [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, name = '']) => name)
}

/** What is renewed at a third of its life, or a little later, never gets here. */
const LATE = 1 / 4

export const expiry = afterHandshake(
  'expiry',
  'how long the certificates are valid',
  async ({ chain: links }, { name, now }) => {
    const nowMs = now()
    return links.map((link, i) => judgeLife(link, i === 0, name, nowMs))
  },
)

function judgeLife(link: X509Certificate, isLeaf: boolean, name: string, nowMs: number): Finding {
  const [fromMs, toMs] = [Date.parse(link.validFrom), Date.parse(link.validTo)]
  const [what, left] = [ownName(link), toMs - nowMs]
  const fix = isLeaf ? RENEW(name) : edit('the server', 'serve a chain whose CAs are valid')
  const until = new Date(toMs).toISOString()
  if (nowMs < fromMs) {
    const why = `only from ${new Date(fromMs).toISOString()} on; or the clock of this host is wrong`
    return fail(`${what} is not valid yet`, why, command(sh`timedatectl`))
  }
  if (left <= 0) return fail(`${what} expired ${spanText(left)} ago`, `on ${until}: clients refuse it`, fix)
  if (isLeaf && left < (toMs - fromMs) * LATE)
    return warn(`${what} expires in ${spanText(left)}`, `on ${until}: it was not renewed in time`, fix)
  return ok(`${what}: ${spanText(left)} left, until ${until}`)
}

/** id-pe-tlsfeature, as DER. @see RFC 7633 */
const TLS_FEATURE = Buffer.from('06082b06010505070118', 'hex')

export const revocation = afterHandshake(
  'revocation',
  'how clients learn that the certificate was revoked (OCSP)',
  async ({ chain: [leaf], hasStaple }) => {
    if (leaf === undefined) return []
    const responder = /^OCSP - URI:(.+)$/m.exec(leaf.infoAccess ?? '')?.[1]
    if (!hasStaple && leaf.raw.includes(TLS_FEATURE)) {
      const why = 'it promises an OCSP answer with each handshake (must-staple), and none came: clients refuse it'
      return [fail('no OCSP answer is stapled', why, edit('the CA', 'order a certificate without must-staple'))]
    }
    if (hasStaple) return [ok('an OCSP answer is stapled')]
    return [
      ok(responder === undefined ? 'no OCSP: its CA publishes lists, or its life is short' : `OCSP at ${responder}`),
    ]
  },
)

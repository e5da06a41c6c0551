import type { CertificateStatus } from '../../../schemas/admin-tls.ts'
import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, type Fix, fail, ok, skip, warn } from '../finding.ts'
import { tlsOf } from '../tls-view.ts'

export type OwnCertificateFacts = {
  readonly nowMs: number
  /** undefined: the daemon says nothing, which has a line of its own. */
  readonly certificates: readonly CertificateStatus[] | undefined
  /** Account that the daemon runs as. */
  readonly user: string
  /** Host that clients are sent to, and no certificate is for. */
  readonly uncoveredHost: string | undefined
  /** Whether the daemon has an account at a CA. */
  readonly hasAccount: boolean
}

/** What the daemon serves itself; files and certificates of proxies are those of the check `certificates`. */
export const tls: Check<OwnCertificateFacts> = {
  name: 'tls',
  summary: "whether the daemon's own certificates are served and renewed in time, and its account at the CA is there",
  async observe({ daemon, names }) {
    const view = await tlsOf(daemon)
    return {
      nowMs: Date.now(),
      user: names.user,
      certificates: view?.status.certificates,
      uncoveredHost: view?.status.uncovered_host,
      hasAccount: view?.status.account !== undefined,
    }
  },
  judge({ nowMs, certificates, user, uncoveredHost, hasAccount }) {
    if (certificates === undefined) return [skip('certificates of the daemon', 'it does not say: see the line daemon')]
    if (certificates.length === 0) return [ok('the daemon serves no TLS itself')]
    const isAnyOfCa = certificates.some(({ source, served }) => source === 'acme' && served !== undefined)
    return [
      ...certificates.map((certificate) => judgeOne(certificate, user, nowMs)),
      ...(uncoveredHost === undefined ? [] : [uncovered(uncoveredHost)]),
      ...(isAnyOfCa && !hasAccount ? [noAccount()] : []),
    ]
  },
}

function judgeOne(certificate: CertificateStatus, user: string, nowMs: number): Finding {
  const { name, source, served, renewing, renews_at, renews_because, last_error, alarm } = certificate
  const fix = fixOf(certificate, user)
  const failed = last_error === undefined ? [] : [`${last_error.at}: ${last_error.message}`]
  if (alarm !== undefined) {
    const judge = alarm.kind === 'expiring' ? warn : fail
    return judge(`${name} (${source}): ${alarm.message}`, [`since ${alarm.since}`, ...failed].join('\n'), fix)
  }
  const next = renews_at === undefined ? '' : whenText(Date.parse(renews_at) - nowMs)
  if (last_error !== undefined) {
    const what = served === undefined ? `there is no certificate for ${name} yet` : `${name} could not be renewed`
    return warn(what, `${failed.join()}${next === '' ? '' : `\nthe next attempt is ${next}`}`, fix)
  }
  if (served === undefined) {
    const why = renewing
      ? 'it is being got at this moment'
      : `none was got yet${next === '' ? '' : `; that is ${next}`}`
    return warn(`there is no certificate for ${name} yet`, why, fix)
  }
  const left = spanText(Date.parse(served.not_after) - nowMs)
  const because = renews_because === 'ari' ? ', as the CA asks' : ''
  const renewed = next === '' ? 'replaced when its files change' : `renewed ${next}${because}`
  return ok(`${name} (${source}): ${left} left, ${renewed}`)
}

function fixOf({ name, source, alarm, last_error }: CertificateStatus, user: string): Fix {
  const [, closed] = /EACCES.* '(\/[^']+)'/.exec(`${alarm?.message}\n${last_error?.message}`) ?? []
  if (closed !== undefined) return command(sh`chgrp ${user} ${closed} && chmod 640 ${closed}`)
  if (source === 'files') return edit('the files that tls.files names', 'put a certificate and its key there')
  const [, remedy] = REMEDIES.find(([pattern]) => pattern.test(last_error?.message ?? '')) ?? []
  return remedy ?? command(sh`gatectl tls renew ${name}`)
}

/** What another attempt would not mend, by what the last one failed of; what comes first is the narrower. */
const REMEDIES: readonly (readonly [RegExp, Fix])[] = [
  [/tls\.acme\.ca\b/, edit('tls.acme.ca', 'name the file of the CA, PEM, that the ACME directory is trusted by')],
  [/tls\.acme\.eab_/, edit('tls.acme.eab_hmac', 'set the key that the CA gave with eab_kid')],
  [/tls\.internal_ca has no name/, edit('tls.names', 'name the hosts that the certificate is for')],
  [/run gatectl apply/, command(sh`gatectl apply`)],
  [/clock/, command(sh`gatectl doctor --only clock`)],
  [/left alone|rateLimited|too many/i, edit('the CA', 'wait: its limits are over at the next attempt')],
  [/DNS update|dns|no (?:A|AAAA|TXT) record|NXDOMAIN|ENOTFOUND|\bCAA\b/i, command(sh`gatectl doctor --only dns`)],
  [/could not be asked/, edit('the network of this host', 'let the daemon reach the host that the message names')],
]

function uncovered(host: string): Finding {
  const why = 'server.external_url sends clients there, and what they check fails'
  return fail(
    `no certificate is for ${host}`,
    why,
    edit('server.external_url', 'name a host that is certified, or certify it'),
  )
}

/** "in 30 days"; what is due is done at the next look. */
const whenText = (ms: number): string => (ms <= 0 ? 'due now' : `in ${spanText(ms)}`)

function noAccount(): Finding {
  const why = 'the next renewal registers a new one; CAA records that name the old one then forbid it'
  return warn(
    'the daemon has no account at the CA',
    why,
    edit('tls/acme in its state directory', 'restore it from a backup'),
  )
}

import type { CertificateStatus, TlsStatus } from '../../../schemas/admin-tls.ts'
import { spanText } from '../../../schemas/words/span.ts'
import type { Run } from '../../invocation.ts'
import { table } from '../../output/table.ts'
import type { Output } from '../../surroundings.ts'

export const run: Run = async ({ admin, json, print, printJson, stdout }) => {
  const status = await admin.ask('GET /api/admin/tls')
  if (json) printJson(status)
  else print(statusText(status, stdout, Date.now()))
  const isWell = status.uncovered_host === undefined && status.certificates.every(({ alarm }) => alarm === undefined)
  return isWell ? 0 : 3
}

function statusText({ certificates, account, uncovered_host }: TlsStatus, stdout: Output, nowMs: number): string {
  if (certificates.length === 0) return 'this daemon serves no TLS; see tls and letsencrypt in its configuration'
  const rows = certificates.map((certificate) => row(certificate, nowMs))
  const troubles = [
    ...certificates.flatMap(troublesOf),
    ...(uncovered_host === undefined ? [] : uncovered(uncovered_host)),
  ]
  return [
    table(['NAME', 'SOURCE', 'STATE', 'EXPIRES', 'RENEWED', 'ISSUER'], rows, stdout),
    ...(account === undefined ? [] : ['', `account ${account.url} (${account.email ?? 'without an address'})`]),
    ...(troubles.length === 0 ? [] : ['', ...troubles]),
  ].join('\n')
}

function row(certificate: CertificateStatus, nowMs: number): readonly string[] {
  const { name, names, source, served, renews_at } = certificate
  const more = names.length > 1 ? ` (+${names.length - 1})` : ''
  const expires = served === undefined ? '-' : `${served.not_after.slice(0, 10)} (${fromNow(served.not_after, nowMs)})`
  const renewed = renews_at === undefined ? 'when its files change' : fromNow(renews_at, nowMs)
  return [`${name}${more}`, source, stateOf(certificate), expires, renewed, served?.issuer ?? '-']
}

function stateOf({ served, renewing, alarm, last_error }: CertificateStatus): string {
  if (alarm !== undefined) return alarm.kind
  if (renewing) return served === undefined ? 'being got' : 'being renewed'
  if (last_error !== undefined) return 'retrying'
  return served === undefined ? 'none yet' : 'ok'
}

/** What is wrong with it, why, and what to do. */
function troublesOf({ name, source, alarm, last_error }: CertificateStatus): readonly string[] {
  if (alarm === undefined && last_error === undefined) return []
  const isSaid = last_error === undefined || alarm?.message.includes(last_error.message) === true
  const why = isSaid ? [] : [`  ${last_error.at}: ${last_error.message}`]
  const next =
    source === 'files'
      ? '  put a certificate and its key where tls.files says'
      : `  gatectl doctor says more; gatectl tls renew ${name} tries again now`
  return [`${name}: ${alarm?.message ?? 'the last attempt failed, and will be repeated'}`, ...why, next]
}

const uncovered = (host: string): readonly string[] => [
  `${host}: no certificate is for it, and server.external_url sends clients there`,
  '  certify it, or set server.external_url to a name in the table',
]

/** "in 30 days", "2 hours ago". */
export function fromNow(time: string, nowMs: number): string {
  const left = Date.parse(time) - nowMs
  return left < 0 ? `${spanText(left)} ago` : `in ${spanText(left)}`
}

import { clockAhead } from '../../../pki/acme/clock.ts'
import { type Send, send } from '../../../pki/acme/request.ts'
import { isLocalName } from '../../../schemas/words/address.ts'
import { LETS_ENCRYPT } from '../../../schemas/words/certificate-sources.ts'
import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { valueAt } from '../../../syntax/tree.ts'
import { inPool } from '../../../system/pool.ts'
import { caaOf, judgeCaa, type RelevantCaa, relevantCaa } from '../../tls/caa.ts'
import type { Check, Subject } from '../check.ts'
import { command, edit, type Finding, fail, ok, skip, warn } from '../finding.ts'
import { textOf } from '../look.ts'
import { textIn, tlsOf } from '../tls-view.ts'

export type CaFacts =
  | { readonly kind: 'unused' }
  | {
      readonly kind: 'used'
      readonly directory: string
      readonly asked: Asked
      readonly account: string | undefined
      readonly challenge: string | undefined
      /** Of each name that is certified. */
      readonly caa: readonly { readonly name: string; readonly found: FoundCaa }[]
    }
type Asked =
  | {
      readonly kind: 'answers'
      /** Of its clock before the one of this host; undefined: it does not say. */
      readonly aheadMs: number | undefined
      /** What it calls itself in CAA records; empty: it does not say. */
      readonly identities: readonly string[]
    }
  | { readonly kind: 'silent'; readonly why: string }
type FoundCaa =
  | { readonly kind: 'found'; readonly relevant: RelevantCaa }
  | { readonly kind: 'unknown'; readonly why: string }

/** What certificates and the windows of an order bear. */
const MOST_OFFSET_MS = 60_000
const MOST_NAMES = 20
const NAMES_AT_A_TIME = 6
const DEADLINE_MS = 6_000

export const ca: Check<CaFacts> = {
  name: 'ca',
  summary: 'whether the CA (ACME) answers, agrees about the time, and may issue for the names (CAA records)',
  async observe(subject, signal) {
    const order = await orderOf(subject)
    if (order === undefined) return { kind: 'unused' }
    const { directory, caFile, names, ...rest } = order
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
    const trust = caFile === undefined ? undefined : (await textOf(caFile)) || undefined
    const [asked, caa] = await Promise.all([
      askDirectory({ directory, ca: trust }, send, deadline),
      inPool(names.slice(0, MOST_NAMES), NAMES_AT_A_TIME, async (name) => ({
        name,
        found: await lookUp(name, deadline),
      })),
    ])
    return { kind: 'used', directory, asked, caa, ...rest }
  },
  judge(facts) {
    if (facts.kind === 'unused') return [ok('no certificates are got by ACME')]
    return [...judgeDirectory(facts), ...judgeRecords(facts)]
  },
}

type Order = {
  readonly directory: string
  /** PEM file that the directory is trusted by. */
  readonly caFile: string | undefined
  readonly names: readonly string[]
  readonly account: string | undefined
  readonly challenge: string | undefined
}

/** What is certified by ACME: as the daemon says it, else as the spec does (a proxy may do it). */
async function orderOf({ daemon, deployment }: Subject): Promise<Order | undefined> {
  const view = await tlsOf(daemon)
  const own = (view?.status.certificates ?? []).filter(({ source }) => source === 'acme')
  if (view !== undefined && own.length > 0) {
    const usual = view.settings['letsencrypt.staging'] === true ? LETS_ENCRYPT.staging : LETS_ENCRYPT.directory
    const { account } = view.status
    return {
      directory: account?.directory ?? textIn(view, 'tls.acme.directory') ?? usual,
      caFile: textIn(view, 'tls.acme.ca'),
      names: [...new Set(own.flatMap(({ names }) => names))],
      account: account?.url,
      challenge: textIn(view, 'letsencrypt.challenge'),
    }
  }
  const tls = deployment?.gateway.tls
  if (tls?.kind !== 'acme') return undefined
  const { directory, staging, domains, ca, challenge } = tls
  const usual = staging ? LETS_ENCRYPT.staging : LETS_ENCRYPT.directory
  return { directory: directory ?? usual, caFile: ca, names: domains, account: undefined, challenge }
}

async function askDirectory(
  at: { readonly directory: string; readonly ca: string | undefined },
  ask: Send,
  signal: AbortSignal,
): Promise<Asked> {
  try {
    const [aheadMs, { status, text }] = await Promise.all([
      clockAhead(at, ask, Date.now, signal),
      ask({ method: 'GET', url: at.directory, ca: at.ca }, signal),
    ])
    if (status !== 200) return { kind: 'silent', why: `it answers with status ${status}` }
    const named = valueAt(JSON.parse(text), ['meta', 'caaIdentities'])
    const identities = Array.isArray(named) ? named.filter((one) => typeof one === 'string') : []
    return { kind: 'answers', aheadMs, identities }
  } catch (error) {
    const why = signal.aborted ? `no answer within ${DEADLINE_MS / 1_000} s` : messageOf(error)
    return { kind: 'silent', why }
  }
}

async function lookUp(name: string, signal: AbortSignal): Promise<FoundCaa> {
  if (isLocalName(name)) return { kind: 'found', relevant: undefined } // of no public zone
  try {
    return { kind: 'found', relevant: await relevantCaa(name, caaOf([], signal)) }
  } catch (error) {
    return { kind: 'unknown', why: messageOf(error) }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function judgeDirectory({ directory, asked }: Extract<CaFacts, { kind: 'used' }>): Finding[] {
  const { host } = new URL(directory)
  if (asked.kind === 'silent') return [skip(`the CA ${host}`, `could not be looked at: ${asked.why}`)]
  const { aheadMs } = asked
  if (aheadMs === undefined || Math.abs(aheadMs) <= MOST_OFFSET_MS)
    return [ok(`the CA ${host} answers, and the clocks agree`)]
  const what = `the clock of this host is ${spanText(aheadMs)} ${aheadMs > 0 ? 'behind' : 'ahead of'} the one of ${host}`
  const why = 'certificates are renewed at the wrong time, and refused before or after theirs'
  return [fail(what, why, command(sh`timedatectl set-ntp true; timedatectl timesync-status`))]
}

function judgeRecords({ caa, asked, directory, account, challenge }: Extract<CaFacts, { kind: 'used' }>): Finding[] {
  const identities =
    asked.kind === 'answers' && asked.identities.length > 0 ? asked.identities : usualIdentities(directory)
  const findings = caa.flatMap(({ name, found }): Finding[] => {
    if (found.kind === 'unknown') return [skip(`CAA records of ${name}`, `could not be looked at: ${found.why}`)]
    if (found.relevant === undefined) return []
    const { domain, records } = found.relevant
    if (identities.length === 0)
      return [skip(`CAA records of ${domain}`, `the CA does not say what it calls itself in them`)]
    const verdict = judgeCaa(records, name, { identities, account, challenge })
    if (verdict.kind === 'allowed') return []
    const record = `${domain}. CAA 0 ${name.startsWith('*.') ? 'issuewild' : 'issue'} "${identities[0]}"`
    return [
      fail(
        `CAA of ${domain} forbids a certificate for ${name}`,
        verdict.why,
        edit(`the DNS zone of ${domain}`, record),
      ),
    ]
  })
  if (findings.length > 0) return findings
  const bound = caa.filter(({ found }) => found.kind === 'found' && found.relevant !== undefined)
  if (caa.length === 0)
    return [warn('no name is certified', 'the list is empty', edit('letsencrypt.domains', 'list the names'))]
  return [
    ok(
      bound.length === 0
        ? 'no CAA records: any CA may issue'
        : `CAA allows the CA for ${bound.map(({ name }) => name).join(', ')}`,
    ),
  ]
}

function usualIdentities(directory: string): readonly string[] {
  const isLetsEncrypt = directory === LETS_ENCRYPT.directory || directory === LETS_ENCRYPT.staging
  return isLetsEncrypt ? [LETS_ENCRYPT.caa] : []
}

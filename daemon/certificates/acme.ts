import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { askRenewalInfo, certificateId } from '../../pki/acme/ari.ts'
import { dnsResponder } from '../../pki/acme/challenges/dns.ts'
import { httpResponder, type PendingAnswers } from '../../pki/acme/challenges/http.ts'
import type { PendingCertificates } from '../../pki/acme/challenges/tls-alpn.ts'
import { clockAhead } from '../../pki/acme/clock.ts'
import { cloudflare } from '../../pki/acme/dns/cloudflare.ts'
import { rfc2136 } from '../../pki/acme/dns/rfc2136.ts'
import { dnsView } from '../../pki/acme/dns/view.ts'
import type { Responder } from '../../pki/acme/order.ts'
import type { Send } from '../../pki/acme/request.ts'
import { certificatesIn } from '../../pki/certificate.ts'
import type { Log } from '../../schemas/words/log.ts'
import { codeOf } from '../../system/error-code.ts'
import { createAccount } from './account.ts'
import type { CertificateStore, Pair } from './kept.ts'
import type { Renewable } from './renewable.ts'
import { createRenewal, type Renewal } from './renewal.ts'
import type { AcmeSettings } from './settings.ts'
import type { Source, SourceParts } from './source.ts'

/** Where the listener finds what answers challenges. */
export type Pending = { readonly certificates: PendingCertificates; readonly answers: PendingAnswers }

export type AcmeSource = Source & { readonly account: ReturnType<typeof createAccount>['status'] }

const HOUR_MS = 3_600_000

/** Certificates of a CA, one for each name: a name that cannot be proven is not in the way of others. */
export function acmeSource(
  settings: AcmeSettings,
  store: CertificateStore,
  pending: Pending,
  send: Send,
  parts: SourceParts,
): AcmeSource {
  const { now, log } = parts
  const { directory, key } = settings
  const account = createAccount(settings, store, log)
  noteTrust(settings, log)
  const trust = () => ({ directory, ca: trustOf(settings) })
  let hasRenewalInfo = false
  let turn: Promise<unknown> = Promise.resolve()

  /** One order at a time, however many names are due. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }

  async function order(name: string, before: Pair | undefined, signal: AbortSignal): Promise<Pair> {
    // what speaks ACME takes 40 MB and is needed for a minute in two months
    const { openAcmeClient, newKey } = await import('../../pki/acme/client.ts')
    const { orderCertificate } = await import('../../pki/acme/order.ts')
    const open = (accountKey: string, url: string | undefined) =>
      openAcmeClient({ ...trust(), key: accountKey, url, eab: bindingOf(settings, url) }, send, now, signal)
    const replaces = before === undefined || !hasRenewalInfo ? undefined : certificateId(before.cert)
    const isRelayed = !settings.names.includes(name)
    const way = isRelayed ? ({ ...settings, challenge: 'tls-alpn-01' } as const) : settings
    const responder = await responderOf(way, pending, send, now, (record, error) =>
      log('warn', 'a record of a challenge could not be removed', { domain: record, error: String(error) }),
    )
    return await account.use(
      open,
      () => newKey('ecdsa'),
      (client) => orderCertificate(client, responder, { names: [name], key, replaces }, signal),
    )
  }

  const renewableOf = (name: string): Renewable => ({
    source: 'acme',
    names: [name],
    origin: () => `${directory} ${key}`,
    path: store.path(name),
    load: () => store.load(name),
    save: (pair, meta) => store.save(name, pair, meta),
    obtain: (before, isDue, signal) =>
      inTurn(async () => {
        const aheadMs = (await clockAhead(trust(), send, now, signal)) ?? 0
        if (!isDue(aheadMs)) throw new Error(wrongClock(aheadMs))
        return await order(name, before, signal)
      }),
    async wish(pair, signal) {
      const info = await askRenewalInfo(trust(), pair.cert, send, now, signal)
      hasRenewalInfo ||= info !== undefined
      return info
    },
  })
  const configured = settings.names.map((name) => createRenewal(renewableOf(name), parts))
  let relayed: readonly Renewal[] = []
  const renewals = () => [...configured, ...relayed]

  /** Names of relays that are new have their certificates of before, if there are any. */
  function noteRelayed(): void {
    const names = (settings.relayed?.() ?? []).filter((name) => !settings.names.includes(name))
    const before = relayed
    relayed = names.map((name) => before.find((one) => one.name === name) ?? createRenewal(renewableOf(name), parts))
    if (relayed.some((one) => !before.includes(one)) || relayed.length < before.length) parts.changed()
  }

  return {
    account: account.status,
    identities: () => renewals().flatMap(({ identity }) => identity() ?? []),
    status: () => renewals().map((renewal) => renewal.status()),
    async check(signal) {
      noteRelayed()
      await Promise.all(renewals().map((renewal) => renewal.check(signal)))
      account.save()
    },
    async renew(name, signal) {
      const renewal = renewals().find((candidate) => candidate.name === name)
      await renewal?.renew(signal)
      return renewal !== undefined
    },
    close: () => {},
  }
}

/** Read again for each use: a private CA is renewed as well. @throws Error that names the file */
function trustOf({ caFile }: AcmeSettings): string | undefined {
  if (caFile === undefined) return undefined
  const text = readTrust(caFile)
  if (certificatesIn(text).length === 0) throw new Error(`tls.acme.ca: ${caFile} has no certificate in PEM`)
  return text
}

function readTrust(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`tls.acme.ca: ${file} cannot be read (${codeOf(error)})`, { cause: error })
  }
}

/** Says at the start what would be found out when a certificate is due. */
function noteTrust(settings: AcmeSettings, log: Log): void {
  try {
    trustOf(settings)
  } catch (error) {
    log('error', 'no certificate can be ordered', { error: error instanceof Error ? error.message : String(error) })
  }
}

/** @throws Error while an account is to be registered and its key of the external account is missing */
function bindingOf({ eab }: AcmeSettings, url: string | undefined): { kid: string; hmac: string } | undefined {
  if (eab === undefined) return undefined
  const { kid, hmac } = eab
  if (hmac !== undefined) return { kid, hmac }
  if (url !== undefined) return undefined
  throw new Error('tls.acme.eab_kid is set, and tls.acme.eab_hmac is missing: set the key that the CA gave with it')
}

async function responderOf(
  { challenge, key, dns, resolvers }: AcmeSettings,
  pending: Pending,
  send: Send,
  now: () => number,
  left: (record: string, error: unknown) => void,
): Promise<Responder> {
  switch (challenge) {
    case 'tls-alpn-01': {
      const { tlsAlpnResponder } = await import('../../pki/acme/challenges/tls-alpn.ts')
      return tlsAlpnResponder(pending.certificates, key)
    }
    case 'http-01':
      return httpResponder(pending.answers)
    case 'dns-01':
      if (dns === undefined) throw new Error('dns-01 needs letsencrypt.dns.provider')
      return dns.provider === 'cloudflare'
        ? dnsResponder(cloudflare(dns, send), dnsView(resolvers, undefined), left)
        : dnsResponder(
            rfc2136(dns, now, () => randomInt(2 ** 16)),
            dnsView(resolvers, dns.server),
            left,
          )
    default:
      return challenge satisfies never
  }
}

function wrongClock(aheadMs: number): string {
  const hours = Math.round(Math.abs(aheadMs) / HOUR_MS)
  return `by the clock of the CA it is not time to renew: this host's clock is ${hours} h ${aheadMs > 0 ? 'behind' : 'ahead'}; set it right`
}

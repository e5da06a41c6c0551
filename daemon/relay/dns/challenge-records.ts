import type { DnsProvider } from '../../../pki/acme/challenges/dns.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { challengeRecord } from '../registry/names.ts'
import type { Registry, WrittenRecord } from '../registry/registry.ts'

export type ChallengeParts = {
  /** null: no provider is configured. */
  readonly provider: () => DnsProvider | null
  readonly registry: Pick<Registry, 'records' | 'ownerOf'>
  readonly domain: string
  /** Unix milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** What a node is answered. */
export type RecordAnswer = { readonly result: string; readonly detail?: string }

/** Base64url of a SHA-256: what a dns-01 challenge has, and nothing else. @see RFC 8555 section 8.4 */
const DIGEST = /^[\w-]{43}$/
/** A challenge is over after minutes; a record that its node has forgotten goes then. */
const LIFE_MS = 600_000
const DEADLINE_MS = 60_000

/**
 * Writes TXT records for nodes: of the names that a node owns the one of a dns-01 challenge, whose name is made here.
 * Each is in the registry before it is in the DNS, so that it is removed whatever happens to this relay.
 */
export function createChallengeRecords({ provider, registry, domain, now, log }: ChallengeParts) {
  const { records, ownerOf } = registry

  function check(nodeId: string, host: string, value: string): { readonly name: string } | RecordAnswer {
    const name = challengeRecord(host, domain)
    if (name === undefined) return { result: 'not-allowed', detail: `only names of one label below ${domain}` }
    if (ownerOf(host) !== nodeId) return { result: 'not-owner' }
    if (!DIGEST.test(value)) return { result: 'bad-value', detail: '43 characters of base64url are expected' }
    return { name }
  }

  async function removeAt(dns: DnsProvider, record: WrittenRecord, signal: AbortSignal): Promise<boolean> {
    try {
      await dns.remove(record.name, record.value, signal)
      return (await records.remove(record)) === 'removed'
    } catch (error) {
      log('warn', 'a record of a challenge could not be removed', { domain: record.name, error: String(error) })
      return false
    }
  }

  return {
    async set(nodeId: string, host: string, value: string, signal: AbortSignal): Promise<RecordAnswer> {
      const checked = check(nodeId, host, value)
      if ('result' in checked) return checked
      const dns = provider()
      if (dns === null) return { result: 'no-dns', detail: 'this relay writes no records: use tls-alpn-01' }
      const { name } = checked
      const record = { name, value, removeAtMs: now() + LIFE_MS }
      const added = await records.add(record)
      if (added !== 'added') return { result: added }
      try {
        await dns.present(name, value, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
        return { result: 'ok', detail: name }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log('warn', 'a record of a challenge could not be written', { domain: name, error: reason })
        await removeAt(dns, record, AbortSignal.timeout(DEADLINE_MS)) // it may be there in spite of the error
        return { result: 'dns-failed' } // the provider's words are for the operator
      }
    },
    async remove(nodeId: string, host: string, value: string, signal: AbortSignal): Promise<RecordAnswer> {
      const checked = check(nodeId, host, value)
      if ('result' in checked) return checked
      const record = records.list().find((one) => one.name === checked.name && one.value === value)
      const dns = provider()
      if (record === undefined || dns === null) return { result: 'ok' }
      const isGone = await removeAt(dns, record, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
      return { result: isGone ? 'ok' : 'dns-failed' }
    },
    /** Removes what is over, also of relays that stopped before they did. Never rejects. */
    async sweep(signal: AbortSignal): Promise<void> {
      const dns = provider()
      if (dns === null) return
      for (const record of records.list()) {
        if (record.removeAtMs <= now() && !signal.aborted) await removeAt(dns, record, signal)
      }
    },
  }
}

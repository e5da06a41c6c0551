import type { DnsProvider } from '../../../pki/acme/challenges/dns.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { type Allowance, createAllowances } from '../registry/allowances.ts'
import { challengeRecord } from '../registry/names.ts'
import type { Registry, WrittenRecord } from '../registry/registry.ts'
import { ProviderRests } from './heed-limits.ts'
import { createTurns } from './turns.ts'

export type ChallengeParts = {
  /** null: no provider is configured. */
  readonly provider: () => DnsProvider | null
  readonly registry: Pick<Registry, 'records' | 'ownerOf'>
  readonly domain: string
  /** Unix milliseconds. */
  readonly now: () => number
  readonly monotonic: () => number
  readonly log: Log
}

/** What a node is answered. */
export type RecordAnswer = { readonly result: string; readonly detail?: string }

/** Base64url of a SHA-256: what a dns-01 challenge has, and nothing else. @see RFC 8555 section 8.4 */
const DIGEST = /^[\w-]{43}$/
/** A challenge is over after minutes; a record that its node has forgotten goes then. */
const LIFE_MS = 600_000
const DEADLINE_MS = 60_000
/** Records that one node may set: a certificate for each of its names, three times in an hour. */
const PER_NODE: Allowance = { burst: 12, everyMs: 300_000 }
/** A node asks for two records of a name at a time. */
const TURNS = { atOnce: 8, waiting: 256, waitingPerNode: 4 }
/** Who removes what is over, among the nodes. */
const SWEEPER = ''

/**
 * Writes TXT records for nodes: of the names that a node owns the one of a dns-01 challenge, whose name is made here.
 * Each is in the registry before it is in the DNS, so that it is removed whatever happens to this relay.
 */
export function createChallengeRecords({ provider, registry, domain, now, monotonic, log }: ChallengeParts) {
  const { records, ownerOf } = registry
  const allowances = createAllowances(PER_NODE, monotonic)
  const inTurn = createTurns(TURNS)

  function check(nodeId: string, host: string, value: string): { readonly name: string } | RecordAnswer {
    const name = challengeRecord(host, domain)
    if (name === undefined) return { result: 'not-allowed', detail: `only names of one label below ${domain}` }
    if (ownerOf(host) !== nodeId) return { result: 'not-owner' }
    if (!DIGEST.test(value)) return { result: 'bad-value', detail: '43 characters of base64url are expected' }
    return { name }
  }

  async function removeAt(dns: DnsProvider, record: WrittenRecord, signal: AbortSignal): Promise<'removed' | Error> {
    try {
      await dns.remove(record.name, record.value, signal)
      const removed = await records.remove(record)
      return removed === 'removed' ? removed : new Error('the registry is lost')
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error))
      log('warn', 'a record of a challenge could not be removed', { domain: record.name, error: problem.message })
      return problem
    }
  }

  async function present(dns: DnsProvider, record: WrittenRecord, signal: AbortSignal): Promise<RecordAnswer> {
    const { name, value } = record
    const added = await records.add(record)
    if (added !== 'added') return { result: added }
    try {
      await dns.present(name, value, AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]))
      return { result: 'ok', detail: name }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log('warn', 'a record of a challenge could not be written', { domain: name, error: reason })
      await records.add({ ...record, removeAtMs: now() }) // it may be there in spite of the error: the next sweep looks
      // the provider's words are for the operator
      return { result: error instanceof ProviderRests ? 'busy' : 'dns-failed' }
    }
  }

  const answered = (answer: RecordAnswer | 'busy'): RecordAnswer =>
    answer === 'busy' ? { result: 'busy', detail: 'too many records wait to be written: try again later' } : answer

  return {
    async set(nodeId: string, host: string, value: string, signal: AbortSignal): Promise<RecordAnswer> {
      const checked = check(nodeId, host, value)
      if ('result' in checked) return checked
      const dns = provider()
      if (dns === null) return { result: 'no-dns', detail: 'this relay writes no records: use tls-alpn-01' }
      if (!allowances.take(nodeId)) return { result: 'busy', detail: 'this node has set many records: try again later' }
      const record = { name: checked.name, value, removeAtMs: now() + LIFE_MS }
      return answered(await inTurn(nodeId, () => present(dns, record, signal)))
    },
    async remove(nodeId: string, host: string, value: string, signal: AbortSignal): Promise<RecordAnswer> {
      const checked = check(nodeId, host, value)
      if ('result' in checked) return checked
      const record = records.list().find((one) => one.name === checked.name && one.value === value)
      const dns = provider()
      if (record === undefined || dns === null) return { result: 'ok' }
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
      return answered(
        await inTurn(nodeId, async () => {
          const removed = await removeAt(dns, record, deadline)
          return { result: removed === 'removed' ? 'ok' : removed instanceof ProviderRests ? 'busy' : 'dns-failed' }
        }),
      )
    },
    /** Removes what is over, also of relays that stopped before they did. Never rejects. */
    async sweep(signal: AbortSignal): Promise<void> {
      const dns = provider()
      if (dns === null) return
      for (const record of records.list()) {
        if (record.removeAtMs > now() || signal.aborted) continue
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
        const removed = await inTurn(SWEEPER, () => removeAt(dns, record, deadline))
        if (removed instanceof ProviderRests) return
      }
    },
  }
}

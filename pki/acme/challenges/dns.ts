import type { Responder } from '../order.ts'

/** Sets and removes TXT records: one value among others that the name may have. */
export type DnsProvider = {
  /** @param name without final dot @throws Error that says what the provider refused */
  readonly present: (name: string, value: string, signal: AbortSignal) => Promise<void>
  /** @throws Error that says what the provider refused */
  readonly remove: (name: string, value: string, signal: AbortSignal) => Promise<void>
}

/** What is asked of the DNS itself. */
export type DnsView = {
  /** The name that a CNAME leads to in the end; the name itself where there is none. */
  readonly target: (name: string, signal: AbortSignal) => Promise<string>
  /** Resolves when the servers of the zone have the value. @throws Error when they answer and do not */
  readonly visible: (name: string, value: string, signal: AbortSignal) => Promise<void>
}

/** Removing goes on when the daemon stops, for so long. */
const REMOVE_DEADLINE_MS = 10_000

/**
 * Answers dns-01 at `_acme-challenge.NAME`, or where a CNAME there leads to; the CA is told when the servers of the zone
 * have the record.
 * @param left is told of a record that could not be removed
 * @see RFC 8555 section 8.4
 */
export function dnsResponder(
  provider: DnsProvider,
  dns: DnsView,
  left: (name: string, error: unknown) => void,
): Responder {
  return {
    type: 'dns-01',
    async present({ name, proof }, signal) {
      const record = await dns.target(`_acme-challenge.${name}`, signal)
      const remove = () =>
        provider
          .remove(record, proof, AbortSignal.timeout(REMOVE_DEADLINE_MS))
          .catch((error: unknown) => left(record, error))
      try {
        await provider.present(record, proof, signal)
        await dns.visible(record, proof, signal)
      } catch (error) {
        await remove()
        throw error
      }
      return remove
    },
  }
}

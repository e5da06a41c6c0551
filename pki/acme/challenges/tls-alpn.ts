import { challengeCertificate, newKey } from '../client.ts'
import type { Responder } from '../order.ts'

/** Where the listener finds certificates of challenges while they are pending. */
export type PendingCertificates = Map<string, { readonly cert: string; readonly key: string }>

/**
 * Answers tls-alpn-01: the listener serves the certificate to clients that offer `acme-tls/1` alone.
 * @param kind that of the certificates served otherwise: OpenSSL keeps one slot for each kind of key, and would
 *   choose the wrong one
 * @see RFC 8737
 */
export function tlsAlpnResponder(pending: PendingCertificates, kind: 'ecdsa' | 'rsa'): Responder {
  return {
    type: 'tls-alpn-01',
    async present({ name, proof }) {
      const key = await newKey(kind)
      const identity = { cert: await challengeCertificate(name, proof, key), key }
      pending.set(name, identity)
      return async () => {
        if (pending.get(name) === identity) pending.delete(name)
      }
    },
  }
}

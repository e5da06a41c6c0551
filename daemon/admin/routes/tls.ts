import type { CertificateStatus, TlsStatus } from '../../../schemas/admin-tls.ts'
import { TLS_ANSWERS } from '../../../schemas/api/tls.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

/** What the admin API needs from the certificates. */
export type AdminCertificates = {
  status(): TlsStatus
  /**
   * Gets a new certificate now, however much life the one before has left; that one is served until then.
   * @param name the first name of a certificate of `status()`
   * @throws RangeError when there is none of that name
   * @throws Error that says why there is no new one
   */
  renew(name: string, signal: AbortSignal): Promise<void>
}

/** Of a daemon that serves no TLS. */
export const NO_CERTIFICATES: AdminCertificates = {
  status: () => ({ certificates: [] }),
  renew: (name) => Promise.reject(new RangeError(`there is no certificate ${name}`)),
}

/** What is served over TLS. */
export function tlsRoutes({ certificates }: { readonly certificates: AdminCertificates }): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/tls',
      scope: 'config:read',
      summary: 'Lists the certificates that are served, and how their renewal stands',
      answer: TLS_ANSWERS['GET /api/admin/tls'],
      handle: () => json(certificates.status()),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/tls/{name}/renew',
      scope: 'admin',
      summary: 'Gets a new certificate now',
      audit: 'certificate.renew',
      answer: TLS_ANSWERS['POST /api/admin/tls/{name}/renew'],
      handle: async ({ params: { name = '' }, signal }) =>
        json(await renewCertificate(certificates, name, signal), { change: { object: `certificate:${name}` } }),
    }),
  ]
}

/** @throws AdminError CERTIFICATE_NOT_FOUND, RENEWAL_FAILED, GIVEN_UP */
async function renewCertificate(
  certificates: AdminCertificates,
  name: string,
  signal: AbortSignal,
): Promise<CertificateStatus> {
  const wanted = name.toLowerCase()
  try {
    await certificates.renew(wanted, signal)
  } catch (error) {
    if (error instanceof RangeError) throw notFound(certificates, name, error)
    if (signal.aborted) throw new AdminError('GIVEN_UP', 'the client no longer waits for the renewal', { cause: error })
    const why = error instanceof Error ? error.message : String(error)
    const failed = certificates.status().certificates.find((certificate) => certificate.name === wanted)
    throw new AdminError('RENEWAL_FAILED', `${name}: ${why}`, { cause: error, ...(failed && { hint: hintOf(failed) }) })
  }
  const renewed = certificates.status().certificates.find((certificate) => certificate.name === wanted)
  if (renewed === undefined) throw notFound(certificates, name, undefined)
  return renewed
}

function hintOf({ served, source }: CertificateStatus): string {
  const left =
    served === undefined ? 'there is no certificate, so clients are refused' : 'the certificate before is still served'
  const remedy =
    source === 'files'
      ? 'put a certificate and its key where tls.files says'
      : 'gatectl doctor looks at DNS, ports, CAA and the clock'
  return `${left}; ${remedy}`
}

function notFound(certificates: AdminCertificates, name: string, cause: unknown): AdminError {
  const names = certificates.status().certificates.map((certificate) => certificate.name)
  const hint =
    names.length === 0
      ? 'this daemon gets no certificates: letsencrypt.enabled, tls.files and tls.internal_ca are not set'
      : suggestion(name, names, 'certificate')
  return new AdminError('CERTIFICATE_NOT_FOUND', `there is no certificate "${name}"`, { hint, cause })
}

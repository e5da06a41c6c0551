import { z } from 'zod'

const time = z.iso.datetime()

/** Where certificates come from. */
const SOURCES = ['acme', 'files', 'internal-ca', 'tailscale'] as const
/**
 * What an alarm is about: a certificate that is in its last quarter of life and was not renewed, one that has run out,
 * one that is not valid yet, none at all, files that were changed and cannot be used, so that those before are served,
 * or one that is in memory alone since it cannot be written.
 */
const ALARMS = ['expiring', 'expired', 'not-yet-valid', 'absent', 'refused-files', 'not-kept'] as const

/** One certificate that the daemon serves, or tries to get. */
export const certificateStatus = z.strictObject({
  /** What `POST /v1/tls/renew/NAME` calls it: the first of its names. */
  name: z.string(),
  /** Lower case; a wildcard as `*.example.org`. */
  names: z.array(z.string()),
  source: z.enum(SOURCES),
  /** File of the chain; absent where it is in memory alone. */
  path: z.string().exactOptional(),
  /** What is served now; absent: nothing yet. */
  served: z
    .strictObject({
      issuer: z.string(),
      /** Hexadecimal. */
      serial: z.string(),
      /** Of the leaf, lower-case hexadecimal. */
      sha256: z.string(),
      /** Such as `ecdsa P-256` or `rsa 2048`. */
      key: z.string(),
      not_before: time,
      not_after: time,
    })
    .exactOptional(),
  /** Whether a new one is being got at this moment. */
  renewing: z.boolean(),
  /** When a new one will be got, or was due; absent: another program does that (`files`). */
  renews_at: time.exactOptional(),
  /** What set that time: the part of its life that is left, the CA (ARI, RFC 9773), or the wait after a failure. */
  renews_because: z.enum(['life', 'ari', 'retry']).exactOptional(),
  /** Why the last attempt failed; absent after a success. */
  last_error: z.strictObject({ at: time, message: z.string() }).exactOptional(),
  /** Since the daemon started. */
  renewals: z.strictObject({ succeeded: z.int(), failed: z.int() }),
  alarm: z.strictObject({ kind: z.enum(ALARMS), since: time, message: z.string() }).exactOptional(),
})
export type CertificateStatus = z.output<typeof certificateStatus>

/** GET /v1/tls */
export const tlsStatus = z.strictObject({
  certificates: z.array(certificateStatus),
  /** Host of `server.external_url`, where clients are sent, while there are certificates and none is for it. */
  uncovered_host: z.string().exactOptional(),
  /** At the CA; absent: none was made yet, or no CA is used. */
  account: z
    .strictObject({
      /** URL of the CA's directory. */
      directory: z.string(),
      /** The account's own URL, which CAA records name in `accounturi` (RFC 8657). */
      url: z.string(),
      email: z.string().exactOptional(),
    })
    .exactOptional(),
})
export type TlsStatus = z.output<typeof tlsStatus>

/**
 * Body of the POST to `tls.alarm_webhook`, once when an alarm begins (or becomes another) and once when it ends.
 * @see docs/tls.md "Alarms"
 */
export type TlsAlarm = {
  readonly event: 'tls.alarm' | 'tls.resolved'
  readonly at: string
  readonly certificate: CertificateStatus
}

/**
 * not-permitted: a name lies outside of what the CA may sign for; expired: the CA's own certificate is over;
 * unreadable: a certificate or key is none, or they do not belong together; bad-name: no host name and no address.
 */
export type CaReason = 'not-permitted' | 'expired' | 'unreadable' | 'bad-name'

/** Why the internal CA signs nothing. Its message says what to do, and holds no key. */
export class CaError extends Error {
  readonly reason: CaReason
  constructor(reason: CaReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'CaError'
    this.reason = reason
  }
}

import { createHash } from 'node:crypto'

/** How a witness is sent: `Authorization: Gate-Witness TEXT`. */
export const WITNESS_SCHEME = 'Gate-Witness'

/**
 * What shows a daemon that its caller holds an access token, and is no token itself: the signature is hashed. It may be
 * shown to a daemon that another gateway could stand behind, which would learn nothing that opens this one.
 * @param token `header.payload.signature`; the signature has 256 bits, so that its hash leads back to nothing
 */
export function witnessOf(token: string): string {
  const end = token.lastIndexOf('.')
  return `${token.slice(0, end)}.${witnessedSignature(token.slice(end + 1))}`
}

/** Its last part. @param signature base64url */
export const witnessedSignature = (signature: string): string =>
  createHash('sha256').update(`gate admin socket\0${signature}`).digest('base64url')

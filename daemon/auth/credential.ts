import type { IncomingHttpHeaders } from 'node:http'
import { GateError } from '../../schemas/words/errors.ts'

/** Headers a key may come in, as lower-case names. `authorization` must be `Bearer KEY`. */
const KEY_HEADERS = ['x-api-key', 'api-key', 'x-goog-api-key'] as const

/**
 * The one place that finds a request's key, whatever header (or `?key=`) the client's SDK puts it in.
 * Two different keys in one request are refused: which one counts must never be a guess.
 * @param url the request target, such as `/v1/models?key=…`
 * @throws GateError MISSING_KEY, INVALID_KEY
 */
export function credentialOf(headers: IncomingHttpHeaders, url: string): string {
  let found: string | null = null
  const authorization = headers.authorization
  if (typeof authorization === 'string') found = bearer(authorization)
  for (const name of KEY_HEADERS) {
    const value = headers[name]
    if (value !== undefined) found = agree(found, String(value))
  }
  const query = url.indexOf('?')
  if (query !== -1) {
    for (const value of new URLSearchParams(url.slice(query)).getAll('key')) found = agree(found, value)
  }
  if (found === null || found === '') {
    throw new GateError('MISSING_KEY', 'no key: send "Authorization: Bearer KEY"; `gatectl token create` makes one')
  }
  return found
}

function bearer(authorization: string): string {
  const match = /^bearer +(\S+) *$/i.exec(authorization)
  if (match?.[1] === undefined) throw new GateError('INVALID_KEY', 'the Authorization header must be "Bearer KEY"')
  return match[1]
}

function agree(found: string | null, value: string): string {
  if (found !== null && found !== value) throw new GateError('INVALID_KEY', 'the request carries two different keys')
  return value
}

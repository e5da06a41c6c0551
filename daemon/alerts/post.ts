import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { NEVER_SERVERS, rangesOf } from '../../schemas/words/address-ranges.ts'
import { lookupAmong } from '../../system/lookup-among.ts'
import type { Post } from './outbox.ts'

const isNever = rangesOf(NEVER_SERVERS)
const lookup = lookupAmong(
  (address) => !isNever(address),
  () => new Error('its name means an address that is not one for alerts'),
)

/**
 * Posts over Node's own client. What the name means is looked up once and checked, and that address is connected to;
 * redirects are not followed, and nothing of the answer is read but its status.
 */
export const post: Post = (text, { body, headers }, signal) => {
  const url = new URL(text)
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0 && isNever(host)) return Promise.reject(new Error(`${host} is not an address for alerts`))
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  const sent = request(url, { method: 'POST', headers: { ...headers, ...length }, signal, agent: false, lookup })
  sent.once('response', (response) => {
    resolve(response.statusCode ?? 0)
    response.destroy()
  })
  sent.once('error', (cause) => reject(new Error(reasonOf(cause), { cause })))
  sent.end(body)
  return promise
}

/** Without the host, which may be a secret as a part of the URL. */
function reasonOf(cause: Error): string {
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return 'no answer in time'
  const code = 'code' in cause ? String(cause.code) : ''
  return code === '' ? cause.message : `the connection failed (${code})`
}

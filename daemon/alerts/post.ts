import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Post } from './outbox.ts'

/** Where clouds tell machines their secrets, and what is no address of a host: nobody has a webhook there. */
const NEVER = new BlockList()
NEVER.addSubnet('169.254.0.0', 16, 'ipv4')
NEVER.addSubnet('0.0.0.0', 8, 'ipv4')
NEVER.addSubnet('fe80::', 10, 'ipv6')
NEVER.addAddress('fd00:ec2::254', 'ipv6')
NEVER.addAddress('::', 'ipv6')

const isNever = (address: string): boolean => NEVER.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

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

const lookup: LookupFunction = (host, options, done) => {
  lookUp(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
    if (error !== null) return done(error, '', 0)
    const usable = found.filter(({ address }) => !isNever(address))
    const [first] = usable
    if (first === undefined) return done(new Error('its name means an address that is not one for alerts'), '', 0)
    if (options.all === true) return done(null, usable)
    done(null, first.address, first.family)
  })
}

/** Without the host, which may be a secret as a part of the URL. */
function reasonOf(cause: Error): string {
  if (cause.name === 'AbortError' || cause.name === 'TimeoutError') return 'no answer in time'
  const code = 'code' in cause ? String(cause.code) : ''
  return code === '' ? cause.message : `the connection failed (${code})`
}

import { GateError } from '../../schemas/words/errors.ts'
import type { ClientRequest } from './client-request.ts'

/** Registered name, IPv4 or [IPv6], and a port: RFC 9110 section 7.2, RFC 3986 section 3.2.2. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._~-]*))(?::\d{0,5})?$/i

/**
 * Refuses what Node's parser lets through and other servers read differently: more than one Host or one that is not a
 * host, a request target that disagrees with it, more than one way to tell the body's length, more than one
 * Authorization, an expectation that is not 100-continue.
 * Runs before routing.
 * @returns the path and query of the request target
 * @throws GateError INVALID_HOST, AMBIGUOUS_LENGTH, BAD_REQUEST, EXPECTATION_FAILED; the connection must not be used
 * again
 */
export function checkRequest(request: ClientRequest): string {
  const { rawHeaders, httpVersion } = request
  // over HTTP/2 the pseudo-headers come first, which no HTTP/1.1 parser lets through
  const isHttp2 = httpVersion === '2.0' && rawHeaders[0]?.startsWith(':') === true
  if (httpVersion !== '1.1' && httpVersion !== '1.0' && !isHttp2) {
    throw new GateError('BAD_REQUEST', 'send HTTP/2, HTTP/1.1 or HTTP/1.0')
  }
  let host: string | null = null
  let authority: string | null = null
  let lengths = 0
  let encodings = 0
  let credentials = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    // compared by length first: almost every header fails there
    if (name.length === 4 && name.toLowerCase() === 'host') {
      if (host !== null) throw new GateError('INVALID_HOST', 'the request has more than one Host header')
      host = rawHeaders[i + 1] ?? ''
    } else if (name === ':authority') authority = rawHeaders[i + 1] ?? ''
    else if (name.length === 14 && name.toLowerCase() === 'content-length') lengths += 1
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') encodings += 1
    else if (name.length === 13 && name.toLowerCase() === 'authorization') credentials += 1
  }
  if (authority !== null) host = sameHost(authority, host)
  checkLength(request, lengths, encodings)
  const { expect } = request.headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue' && httpVersion !== '1.0') {
    throw new GateError('EXPECTATION_FAILED', 'the only supported expectation is 100-continue')
  }
  // Node takes the first, a proxy in front may have looked at the last
  if (credentials > 1) throw new GateError('BAD_REQUEST', 'the request has more than one Authorization header')
  if (host === null) {
    if (httpVersion === '1.0') return checkTarget(request, null) // HTTP/1.0 may leave it out
    throw new GateError('INVALID_HOST', 'the request has no Host header')
  }
  if (!HOST.test(host)) throw new GateError('INVALID_HOST', 'the Host header is not a host')
  return checkTarget(request, host)
}

/** HTTP/2 names the host twice where a proxy has passed on a Host: RFC 9113 section 8.3.1 wants them to agree. */
function sameHost(authority: string, host: string | null): string {
  if (host === null || host.toLowerCase() === authority.toLowerCase()) return authority
  throw new GateError('INVALID_HOST', ':authority and the Host header disagree')
}

function checkLength(request: ClientRequest, lengths: number, encodings: number): void {
  if (lengths > 1 || encodings > 1 || (lengths === 1 && encodings === 1)) {
    throw new GateError('AMBIGUOUS_LENGTH', 'send either one Content-Length or one Transfer-Encoding')
  }
  if (encodings === 0) return
  if (request.httpVersionMinor === 0) {
    throw new GateError('AMBIGUOUS_LENGTH', 'HTTP/1.0 has no Transfer-Encoding')
  }
  if (request.headers['transfer-encoding']?.toLowerCase() !== 'chunked') {
    throw new GateError('AMBIGUOUS_LENGTH', 'the only supported Transfer-Encoding is "chunked"')
  }
}

/** An absolute-form target (`GET http://host/path`) must name the Host; `OPTIONS *` asks about the whole server. */
function checkTarget({ url: target = '', method }: ClientRequest, host: string | null): string {
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return target
  const absolute = /^https?:\/\/([^/?#]*)(\/[^#]*)?$/i.exec(target)
  if (absolute === null) throw new GateError('BAD_REQUEST', 'the request target must be a path')
  if (host === null || absolute[1]?.toLowerCase() !== host.toLowerCase()) {
    throw new GateError('INVALID_HOST', 'the request target and the Host header disagree')
  }
  return absolute[2] ?? '/'
}

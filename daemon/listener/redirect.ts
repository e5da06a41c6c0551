import { isIP } from 'node:net'
import { hostPort, parseHostPort } from '../../schemas/words/address.ts'
import { GateError } from '../../schemas/words/errors.ts'
import type { ClientRequest, ClientResponse } from './client-request.ts'
import type { Answering } from './http.ts'
import type { Identities } from './identities.ts'
import { checkRequest } from './request-check.ts'
import { covers } from './selection.ts'

type RedirectParts = {
  readonly identities: Pick<Identities, 'current' | 'httpChallenge'>
  /** `server.external_url`, the one origin that clients should know; undefined: there is none. */
  readonly externalUrl: () => string | undefined
  /** Whether the gateway answers for a (canonical) host at all; null: it does for any. */
  readonly isServed: () => ((host: string) => boolean) | null
  /** Where TLS is answered, as clients see it. */
  readonly httpsPort: () => number
  readonly errorBody: (error: GateError) => string
}

const CHALLENGES = '/.well-known/acme-challenge/'
/** RFC 8555 section 8.3: base64url. */
const TOKEN = /^[\w-]{1,512}$/
const HTTPS_PORT = 443

/**
 * What the port for plain HTTP answers: HTTP-01 challenges that are pending, and for our own names where they are served.
 * It serves nothing itself, and sends nobody to a host that only the request names.
 */
export function redirecting({ identities, externalUrl, isServed, httpsPort, errorBody }: RedirectParts): Answering {
  return {
    errorBody,
    async handle(request, response) {
      try {
        const target = checkRequest(request)
        const { host } = parseHostPort(request.headers.host ?? '')
        if (target.startsWith(CHALLENGES)) answerChallenge(response, request, host, target.slice(CHALLENGES.length))
        else redirect(response, `${originOf(host)}${target === '*' ? '/' : target}`)
      } catch (error) {
        refuse(response, error instanceof GateError ? error : new GateError('INTERNAL', 'Gate failed'))
      }
    },
  }

  function answerChallenge(response: ClientResponse, { method }: ClientRequest, host: string, token: string): void {
    const answer = TOKEN.test(token) ? identities.httpChallenge(host, token) : undefined
    if (answer === undefined) throw new GateError('UNKNOWN_ROUTE', 'no such challenge is pending')
    if (method !== 'GET' && method !== 'HEAD')
      throw new GateError('METHOD_NOT_ALLOWED', 'a challenge is asked for with GET', {
        headers: { allow: 'GET, HEAD' },
      })
    send(response, 200, ['content-type', 'application/octet-stream'], answer)
  }

  /** @throws GateError MISDIRECTED */
  function originOf(host: string): string {
    const unserved = new GateError('MISDIRECTED', 'this host name is not served here')
    if (isServed()?.(host) === false) throw unserved
    const external = URL.parse(externalUrl() ?? '')
    if (external?.protocol === 'https:' && parseHostPort(external.host).host === host) return external.origin
    if (host === '' || !identities.current().some((identity) => covers(identity, host))) throw unserved
    const port = httpsPort()
    if (port !== HTTPS_PORT) return `https://${hostPort(host, port)}`
    return `https://${isIP(host) === 6 ? `[${host}]` : host}`
  }

  function refuse(response: ClientResponse, error: GateError): void {
    const own = Object.entries(error.headers).flat()
    send(response, error.status, ['content-type', 'application/json', 'connection', 'close', ...own], errorBody(error))
  }
}

/** 308 keeps method and body. */
function redirect(response: ClientResponse, location: string): void {
  send(response, 308, ['location', location, 'cache-control', 'no-store'], '')
}

function send(response: ClientResponse, status: number, headers: string[], text: string): void {
  response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(text))])
  response.end(Buffer.from(text))
}

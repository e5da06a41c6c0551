import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isLoopback } from '../../schemas/words/address.ts'
import { codeOf } from '../../system/error-code.ts'
import { packageVersion } from '../../system/version.ts'

/** One request to a CA, a DNS provider or a webhook. */
export type Asked = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE'
  /** Over `https:`; `http:` on the loopback, and where `mayBePlain`. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** PEM of the only CAs that are believed; absent: those that Node knows. */
  readonly ca?: string | undefined
  readonly mayBePlain?: boolean
}

export type Answered = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** Sends one request and reads the whole answer. */
export type Send = (asked: Asked, signal: AbortSignal) => Promise<Answered>

/** For one request, answer included. */
const DEADLINE_MS = 30_000
/** A chain of certificates has some kB, a directory less. */
const MAX_ANSWER_BYTES = 2 ** 20

/**
 * Sends one request over Node's own HTTP client; redirects are not followed.
 * @throws Error that says which host failed and why, without the path, which may be a secret
 */
export const send: Send = async (asked, signal) => {
  const url = new URL(asked.url)
  const isPlain = url.protocol === 'http:'
  if (isPlain ? !(asked.mayBePlain === true || isLoopback(url.hostname)) : url.protocol !== 'https:') {
    throw new Error(`${url.origin} is not asked over ${url.protocol} use an https address`)
  }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  try {
    return await exchange(url, isPlain ? httpRequest : httpsRequest, asked, deadline)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    const why = deadline.aborted
      ? `no whole answer within ${DEADLINE_MS / 1_000} s`
      : reasonOf(error, asked.ca !== undefined)
    throw new Error(`${url.host} could not be asked: ${why}`, { cause: error })
  }
}

function exchange(
  url: URL,
  request: typeof httpRequest,
  { method, headers = {}, body, ca }: Asked,
  signal: AbortSignal,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const trust = ca === undefined ? {} : { ca }
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const named = { 'user-agent': `gate/${packageVersion()}`, ...length, ...headers }
    // a connection of its own: one that is kept may be closed by the other side just now
    const options = { method, headers: named, signal, agent: false as const, ...trust }
    const sent = request(url, options, (response) => {
      readWhole(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        reject,
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

async function readWhole(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) {
      response.destroy()
      throw new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Of a chain that ends at no CA that is believed; Node's own words advise a switch of Node. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What a connection failed of; where several addresses did, of the first. @param isPrivate a CA was named for it */
function reasonOf(error: unknown, isPrivate: boolean): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const reason = first instanceof Error ? first.message : String(first)
  if (UNTRUSTED.has(codeOf(first)))
    return isPrivate
      ? 'its certificate is not by the CA in the file of tls.acme.ca'
      : 'its certificate is by no CA that this host trusts; tls.acme.ca names a private one of an ACME directory'
  const isAboutTime = ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'].includes(codeOf(first))
  return isAboutTime ? `${reason}, by the clock of this host: is it right?` : reason
}

import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP } from 'node:net'
import { canonicalHost, isLoopback, PRIVATE_RANGES } from '../../../schemas/words/address.ts'
import { NEVER_SERVERS, rangesOf } from '../../../schemas/words/address-ranges.ts'
import { lookupAmong } from '../../../system/lookup-among.ts'

/** Of one exchange with a provider, from the first packet to the last. */
const DEADLINE_MS = 10_000
/** Documents, key sets and answers of providers are a few kilobytes. */
const MOST_BYTES = 512 * 1_024

export type IdpFetch = (
  url: string,
  options: {
    readonly method?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly signal?: AbortSignal | undefined
  },
) => Promise<Response>

/**
 * Speaks HTTP with one provider. Its own host may be anywhere, as an administrator named it; what it refers to on other
 * hosts must be on the Internet, whatever names resolve to: the address that was checked is the one connected to. HTTP
 * without TLS goes to this very host only. No redirect is followed, no answer is larger than 512 KiB or takes longer
 * than 10 s.
 * @param issuer the URL that an administrator named
 */
export function idpFetch(issuer: string): IdpFetch {
  const issuerHost = hostOf(new URL(issuer))
  return async (target, { method = 'GET', headers, body, signal }) => {
    const url = new URL(target)
    const host = hostOf(url)
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(host)))
      throw new IdpFetchError(`${url.origin} is not over HTTPS`)
    if (url.username !== '' || url.password !== '') throw new IdpFetchError(`${url.origin} comes with a password`)
    const mayBe = host === issuerHost ? isNamedAddress : isPublicAddress
    if (isIP(host) !== 0 && !mayBe(host)) throw new IdpFetchError(`${host} is not an address of the Internet`)
    const sent = bodyOf(body)
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        method,
        agent: false as const,
        headers: {
          ...headers,
          ...(sent !== null && { 'content-length': sent.length }),
        },
        lookup: lookupAmong(mayBe, (name) => new IdpFetchError(`${name} resolves to no address of the Internet`)),
        signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
        maxHeaderSize: 32_768,
      }
      const asked = request(url, options, resolve)
      asked.once('error', reject)
      asked.end(sent ?? undefined)
    })
    return whole(response, url)
  }
}

/** Why a provider cannot be spoken with. */
export class IdpFetchError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'IdpFetchError'
  }
}

const hostOf = (url: URL): string => canonicalHost(url.hostname)

async function whole(response: IncomingMessage, url: URL): Promise<Response> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) {
      response.destroy()
      throw new IdpFetchError(`${url.origin} answered with more than ${MOST_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  const { statusCode: status = 502, headers } = response
  const shown = new Headers()
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) shown.set(name, String(value))
  const hasBody = status !== 204 && status !== 205 && status !== 304
  return new Response(hasBody ? Buffer.concat(chunks) : null, { status, headers: shown })
}

function bodyOf(body: unknown): Buffer | null {
  if (body === undefined || body === null) return null
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(body.toString())
  if (body instanceof Uint8Array) return Buffer.from(body)
  throw new IdpFetchError('a body of this kind cannot be sent')
}

const isPrivate = rangesOf(PRIVATE_RANGES)
const isNever = rangesOf(NEVER_SERVERS)
const isPublicAddress = (address: string): boolean => !isPrivate(address)
const isNamedAddress = (address: string): boolean => !isNever(address)

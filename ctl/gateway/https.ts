import { readFileSync } from 'node:fs'
import type { IncomingMessage, RequestOptions } from 'node:http'
import type { AgentOptions } from 'node:https'
import { isLoopback } from '../../schemas/words/address.ts'
import { failure, unreadable, usageFailure } from '../failure.ts'
import { ANSWER_TIMEOUT_MS } from '../transport.ts'

/** Answers of a sign-in are small; who asks for a list says so. */
const MOST_BYTES = 1_048_576

/** Where a gateway is: `https://host[:port]`; HTTP on this host alone. @throws Failure USAGE */
export function gatewayUrl(text: string): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`)
  const isFit =
    url !== null &&
    (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) &&
    /^\/?$/.test(url.pathname) &&
    url.search === '' &&
    url.hash === '' &&
    url.username === '' &&
    url.password === ''
  if (isFit) return url.origin
  throw usageFailure(
    `"${text}" is not the address of a gateway`,
    'such as https://ai.example.org; HTTP is possible on this host only',
  )
}

type HttpsRequest = {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  /** A file with certificates that are trusted beside those of the system. */
  readonly ca?: string | undefined
}

/** Sends one request and waits for the head of its answer; no redirect is followed. @throws the system's error */
export async function sendHttps(
  url: string,
  { method, headers, text = '', signal, timeoutMs = ANSWER_TIMEOUT_MS, ca }: HttpsRequest,
): Promise<IncomingMessage> {
  const isSecure = url.startsWith('https:')
  const { request } = isSecure ? await import('node:https') : await import('node:http')
  const trust = isSecure ? { ca: await trusted(ca) } : {}
  return new Promise((resolve, reject) => {
    const length = text === '' ? {} : { 'content-length': String(Buffer.byteLength(text)) }
    const options: RequestOptions & AgentOptions = {
      method,
      headers: { ...headers, ...length },
      agent: false,
      ...trust,
      ...(signal !== undefined && { signal }),
    }
    const sent = request(url, options)
    const timeout = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs)
    sent.once('response', (response) => {
      clearTimeout(timeout)
      resolve(response)
    })
    sent.once('error', (error) => {
      clearTimeout(timeout)
      reject(error)
    })
    sent.end(text)
  })
}

/** Those of Node, of the system and NODE_EXTRA_CA_CERTS, and of the file. @throws Failure FILE_UNREADABLE */
async function trusted(file: string | undefined): Promise<string[]> {
  const { getCACertificates } = await import('node:tls')
  const known = [...getCACertificates('default'), ...getCACertificates('system'), ...getCACertificates('extra')]
  if (file === undefined) return known
  try {
    return [...known, readFileSync(file, 'utf8')]
  } catch (error) {
    return unreadable(file, error as NodeJS.ErrnoException)
  }
}

/** The whole of an answer that is JSON; null: it is not, or is longer than may be. */
export async function jsonOf(
  response: IncomingMessage,
  mostBytes = MOST_BYTES,
): Promise<Readonly<Record<string, unknown>> | null> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response as AsyncIterable<string>) {
    text += chunk
    if (text.length > mostBytes) return null
  }
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null
  }
}

/** Why a gateway cannot be spoken with. */
export function unreachable(url: string, cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isOfTrust = /certificate|self[- ]signed|altnames/i.test(reason)
  const hint = isOfTrust
    ? 'name the certificate of its CA: gatectl login URL --ca FILE'
    : 'check the address, and whether the gateway runs'
  throw failure('NO_GATEWAY', `${url}: ${reason}`, { hint, cause })
}

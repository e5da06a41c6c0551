import { X509Certificate } from 'node:crypto'
import { DER, derAt, derParts } from '../der.ts'
import { parsed, problemOf, retryAfterMs } from './problem.ts'
import type { Send } from './request.ts'

/** When the CA would like a certificate to be renewed, Unix milliseconds. */
export type RenewalWindow = { readonly startMs: number; readonly endMs: number }

export type RenewalInfo = {
  readonly window: RenewalWindow
  /** Why it is another one than usual, for people. */
  readonly explanation: string | undefined
  /** When to ask again, from now on. */
  readonly againMs: number
}

const SOONEST_MS = 60_000
const LATEST_MS = 86_400_000
const USUAL_MS = 6 * 3_600_000

/**
 * Asks the CA when to renew a certificate.
 * @param cert PEM, leaf first
 * @param now Unix milliseconds
 * @returns undefined where the CA has no such information
 * @throws Error for what could not be asked or read
 * @see RFC 9773
 */
export async function askRenewalInfo(
  ca: { readonly directory: string; readonly ca: string | undefined },
  cert: string,
  send: Send,
  now: () => number,
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const id = certificateId(cert)
  if (id === undefined) return undefined
  const resources = await get(ca.directory, ca.ca, send, now, signal)
  const base = resources.content['renewalInfo']
  if (typeof base !== 'string') return undefined
  const { content, headers } = await get(`${base.replace(/\/$/, '')}/${id}`, ca.ca, send, now, signal)
  const window = readWindow(content['suggestedWindow'])
  if (window === undefined) throw new Error('the CA sent renewal information without a window')
  const explanation = content['explanationURL']
  const againMs = retryAfterMs(headers['retry-after'], now()) ?? USUAL_MS
  return {
    window,
    explanation: typeof explanation === 'string' ? explanation.slice(0, 500) : undefined,
    againMs: Math.min(Math.max(againMs, SOONEST_MS), LATEST_MS),
  }
}

async function get(url: string, ca: string | undefined, send: Send, now: () => number, signal: AbortSignal) {
  const answered = await send({ method: 'GET', url, ca }, signal)
  if (answered.status !== 200) throw problemOf(answered, now())
  const content = parsed(answered.text)
  if (typeof content !== 'object' || content === null) throw new Error('the CA did not answer with a JSON object')
  return { headers: answered.headers, content: content as Record<string, unknown> }
}

function readWindow(value: unknown): RenewalWindow | undefined {
  if (typeof value !== 'object' || value === null || !('start' in value) || !('end' in value)) return undefined
  const [startMs, endMs] = [value.start, value.end].map((time) =>
    typeof time === 'string' ? Date.parse(time) : Number.NaN,
  )
  if (startMs === undefined || endMs === undefined || !(endMs > startMs)) return undefined
  return { startMs, endMs }
}

const AUTHORITY_KEY_ID = Buffer.from('551d23', 'hex')

/**
 * What a CA knows a certificate by: key identifier of the authority and serial number, base64url.
 * @param cert PEM, leaf first
 * @returns undefined for a certificate that does not name its authority's key
 * @see RFC 9773 section 4.1
 */
export function certificateId(cert: string): string | undefined {
  const [body] = derParts(derAt(new X509Certificate(cert).raw, 0).content)
  if (body === undefined) return undefined
  const fields = derParts(body.content)
  const serial = fields.find(({ tag }) => tag === DER.INTEGER)?.content
  const extensions = fields.find(({ tag }) => tag === DER.EXTENSIONS)?.content
  if (serial === undefined || extensions === undefined) return undefined
  for (const { content } of derParts(derAt(extensions, 0).content)) {
    const parts = derParts(content)
    if (parts[0]?.content.equals(AUTHORITY_KEY_ID) !== true) continue
    const value = parts.find(({ tag }) => tag === DER.OCTETS)
    if (value === undefined) return undefined
    const keyId = derParts(derAt(value.content, 0).content).find(({ tag }) => tag === DER.KEY_ID)
    return keyId === undefined ? undefined : `${keyId.content.toString('base64url')}.${serial.toString('base64url')}`
  }
  return undefined
}

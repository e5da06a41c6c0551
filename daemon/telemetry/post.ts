import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'

/** What a collector answered; `status` 0: it could not be reached. */
export type Posted = { readonly status: number; readonly retryAfterMs: number | null; readonly error: string | null }

/** Posts OTLP by HTTP. Never rejects. */
export type Post = (url: string, headers: Readonly<Record<string, string>>, body: Buffer) => Promise<Posted>

const DEADLINE_MS = 10_000

/** @param signal ends it at once */
export function poster(signal: AbortSignal, now: () => number): Post {
  return (url, headers, body) =>
    new Promise((resolve) => {
      const failed = (error: unknown) => {
        resolve({ status: 0, retryAfterMs: null, error: error instanceof Error ? error.message : String(error) })
      }
      try {
        const send = url.startsWith('https:') ? httpsRequest : httpRequest
        const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
        const type = { 'content-type': 'application/x-protobuf', 'content-length': body.length }
        const sent = send(url, { method: 'POST', headers: { ...headers, ...type }, signal: deadline })
        sent.once('error', failed)
        sent.once('response', (response) => {
          const { statusCode: status = 0, headers: answered } = response
          response.on('error', failed)
          response.resume() // nothing of what it says is used
          response.once('end', () =>
            resolve({ status, retryAfterMs: waitOf(answered['retry-after'], now()), error: null }),
          )
        })
        sent.end(body)
      } catch (error) {
        failed(error) // a header that Node refuses
      }
    })
}

/** Seconds, or a date. @see RFC 9110 section 10.2.3 */
function waitOf(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs
  return Number.isFinite(ms) ? Math.max(0, ms) : null
}

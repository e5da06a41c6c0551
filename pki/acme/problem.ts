import type { Answered } from './request.ts'

const ACME = 'urn:ietf:params:acme:error:'

/** The longest text of a CA that is shown. */
const MAX_DETAIL = 500

/** A CA's answer that is an error. @see RFC 8555 section 6.7, RFC 9457 */
export class AcmeProblem extends Error {
  /** Without its prefix: `rateLimited`, `unauthorized`, `dns`, …; empty when the answer named none. */
  readonly type: string
  readonly status: number
  /** How long the CA wants to be left alone; undefined: it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, type: string, status: number, retryAfterMs?: number) {
    super(message)
    this.type = type
    this.status = status
    this.retryAfterMs = retryAfterMs
  }
}

/** @param nowMs Unix milliseconds, for a Retry-After that names a date */
export function problemOf({ status, headers, text }: Answered, nowMs: number): AcmeProblem {
  const { type, words } = readProblem(parsed(text))
  const message = words === '' ? `the CA answered with status ${status}` : words
  return new AcmeProblem(message, type, status, retryAfterMs(headers['retry-after'], nowMs))
}

/**
 * The type and the words of a problem document, with those of its subproblems.
 * @param document whatever the CA sent in its place
 */
export function readProblem(document: unknown): { readonly type: string; readonly words: string } {
  if (typeof document !== 'object' || document === null) return { type: '', words: '' }
  const { type, detail, subproblems } = document as Record<string, unknown>
  const name = typeof type === 'string' ? type.replace(ACME, '') : ''
  const own = typeof detail === 'string' ? detail : ''
  const parts = Array.isArray(subproblems) ? subproblems.map((part) => readProblem(part).words) : []
  const words = [own, ...parts.filter((part) => part !== '' && part !== own)].join('; ')
  const shown = oneLine(name === '' ? words : `${name}: ${words}`)
  return { type: name, words: shown === ': ' ? '' : shown }
}

/** Milliseconds of a Retry-After, which is a number of seconds or a date; undefined for anything else. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

/** The text as JSON; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function oneLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
  return line.length > MAX_DETAIL ? `${line.slice(0, MAX_DETAIL)}…` : line
}

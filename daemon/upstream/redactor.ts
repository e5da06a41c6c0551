import { secretForms } from '../../syntax/secret/forms.ts'
import { createSearch } from '../../syntax/secret/search.ts'
import type { ResponseHeaders } from './forward-end.ts'

export const REDACTED = '[redacted]'

/** Takes one upstream's credential out of what comes back from it. */
export type Redactor = {
  readonly text: (text: string) => string
  readonly headers: (headers: ResponseHeaders) => ResponseHeaders
  /** For one answer, in the chunks in which it comes. */
  readonly body: () => BodyRedactor
}

/**
 * Finds the secret also where it is split over chunks: the end of one that may be its beginning is kept for the next.
 */
export type BodyRedactor = {
  readonly feed: (chunk: Buffer) => Buffer
  /** What was kept. */
  readonly end: () => Buffer
}

/** A shorter key is a placeholder ("none", "ollama"), and its text may be part of any answer. */
const SHORTEST_SECRET = 8
/** Placeholders that the documentation of engines recommends. */
const PLACEHOLDERS = new Set([
  'lm-studio',
  'llama.cpp',
  'llama-cpp',
  'not-needed',
  'no-key-required',
  'sk-no-key-required',
])
const NOTHING = Buffer.alloc(0)

/** Takes several secrets out, one after the other. @returns null where there is none to keep */
export function redactorOfAll(secrets: readonly string[]): Redactor | null {
  const all = secrets.flatMap((secret) => createRedactor(secret) ?? [])
  const [first] = all
  if (first === undefined || all.length === 1) return first ?? null
  return {
    text: (text) => all.reduce((left, redactor) => redactor.text(left), text),
    headers: (headers) => all.reduce((left, redactor) => redactor.headers(left), headers),
    body() {
      const bodies = all.map((redactor) => redactor.body())
      return {
        feed: (chunk) => bodies.reduce((left, body) => body.feed(left), chunk),
        end: () => bodies.reduce((left, body) => Buffer.concat([body.feed(left), body.end()]), NOTHING),
      }
    },
  }
}

/** @returns null where there is no secret to keep */
export function createRedactor(secret: string | undefined): Redactor | null {
  if (secret === undefined || secret.length < SHORTEST_SECRET || PLACEHOLDERS.has(secret)) return null
  const forms = secretForms(secret)
  const encoded = forms.map((form) => Buffer.from(form))
  const pattern = new RegExp(forms.map((form) => form.replace(/[^\w-]/g, '\\$&')).join('|'), 'g')
  const isInForm = new Uint8Array(256)
  for (const form of encoded) for (const byte of form.subarray(0, -1)) isInForm[byte] = 1
  const longest = Math.max(...encoded.map(({ length }) => length))

  const spelled = spellingsOf(secret)
  const text = (all: string) => spelled.text(all.replace(pattern, REDACTED))

  const isIn = createSearch(encoded)
  const withoutSecret = (chunk: Buffer) =>
    isIn(chunk) || spelled.mayBeIn(chunk) ? Buffer.from(text(chunk.toString('latin1')), 'latin1') : chunk

  /** Where the end begins that may be the beginning of the secret; the length when there is none. */
  function tailOf(chunk: Buffer): number {
    // almost every chunk ends with a byte that no form has: a line feed, a brace
    if (isInForm[chunk[chunk.length - 1] ?? 0] === 0) return chunk.length
    for (let at = Math.max(0, chunk.length - longest + 1); at < chunk.length; at += 1) {
      const length = chunk.length - at
      if (encoded.some((form) => form.length > length && chunk.compare(form, 0, length, at) === 0)) return at
    }
    return chunk.length
  }

  return {
    text,
    headers(headers) {
      const found = Object.values(headers).some((value) => value !== undefined && String(value).search(pattern) !== -1)
      if (!found) return headers
      const cleaned: Record<string, string | string[] | undefined> = {}
      for (const [name, value] of Object.entries(headers))
        cleaned[text(name)] = typeof value === 'string' ? text(value) : value?.map(text)
      return cleaned
    },
    body() {
      let kept: Buffer = NOTHING
      return {
        feed(chunk) {
          const clean = withoutSecret(kept.length === 0 ? chunk : Buffer.concat([kept, chunk]))
          const tail = Math.min(tailOf(clean), spelled.tailOf(clean))
          kept = tail === clean.length ? NOTHING : Buffer.from(clean.subarray(tail))
          return tail === clean.length ? clean : clean.subarray(0, tail)
        },
        end() {
          const last = kept
          kept = NOTHING
          return last
        },
      }
    },
  }
}

/** As JSON may write any character: `\\u0053` for S, with more backslashes inside a text that is JSON itself. */
const ESCAPE = /\\+(?:u([0-9a-fA-F]{0,4}))?/g

/**
 * The secret with any of its characters escaped: no encoder of today writes letters so, but every decoder reads them.
 */
function spellingsOf(secret: string) {
  const characters = new Set(secret)
  const hex = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0')
  const either = (digit: string) => (/[a-f]/.test(digit) ? `[${digit}${digit.toUpperCase()}]` : digit)
  const one = (character: string) =>
    `(?:\\\\*${character.replace(/[^\w-]/g, '\\$&')}|\\\\+u${[...hex(character)].map(either).join('')})`
  const pattern = new RegExp(Array.from(secret, one).join(''), 'g')
  /** With two backslashes each; more in a row are three texts inside each other, which nobody sends. */
  const longest = 7 * secret.length
  return {
    mayBeIn: (chunk: Buffer) => chunk.includes('\\u'),
    text: (all: string) => (all.includes('\\u') ? all.replace(pattern, REDACTED) : all),
    /**
     * Where an end begins in which an escaped character of the secret is, or may be cut off; the length when there is
     * none.
     */
    tailOf(chunk: Buffer): number {
      const start = Math.max(0, chunk.length - longest)
      if (chunk.indexOf(0x5c, start) === -1) return chunk.length
      const end = chunk.toString('latin1', start)
      for (const { 0: found, 1: digits = '', index } of end.matchAll(ESCAPE)) {
        const isCut = index + found.length === end.length && digits.length < 4
        const isOfSecret = digits.length === 4 && characters.has(String.fromCharCode(Number.parseInt(digits, 16)))
        if (isCut || isOfSecret) return Math.max(0, start + index - secret.length)
      }
      return chunk.length
    },
  }
}

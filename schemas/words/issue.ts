import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** What a validator found wrong, in words that people use, with TOML's names of types. */
export type IssueWords =
  | { readonly kind: 'unknown-keys'; readonly keys: readonly string[] }
  /** `options` is empty unless the value is one of a few. */
  | { readonly kind: 'missing'; readonly options: readonly string[] }
  /** `a table`, `an integer` */
  | { readonly kind: 'wrong-type'; readonly expected: string }
  | { readonly kind: 'not-one-of'; readonly options: readonly string[] }
  | { readonly kind: 'bad-name'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string }

/** @param value what is at the issue's path; undefined when nothing is */
export function issueWords(issue: Issue, value: unknown): IssueWords {
  if (issue.code === 'unrecognized_keys') return { kind: 'unknown-keys', keys: issue.keys }
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : []
  if (value === undefined) return { kind: 'missing', options }
  switch (issue.code) {
    case 'invalid_key':
      return { kind: 'bad-name', reason: issue.issues.map(({ message }) => message).join('; ') }
    case 'invalid_type':
      return { kind: 'wrong-type', expected: withArticle(issue.expected) }
    case 'invalid_value':
      return { kind: 'not-one-of', options }
    default:
      return { kind: 'invalid', reason: issue.message }
  }
}

/** Every issue on a line of its own words: `stop.after: is not an integer`. @param whole the name of the value itself */
export function issueLines(error: { readonly issues: readonly Issue[] }, root: unknown, whole: string): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    const place = path.join('.') || whole
    const words = issueWords(issue, valueAt(root, path))
    return words.kind === 'unknown-keys'
      ? words.keys.map((key) => `unknown key ${[...path, key].join('.')}`)
      : [`${place}: ${sentence(words)}`]
  })
}

function sentence(words: Exclude<IssueWords, { readonly kind: 'unknown-keys' }>): string {
  switch (words.kind) {
    case 'missing':
      return words.options.length === 0 ? 'is missing' : `is missing; use ${words.options.join(', ')}`
    case 'wrong-type':
      return `is not ${words.expected}`
    case 'not-one-of':
      return `is not one of: ${words.options.join(', ')}`
    case 'bad-name':
    case 'invalid':
      return words.reason
  }
}

const NAMES: Readonly<Record<string, string>> = { int: 'integer', record: 'table', object: 'table', tuple: 'array' }

function withArticle(expected: string): string {
  const name = NAMES[expected] ?? expected
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Readonly<Record<string, unknown>>)[step]
        : undefined,
    root,
  )
}

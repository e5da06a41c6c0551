import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** What a validator found wrong, in words that people use, with the names that a format has for types. */
export type IssueWords =
  | { readonly kind: 'unknown-keys'; readonly keys: readonly string[] }
  /** `options` is empty unless the value is one of a few. */
  | { readonly kind: 'missing'; readonly options: readonly string[] }
  /** `a table`, `an integer`; in JSON `an object` */
  | { readonly kind: 'wrong-type'; readonly expected: string }
  | { readonly kind: 'not-one-of'; readonly options: readonly string[] }
  | { readonly kind: 'bad-name'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string }

export type IssueFormat = 'toml' | 'json'

/** @param value what is at the issue's path; undefined when nothing is */
export function issueWords(issue: Issue, value: unknown, format: IssueFormat): IssueWords {
  if (issue.code === 'unrecognized_keys') return { kind: 'unknown-keys', keys: issue.keys }
  const options = issue.code === 'invalid_value' ? issue.values.map(String) : []
  if (value === undefined) return { kind: 'missing', options }
  switch (issue.code) {
    case 'invalid_key':
      return { kind: 'bad-name', reason: issue.issues.map(({ message }) => message).join('; ') }
    case 'invalid_type':
      return { kind: 'wrong-type', expected: withArticle(issue.expected, format) }
    case 'invalid_value':
      return { kind: 'not-one-of', options }
    default:
      return { kind: 'invalid', reason: reasonOf(issue) }
  }
}

/** What a text has to look like by its schema, in words; undefined where any text will do. */
export function textForm(schema: z.ZodType): string | undefined {
  const [issue] = schema.safeParse('\0').error?.issues ?? []
  if (issue === undefined) return undefined
  const words = issueWords(issue, '\0', 'toml')
  if (words.kind === 'not-one-of') return `use ${words.options.join(', ')}`
  return words.kind === 'invalid' && !words.reason.startsWith('does not') ? words.reason : undefined
}

/** The schema's own message, or plain words in place of the validator's. */
function reasonOf(issue: Issue): string {
  if (!/^(?:Too small|Too big|Invalid )/.test(issue.message)) return issue.message
  switch (issue.code) {
    case 'too_small':
      return limitText(issue.origin, Number(issue.minimum), issue.inclusive === false ? 'more than' : 'at least')
    case 'too_big':
      return limitText(issue.origin, Number(issue.maximum), issue.inclusive === false ? 'less than' : 'at most')
    case 'not_multiple_of':
      return `write a multiple of ${issue.divisor}`
    case 'invalid_format':
      return FORMATS[issue.format] ?? 'does not have the expected form'
    default:
      return 'does not have any of the known forms'
  }
}

const FORMATS: Readonly<Record<string, string>> = {
  email: 'write an address such as name@example.org',
  url: 'write a URL such as https://example.org',
  datetime: 'write a time such as 2026-11-29T12:00:00Z',
  base64: 'write base64',
}

function limitText(origin: string, limit: number, how: string): string {
  if (origin === 'string') return `write ${how} ${limit} ${limit === 1 ? 'character' : 'characters'}`
  if (origin === 'array' || origin === 'set') return `give ${how} ${limit} ${limit === 1 ? 'entry' : 'entries'}`
  return `write ${how} ${limit}`
}

/**
 * Every issue of a JSON value on a line of its own words: `stop.after: is not an integer`.
 * @param whole the name of the value itself
 */
export function issueLines(error: { readonly issues: readonly Issue[] }, root: unknown, whole: string): string[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String)
    const place = path.join('.') || whole
    const words = issueWords(issue, valueAt(root, path), 'json')
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

const NAMES: Readonly<Record<IssueFormat, Readonly<Record<string, string>>>> = {
  toml: { int: 'integer', record: 'table', object: 'table', tuple: 'array' },
  json: { int: 'integer', record: 'object', tuple: 'array' },
}

function withArticle(expected: string, format: IssueFormat): string {
  const name = NAMES[format][expected] ?? expected
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

/** What has one name, and what has one budget or limit for each of it. */
const NAMED = ['key', 'user', 'team', 'model', 'provider'] as const
const EACH = [...NAMED, 'ip'] as const
const NOT_PROVIDER = NAMED.filter((what) => what !== 'provider')

/**
 * Whose requests a budget or limit is about. `attached`: of the keys that name it. `named`: one thing. `each`: every one
 * of a kind has its own.
 */
export type PayerScope =
  | { readonly kind: 'global' }
  | { readonly kind: 'attached' }
  | { readonly kind: 'named'; readonly what: (typeof NAMED)[number]; readonly name: string }
  | { readonly kind: 'each'; readonly what: (typeof EACH)[number] }

const NAME = '[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\ufffe\\uffff]{1,200}'

/** How a scope is written. */
export const SCOPE_PATTERN = new RegExp(
  `^(?:global|attached|(?:${NAMED.join('|')}):${NAME}|each-(?:${NAMED.join('|')}))$`,
  'u',
)
/** The same of limits: an address can have them, but no provider, whose keys have limits of their own. */
export const LIMIT_SCOPE_PATTERN = new RegExp(
  `^(?:global|attached|(?:${NOT_PROVIDER.join('|')}):${NAME}|each-(?:${[...NOT_PROVIDER, 'ip'].join('|')}))$`,
  'u',
)

/** Reads a scope that fits one of the patterns. @throws RangeError when it does not */
export function payerScope(text: string): PayerScope {
  if (text === 'global' || text === 'attached') return { kind: text }
  const each = EACH.find((what) => text === `each-${what}`)
  if (each !== undefined) return { kind: 'each', what: each }
  const what = NAMED.find((one) => text.startsWith(`${one}:`))
  if (what === undefined) throw new RangeError(`not a scope: ${text}`)
  return { kind: 'named', what, name: text.slice(what.length + 1) }
}

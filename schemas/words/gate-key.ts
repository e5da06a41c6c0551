/** How a key begins that Gate makes; 43 characters of base64url follow. */
export const GATE_KEY_PREFIX = 'gate_'

/** What may be one, or most of one that was cut; names of metrics are shorter. */
const MAYBE_KEY = /gate(?:_|%5f)[\w-]{32,}/gi

/** A text without what looks like a key of Gate's: people put keys into paths, and in place of the names of models. */
export function withoutKeys(text: string): string {
  return text.length > 36 ? text.replace(MAYBE_KEY, 'gate_[redacted]') : text
}

/** How a key begins that Gate makes; 43 characters of base64url follow. */
export const GATE_KEY_PREFIX = 'gate_'
/** How the token of a session begins; the same follows. */
export const SESSION_PREFIX = 'gate_session_'

/** What may be one, or most of one that was cut; names of metrics are shorter. */
const MAYBE_KEY = /gate(?:_|%5f)[\w-]{32,}/i
const MAYBE_KEYS = new RegExp(MAYBE_KEY, 'gi')

/** Whether a text holds what looks like a key of Gate's. */
export const mayHoldKey = (text: string): boolean => MAYBE_KEY.test(text)

/** A text without what looks like a key of Gate's: people put keys into paths, and in place of the names of models. */
export function withoutKeys(text: string): string {
  return text.length > 36 ? text.replace(MAYBE_KEYS, 'gate_[redacted]') : text
}

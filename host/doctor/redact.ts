import { secretForms } from '../../syntax/secret/forms.ts'

/** What replaces a secret. */
export const REDACTED = '[redacted]'

/**
 * Text without what looks like a secret, and without the secrets that are known.
 * Rather too much than too little: a word of 20 or more characters that has letters of both cases and digits goes, too.
 * @param known secrets of this host; each is removed wherever it appears, also encoded
 */
export function redactText(text: string, known: readonly string[] = []): string {
  let result = text
  for (const secret of known.toSorted((a, b) => b.length - a.length))
    if (secret.length >= SHORTEST_KNOWN)
      for (const form of secretForms(secret)) result = result.replaceAll(form, REDACTED)
  for (const { pattern, keep } of PATTERNS) result = result.replace(pattern, keep ? `$1${REDACTED}` : REDACTED)
  return result.replace(WORD, (word) => (looksRandom(word) ? REDACTED : word))
}

/** Shorter ones would take every second word out of a log. */
const SHORTEST_KNOWN = 4

const SECRET_NAME =
  '(?:api[-_]?key|apikey|access[-_]?key|auth(?:orization)?|bearer|client[-_]?secret|cookie|credential|passw(?:or)?d|passphrase|private[-_]?key|secret|token|pwd)'

/** A name that has such a word in it: OPENAI_API_KEY, upstreams.openai.api_key, x-auth-token. */
const NAME_WORD = `[\\w.-]*${SECRET_NAME}[\\w.-]*`

export const namesSecret = (name: string): boolean => new RegExp(SECRET_NAME, 'i').test(name)

const PATTERNS: readonly { readonly pattern: RegExp; readonly keep: boolean }[] = [
  { pattern: /-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, keep: false },
  // user information of a URL
  { pattern: /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, keep: true },
  { pattern: /(\b(?:Bearer|Basic|Token)\s+)[^\s"',;]+/gi, keep: true },
  // NAME="value", name: 'value', "name":"value" go to the closing quote, also one that never comes
  { pattern: new RegExp(`(${NAME_WORD}["']?\\s*[=:]\\s*)(?:"(?:\\\\.|[^"\\\\\\n])*"?|'[^'\\n]*'?)`, 'gi'), keep: true },
  // name: value goes to the end of the line, NAME=value to the next space
  { pattern: new RegExp(`(${NAME_WORD}["']?\\s*:\\s+)[^"'\\n][^\\n]*`, 'gi'), keep: true },
  { pattern: new RegExp(`(${NAME_WORD}\\s*[=:]\\s*)[^\\s"'&]+`, 'gi'), keep: true },
  // --api-key value, "--api-key" "value"
  { pattern: new RegExp(`(--?${NAME_WORD}["']?\\s+)(?:"(?:\\\\.|[^"\\\\\\n])*"|\\S+)`, 'gi'), keep: true },
  { pattern: /([?&](?:key|k|sig|signature)=)[^\s&"']+/gi, keep: true },
  // keys of known make: ours, OpenAI, Anthropic, Google, Groq, xAI, GitHub, Hugging Face, Slack, AWS, JWT
  {
    pattern:
      /\b(?:gate_|sk-|pk-|rk-|AIza|gsk_|xai-|gh[pousr]_|github_pat_|hf_|xox[abprs]-|AKIA|ASIA|eyJ)[\w.=+/-]{6,}/g,
    keep: false,
  },
]

/** Words as keys are written. Digests of images (`sha256:…`) and paths are told apart in `looksRandom`. */
const WORD = /(?<![\w/.:@-])(?:[A-Za-z0-9_+=-]{20,})(?![\w/.])/g

function looksRandom(word: string): boolean {
  return /[a-z]/.test(word) && /[A-Z]/.test(word) && /\d/.test(word)
}

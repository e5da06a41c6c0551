const LONGEST_LINE = 300
const HIDDEN = '[hidden]'
/** `api_key=…`, `"token": "…"`, `Authorization: Bearer …`, and keys that say themselves what they are. */
const ASSIGNED =
  /((?:authorization|api[-_]?key|token|secret|password)["']?\s*[:=]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;]+/gi
const KEYS = /\b(?:sk|gate|hf|ghp|gho|glpat|xox[abp])[-_][\w-]{8,}/g

/**
 * The last lines of an engine's log, fit to be shown to an operator: at most `most` of them, each of bounded length, no
 * control characters (they could drive a terminal), no secret.
 */
export function shownLog(lines: readonly string[], secrets: readonly string[], most: number): string[] {
  return lines.slice(-most).map((line) => {
    const known = secrets.reduce((text, secret) => text.replaceAll(secret, HIDDEN), line)
    const clean = known
      .replace(ASSIGNED, `$1${HIDDEN}`)
      .replace(KEYS, HIDDEN)
      .replace(/\p{Cc}/gu, ' ')
    return clean.length > LONGEST_LINE ? `${clean.slice(0, LONGEST_LINE)}…` : clean
  })
}

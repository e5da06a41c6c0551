/**
 * The one form in which people and programs write the path of a key: TOML's dotted keys. A part that is not made of
 * letters, digits, `_` and `-` is in quotes: `models."gpt-4.1".targets`.
 * @see https://toml.io/en/v1.0.0#keys
 */

/** The text of a path, each part bare where TOML allows it. `parseKeyPath` undoes it. */
export function keyPathText(path: readonly string[]): string {
  return path.map((part) => (BARE.test(part) ? part : tomlText(part))).join('.')
}

const BARE = /^[A-Za-z0-9_-]+$/

/** A basic string of TOML: JSON's escapes are TOML's, but for DEL, which TOML wants escaped. */
export function tomlText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}

const PART = /"(?<basic>(?:[^"\\]|\\.)*)"|'(?<literal>[^']*)'|(?<bare>[^."'][^.]*)/y

/**
 * The parts of a path. More may be unquoted than in TOML: `models.org/model.targets`.
 * @returns undefined for what is not a path: an empty part, an open quote, something after a closing one
 */
export function parseKeyPath(text: string): string[] | undefined {
  const path: string[] = []
  for (let at = 0; ; at++) {
    PART.lastIndex = at
    const found = PART.exec(text)
    const part = found === null ? undefined : partOf(found)
    if (part === undefined) return undefined
    path.push(part)
    at = PART.lastIndex
    if (at === text.length) return path
    if (text[at] !== '.') return undefined
  }
}

function partOf({ groups: { basic, literal, bare } = {} }: RegExpExecArray): string | undefined {
  if (basic === undefined) return literal ?? bare
  try {
    return JSON.parse(`"${basic}"`) as string
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

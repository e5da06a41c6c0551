/** Names and texts of the Nix language, escaped. @see https://nix.dev/manual/nix/latest/language/string-literals */

const KEYWORDS = ['assert', 'else', 'if', 'in', 'inherit', 'let', 'or', 'rec', 'then', 'with']

/** One name of a path of attributes; quoted unless it is an identifier. */
export function attributeName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) && !KEYWORDS.includes(name) ? name : nixLiteral([name])
}

/** A part of a text: as it is, or the code of an expression that is interpolated. */
export type Part = string | { readonly code: string }

/** A double-quoted literal. @throws RangeError for what no Nix text can hold: NUL, and halves of surrogate pairs */
export function nixLiteral(parts: readonly Part[]): string {
  // neighbours are joined first: a "$" at the end of one and a "{" at the start of the next would interpolate
  const joined: Part[] = []
  for (const part of parts) {
    const last = joined.at(-1)
    if (typeof part === 'string' && typeof last === 'string') joined[joined.length - 1] = last + part
    else joined.push(part)
  }
  const texts = joined.map((part, i) => {
    if (typeof part !== 'string') return `\${${part.code}}`
    const next = joined[i + 1]
    // "$" before an interpolation would escape it
    return next !== undefined && part.endsWith('$') ? `${escapeText(part.slice(0, -1))}\\$` : escapeText(part)
  })
  return `"${texts.join('')}"`
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '${': '\\${',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escapeText(text: string): string {
  if (text.includes('\0') || !text.isWellFormed())
    throw new RangeError(`a Nix text cannot hold this: ${JSON.stringify(text)}`)
  return text.replace(/[\\"\n\r\t]|\$\{/g, (found) => ESCAPES[found] ?? found)
}

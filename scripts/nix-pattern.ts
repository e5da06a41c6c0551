/** Longer ones would fill the manual and say nothing to its readers. */
const LONGEST = 160

/** As `posixPattern`, for `types.strMatching`; undefined for what is too long for the manual, too. */
export function nixPattern(pattern: string): string | undefined {
  return pattern.length > LONGEST ? undefined : posixPattern(pattern)
}

/**
 * A regular expression of the schemas for `builtins.match`, which matches whole texts by POSIX extended syntax.
 * @returns undefined for what that syntax cannot say (assertions), or no reader could follow
 */
export function posixPattern(pattern: string): string | undefined {
  if (!pattern.startsWith('^') || !pattern.endsWith('$')) return undefined
  const body = pattern.slice(1, -1)
  const parts = body.match(/\[(?:\\.|[^\]\\])*\]|\\.|\(\?:|\(\?|[^\\[]/gs) ?? []
  const translated = parts.map(posix)
  return translated.includes(undefined) || parts.join('') !== body ? undefined : translated.join('')
}

function posix(part: string): string | undefined {
  if (part === '(?:') return '('
  if (part === '\\d') return '[0-9]'
  if (part === '\\s') return '[[:space:]]'
  if (part === '\\/') return '/'
  if (part.startsWith('[')) {
    // a backslash is an ordinary character inside brackets there
    const inner = part.replaceAll('\\s', '[:space:]').replaceAll('\\d', '0-9')
    return inner.includes('\\') ? undefined : inner
  }
  // an ordinary character needs no backslash, and may have none
  if (part === '\\]' || part === '\\}') return part.slice(1)
  if (part.startsWith('\\')) return /^\\[.[(){+*?|^$\\]$/.test(part) ? part : undefined
  return part === '(?' || part === '^' || part === '$' ? undefined : part
}

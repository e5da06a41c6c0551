/** A reader of unit files written from systemd.syntax(7), apart from the printer that it checks. */

/** Directives in order; comments and empty lines are skipped, lines that end in a backslash go on. */
export function readUnit(unit: string): { section: string; key: string; value: string }[] {
  const found: { section: string; key: string; value: string }[] = []
  let section = ''
  for (const line of unit
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    if (line.startsWith('[') && line.endsWith(']')) section = line.slice(1, -1)
    else found.push({ section, key: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) })
  }
  return found
}

/** Splits a value into words: quotes, backslash escapes, doubled `%` and, on a command line, doubled `$`. */
export function readWords(value: string, { dollars }: { readonly dollars: boolean }): string[] {
  const found: string[] = []
  let [word, quote, inWord] = ['', '', false]
  for (let at = 0; at < value.length; at++) {
    const c = value[at] ?? ''
    if (c === '\\') word += value[++at]
    else if (quote === c) quote = ''
    else if (quote !== '') word += c
    else if (/[ \t]/.test(c)) {
      if (inWord) found.push(word)
      ;[word, inWord] = ['', false]
      continue
    } else if ((c === '"' || c === "'") && word === '') quote = c
    else word += c
    inWord = true
  }
  if (inWord) found.push(word)
  return found.map((text) => {
    const percents = expand(text, '%')
    return dollars ? expand(percents, '$') : percents
  })
}

/** @throws Error when the sign stands alone: systemd would take what follows for a specifier or a variable */
function expand(word: string, sign: '%' | '$'): string {
  if (word.replaceAll(sign + sign, '').includes(sign)) throw new Error(`a lone ${sign} in ${word}`)
  return word.replaceAll(sign + sign, sign)
}

/** A reader of nginx's configuration written from its documentation, apart from the printer that it checks. */
export type NginxDirective = { readonly words: readonly string[]; readonly block?: readonly NginxDirective[] }

/** @throws Error when a block does not end, or something stands behind the last one */
export function readNginx(text: string): NginxDirective[] {
  const tokens = tokensOf(text)
  const level = (isTop: boolean): NginxDirective[] => {
    const found: NginxDirective[] = []
    let words: string[] = []
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      if ('word' in token) words.push(token.word)
      else if (token.sign === ';') found.push({ words: words.splice(0) })
      else if (token.sign === '{') found.push({ words: words.splice(0), block: level(false) })
      else if (isTop || words.length > 0) throw new Error('a "}" too many')
      else return found
    }
    if (!isTop || words.length > 0) throw new Error('the text ends inside a directive')
    words = []
    return found
  }
  return level(true)
}

type Token = { readonly word: string } | { readonly sign: '{' | '}' | ';' }

function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length; ) {
    const sign = text[at] ?? ''
    if (/\s/.test(sign)) at++
    else if (sign === '#') at = (text.indexOf('\n', at) + 1 || text.length + 1) - 1
    else if (sign === '{' || sign === '}' || sign === ';') {
      tokens.push({ sign })
      at++
    } else {
      const [word, end] = wordAt(text, at)
      tokens.push({ word })
      at = end
    }
  }
  return tokens
}

/**
 * A word, quoted or not; a backslash keeps the sign behind it and stays itself before all but quotes and backslashes.
 */
function wordAt(text: string, start: number): [word: string, end: number] {
  const quote = /["']/.test(text[start] ?? '') ? text[start] : undefined
  let word = ''
  for (let at = start + (quote === undefined ? 0 : 1); at < text.length; at++) {
    const sign = text[at] ?? ''
    if (sign === '\\') word += /[\\"']/.test(text[++at] ?? '') ? text[at] : `\\${text[at]}`
    else if (quote === undefined ? /[\s;{]/.test(sign) : sign === quote)
      return [word, quote === undefined ? at : at + 1]
    else word += sign
  }
  throw new Error('the text ends inside a word')
}

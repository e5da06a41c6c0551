const MAX_DEPTH = 100
const PYTHON: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' }
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const ESCAPABLE = '"\\/bfnrtu'

/**
 * Reads a text that is nearly JSON, as language models write it: fenced, with commas before a closing bracket, single
 * quotes, line breaks inside strings, words of Python, keys without quotes, brackets missing at the end, or the same
 * object twice. Strings and numbers stay as they are written.
 * @returns what it means, as JSON; null when it means nothing, or more than one thing
 */
export function nearlyJson(text: string): string | null {
  const reader = new Reader(unfenced(text))
  try {
    const values = new Set<string>()
    while (!reader.isAtEnd()) values.add(reader.value(0))
    if (values.size > 1) values.delete('{}') // some streams begin with an empty object
    const [value] = values
    return values.size === 1 && value !== undefined ? value : null
  } catch (error) {
    if (error instanceof Unreadable) return null
    throw error
  }
}

/** What is inside the one fence of Markdown. */
function unfenced(text: string): string {
  const parts = text.split('```')
  const [, inner] = parts
  return parts.length === 3 && inner !== undefined ? inner.replace(/^\s*[a-z\d]*(?=\s|[{[])/i, '') : text
}

class Unreadable extends Error {}

/** A parser that prints what it reads. */
class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  isAtEnd(): boolean {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? '_')) this.#at += 1
    return this.#at >= this.#text.length
  }

  value(depth: number): string {
    if (depth > MAX_DEPTH) throw new Unreadable()
    switch (this.#next()) {
      case '{':
        return this.#list('}', () => `${this.#key()}${this.#colon()}${this.value(depth + 1)}`)
      case '[':
        return this.#list(']', () => this.value(depth + 1))
      case '"':
      case "'":
        return this.#string()
      default: {
        const word = this.#word()
        if (depth > 0 && this.#at >= this.#text.length && NUMBER.test(word)) throw new Unreadable() // digits may be missing
        if (NUMBER.test(word) || word === 'true' || word === 'false' || word === 'null') return word
        const known = Object.hasOwn(PYTHON, word) ? PYTHON[word] : undefined
        if (known === undefined) throw new Unreadable()
        return known
      }
    }
  }

  /** What is between brackets; the text may end where the closing one is missing. */
  #list(close: '}' | ']', member: () => string): string {
    const open = this.#text[this.#at]
    this.#at += 1
    const members: string[] = []
    let mayFollow = true
    while (!this.isAtEnd() && this.#text[this.#at] !== close) {
      if (!mayFollow) throw new Unreadable()
      members.push(member())
      mayFollow = !this.isAtEnd() && this.#text[this.#at] === ','
      if (!mayFollow) continue
      this.#at += 1
      if (this.isAtEnd()) throw new Unreadable() // something is missing
    }
    this.#at += 1
    return `${open}${members.join(',')}${close}`
  }

  #key(): string {
    const first = this.#next()
    if (first === '"' || first === "'") return this.#string()
    const word = this.#word()
    if (!/^[A-Za-z_$]/.test(word)) throw new Unreadable()
    return JSON.stringify(word)
  }

  #colon(): string {
    if (this.#next() !== ':') throw new Unreadable()
    this.#at += 1
    return ':'
  }

  /** The next character, which stays. */
  #next(): string {
    if (this.isAtEnd()) throw new Unreadable()
    return this.#text[this.#at] ?? ''
  }

  #word(): string {
    const start = this.#at
    while (/[\w$.+-]/.test(this.#text[this.#at] ?? '')) this.#at += 1
    if (this.#at === start) throw new Unreadable()
    return this.#text.slice(start, this.#at)
  }

  #string(): string {
    const quote = this.#text[this.#at]
    const pieces = ['"']
    for (this.#at += 1; ; this.#at += 1) {
      const start = this.#at
      while (isPlain(this.#text.charCodeAt(this.#at))) this.#at += 1
      pieces.push(this.#text.slice(start, this.#at))
      const character = this.#text[this.#at]
      if (character === undefined) throw new Unreadable()
      if (character === quote) break
      if (character === '\\') pieces.push(this.#escape())
      else if (character === "'") pieces.push(character)
      else pieces.push(character === '"' ? '\\"' : JSON.stringify(character).slice(1, -1))
    }
    this.#at += 1
    pieces.push('"')
    return pieces.join('')
  }

  #escape(): string {
    this.#at += 1
    const escaped = this.#text[this.#at]
    if (escaped === "'") return escaped
    if (escaped === undefined || !ESCAPABLE.includes(escaped)) throw new Unreadable()
    if (escaped !== 'u') return `\\${escaped}`
    const code = this.#text.slice(this.#at + 1, this.#at + 5)
    if (!/^[\da-fA-F]{4}$/.test(code)) throw new Unreadable()
    this.#at += 4
    return `\\u${code}`
  }
}

/** Whether a character of a string stands for itself; NaN, at the end, does not. */
function isPlain(code: number): boolean {
  return code >= 0x20 && code !== 0x22 && code !== 0x27 && code !== 0x5c
}

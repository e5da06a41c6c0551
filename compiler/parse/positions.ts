import { pathId, type SpecPath } from '../spec-path.ts'

/** Offsets into the text; `end` is exclusive. */
export type Range = { readonly start: number; readonly end: number }

export type Positions = {
  /** By `pathId`: where the key stands that introduced the path. */
  readonly keys: ReadonlyMap<string, Range>
  /** By `pathId`: where the value stands. */
  readonly values: ReadonlyMap<string, Range>
  readonly repeated: readonly SpecPath[]
}

/**
 * Finds where every key and value stands, in TOML and in JSON. The parsers that give the values know no positions
 * and have already accepted the text, so this only has to recognise what is where; see toml.io/en/v1.0.0.
 */
export function indexPositions(text: string): Positions {
  const scan = new Scan(text)
  if (/^\s*\{/.test(text)) scan.value([])
  else scan.tables()
  return scan
}

type Steps = (string | number)[]

/** A cursor over the text. */
class Scan implements Positions {
  readonly keys = new Map<string, Range>()
  readonly values = new Map<string, Range>()
  readonly repeated: SpecPath[] = []
  readonly #text: string
  readonly #arrays = new Map<string, number>()
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** TOML: headers and assignments until the end. */
  tables(): void {
    let table: Steps = []
    for (this.#skip(); this.#at < this.#text.length; this.#skip()) {
      const before = this.#at
      if (this.#text[this.#at] === '[') table = this.#header()
      else this.#assignment(table)
      // The parser has accepted the text: no progress means that this scanner is wrong about it, never loop.
      if (this.#at === before) this.#at++
    }
  }

  value(path: Steps): void {
    this.#skip()
    const start = this.#at
    const first = this.#text[start]
    if (first === '{') this.#members(path)
    else if (first === '[') this.#elements(path)
    else if (first === '"' || first === "'") this.#string()
    else this.#bare()
    this.values.set(pathId(path), { start, end: this.#at })
  }

  #header(): Steps {
    const isArray = this.#text[this.#at + 1] === '['
    this.#at += isArray ? 2 : 1
    const path: Steps = []
    const start = this.#at
    const names = this.#keyPath()
    names.forEach(({ name, range }, i) => {
      path.push(name)
      const count = this.#arrays.get(pathId(path))
      if (!this.keys.has(pathId(path))) this.keys.set(pathId(path), range)
      if (i === names.length - 1 && isArray) path.push(this.#nextElement(path))
      else if (count !== undefined) path.push(count)
    })
    this.#at = this.#text.indexOf(']', this.#at) + (isArray ? 2 : 1)
    if (!this.values.has(pathId(path))) this.values.set(pathId(path), { start, end: this.#at - (isArray ? 2 : 1) })
    return path
  }

  #nextElement(path: SpecPath): number {
    const index = (this.#arrays.get(pathId(path)) ?? -1) + 1
    this.#arrays.set(pathId(path), index)
    return index
  }

  #assignment(table: Steps): void {
    const path = [...table]
    for (const { name, range } of this.#keyPath()) {
      path.push(name)
      const id = pathId(path)
      if (!this.keys.has(id)) this.keys.set(id, range)
      else if (this.values.has(id)) this.repeated.push([...path])
    }
    this.#skip()
    this.#at++ // "=" in TOML, ":" in JSON
    this.value(path)
  }

  #keyPath(): { name: string; range: Range }[] {
    const names: { name: string; range: Range }[] = []
    for (;;) {
      this.#skip()
      const start = this.#at
      const quote = this.#text[start]
      if (quote === '"' || quote === "'") this.#string()
      else while (/[A-Za-z0-9_-]/.test(this.#text[this.#at] ?? '')) this.#at++
      const range = { start, end: this.#at }
      names.push({ name: keyName(this.#text.slice(start, this.#at)), range })
      this.#skip()
      if (this.#text[this.#at] !== '.') return names
      this.#at++
    }
  }

  #members(path: Steps): void {
    this.#at++
    for (this.#skip(); this.#at < this.#text.length && this.#text[this.#at] !== '}'; this.#skip()) {
      this.#assignment(path)
      this.#skip()
      if (this.#text[this.#at] === ',') this.#at++
    }
    this.#at++
  }

  #elements(path: Steps): void {
    this.#at++
    let index = 0
    for (this.#skip(); this.#at < this.#text.length && this.#text[this.#at] !== ']'; this.#skip()) {
      this.value([...path, index++])
      this.#skip()
      if (this.#text[this.#at] === ',') this.#at++
    }
    this.#at++
  }

  #string(): void {
    const quote = this.#text[this.#at] ?? '"'
    const triple = this.#text.startsWith(quote.repeat(3), this.#at)
    this.#at += triple ? 3 : 1
    while (this.#at < this.#text.length) {
      if (quote === '"' && this.#text[this.#at] === '\\') this.#at += 2
      else if (!this.#text.startsWith(triple ? quote.repeat(3) : quote, this.#at)) this.#at++
      else break
    }
    this.#at += triple ? 3 : 1
    // up to two more quotes belong to the text of a multi-line string
    while (triple && this.#text[this.#at] === quote) this.#at++
  }

  #bare(): void {
    while (this.#at < this.#text.length && !/[,\]}#\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++
    while (/[ \t]/.test(this.#text[this.#at - 1] ?? '')) this.#at--
  }

  #skip(): void {
    for (;;) {
      while (/\s|\ufeff/.test(this.#text[this.#at] ?? '')) this.#at++
      if (this.#text[this.#at] !== '#') return
      const end = this.#text.indexOf('\n', this.#at)
      this.#at = end === -1 ? this.#text.length : end
    }
  }
}

/** The name that a written key stands for. */
function keyName(written: string): string {
  if (written.startsWith("'")) return written.slice(1, -1)
  if (!written.startsWith('"')) return written
  return written
    .slice(1, -1)
    .replace(/\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs, (_, short, long, letter) =>
      letter === undefined
        ? String.fromCodePoint(Math.min(Number.parseInt(short ?? long, 16), 0x10ffff))
        : ({ b: '\b', t: '\t', n: '\n', f: '\f', r: '\r' }[String(letter)] ?? String(letter)),
    )
}

/** Some editors put it at the start of a file. */
export const BOM = '\uFEFF'

/** From the root. Elements of lists count from '0'. */
type Path = readonly string[]
/** Where things are in a text. Offsets count UTF-16 units; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number }
/** One of the names that a key is made of by dots, and the path up to it. */
type Name = { readonly path: Path; readonly span: Span }
/** `key = value`, alone on its line (or lines), or inside an inline table. */
export type Pair = {
  readonly kind: 'pair'
  readonly path: Path
  readonly key: Span
  /** The names that the key is made of, each with the path up to it. */
  readonly names: () => readonly Name[]
  readonly value: Span
  readonly holds: 'table' | 'list' | 'scalar'
  /** The pair whose value this is inside of. */
  readonly inside: Pair | undefined
  /** From the start of the first line to the end of the last one, line break included. */
  readonly lines: Span
  /** The header it is under; undefined at the top. */
  readonly header: Header | undefined
}
/** `[path]` or, when `list`, `[[path]]`. */
export type Header = {
  readonly kind: 'header'
  readonly path: Path
  readonly list: boolean
  readonly key: Span
  /** The names that the key is made of, each with the path up to it. */
  readonly names: () => readonly Name[]
  readonly lines: Span
}
/** An element of a list value. */
type Element = { readonly kind: 'element'; readonly path: Path; readonly key: Span; readonly inside: Pair | undefined }
export type Item = Pair | Header | Element

/**
 * Finds every header, pair and list element. The parsers give values and no places, and have accepted the text before;
 * for any other text the answer means nothing. @see https://toml.io/en/v1.0.0
 */
export function scanToml(text: string): readonly Item[] {
  const cursor = startOf(text)
  let header: Header | undefined
  for (;;) {
    skipBlank(cursor)
    if (cursor.at >= text.length) return cursor.items
    if (text[cursor.at] === '[') header = readHeader(cursor)
    else readPair(cursor, header?.path ?? [], { inside: undefined, header })
  }
}

/** The same for a JSON object, which is read as an inline table. Its pairs are not on separate lines. */
export function scanJson(text: string): readonly Item[] {
  const cursor = startOf(text)
  skipBlank(cursor)
  const all = { start: cursor.at, end: text.length }
  const root = { kind: 'pair', path: [], key: all, names: () => [], value: all, holds: 'table', lines: all } as const
  readValue(cursor, root.path, { inside: { ...root, inside: undefined, header: undefined }, header: undefined })
  return cursor.items
}

type Place = { readonly inside: Pair | undefined; readonly header: Header | undefined }

/** The text, how far it was read, and what was found. */
type Cursor = {
  readonly text: string
  readonly items: Item[]
  /** Number of blocks of each `[[path]]` so far. */
  readonly blocks: Map<string, number>
  at: number
}

function startOf(text: string): Cursor {
  return { text, items: [], blocks: new Map(), at: text.startsWith(BOM) ? BOM.length : 0 }
}

function readHeader(cursor: Cursor): Header {
  const start = lineStart(cursor)
  const list = cursor.text.startsWith('[[', cursor.at)
  cursor.at += list ? 2 : 1
  const key = readKey(cursor)
  const { path, names } = blockPath(cursor.blocks, key, list)
  const header: Header = {
    kind: 'header',
    path,
    list,
    key: spanOf(key),
    names: () => names,
    lines: readLine(cursor, start),
  }
  cursor.items.push(header)
  return header
}

/** Steps into the last block of every `[[…]]` on the way; a new block gets the next number. */
function blockPath(blocks: Map<string, number>, key: Key, list: boolean): { path: Path; names: Name[] } {
  const path: string[] = []
  const names = key.map(({ name, span }, index): Name => {
    const own = [...path, name]
    path.push(name)
    const id = JSON.stringify(own)
    const count = blocks.get(id)
    if (list && index === key.length - 1) {
      blocks.set(id, (count ?? 0) + 1)
      path.push(String(count ?? 0))
    } else if (count !== undefined) path.push(String(count - 1))
    return { path: own, span }
  })
  return { path, names }
}

function readPair(cursor: Cursor, base: Path, place: Place): void {
  const start = place.inside === undefined ? lineStart(cursor) : cursor.at
  const key = readKey(cursor)
  const path = [...base, ...key.map(({ name }) => name)]
  // most readers need them for a few keys, and they take the square of their number
  const names = () => key.map(({ span }, i): Name => ({ path: path.slice(0, base.length + i + 1), span }))
  cursor.at += 1 // "=" in TOML, ":" in JSON
  skipBlank(cursor)
  const first = cursor.text[cursor.at]
  const holds = first === '{' ? 'table' : first === '[' ? 'list' : 'scalar'
  const value = { start: cursor.at, end: cursor.at }
  const lines = { start, end: start }
  const pair: Pair = { kind: 'pair', path, key: spanOf(key), names, value, holds, lines, ...place }
  cursor.items.push(pair)
  readValue(cursor, path, { inside: pair, header: place.header })
  value.end = cursor.at
  lines.end = place.inside === undefined ? readLine(cursor, start).end : cursor.at
}

function readValue(cursor: Cursor, path: Path, place: Place): void {
  const first = cursor.text[cursor.at]
  if (first === '{') readList(cursor, '}', () => readPair(cursor, path, place))
  else if (first === '[') readElements(cursor, path, place)
  else if (first === '"' || first === "'") readString(cursor)
  else {
    readPattern(cursor, /[^,\]}#\r\n]*/y)
    while (/[ \t]/.test(cursor.text[cursor.at - 1] ?? '')) cursor.at -= 1
  }
}

function readElements(cursor: Cursor, path: Path, place: Place): void {
  let index = 0
  readList(cursor, ']', () => {
    const key = { start: cursor.at, end: cursor.at }
    const element: Element = { kind: 'element', path: [...path, String(index)], key, inside: place.inside }
    index += 1
    cursor.items.push(element)
    readValue(cursor, element.path, place)
    key.end = cursor.at
  })
}

function readList(cursor: Cursor, close: string, readOne: () => void): void {
  cursor.at += 1
  for (;;) {
    skipBlank(cursor)
    if (cursor.at >= cursor.text.length) return
    const before = cursor.at
    const next = cursor.text[before]
    if (next === close || next === ',') cursor.at += 1
    else readOne()
    if (next === close) return
    // The parser has accepted the text: no progress means that this scanner is wrong about it, never loop.
    if (cursor.at === before) cursor.at += 1
  }
}

type Key = readonly { readonly name: string; readonly span: Span }[]

function readKey(cursor: Cursor): Key {
  const key: { name: string; span: Span }[] = []
  for (;;) {
    skipBlank(cursor)
    const start = cursor.at
    const first = cursor.text[start]
    if (first === '"' || first === "'") readString(cursor)
    else readPattern(cursor, BARE_KEY)
    key.push({ name: nameOf(cursor.text.slice(start, cursor.at)), span: { start, end: cursor.at } })
    skipBlank(cursor)
    if (cursor.text[cursor.at] !== '.') return key
    cursor.at += 1
  }
}

function spanOf(key: Key): Span {
  return { start: key[0]?.span.start ?? 0, end: key.at(-1)?.span.end ?? 0 }
}

function readString(cursor: Cursor): void {
  const { text } = cursor
  const quote = text[cursor.at] ?? '"'
  const isLong = text.startsWith(quote.repeat(3), cursor.at)
  const quotes = isLong ? quote.repeat(3) : quote
  cursor.at += quotes.length
  while (cursor.at < text.length && !text.startsWith(quotes, cursor.at))
    cursor.at += quote === '"' && text[cursor.at] === '\\' ? 2 : 1
  cursor.at += quotes.length
  // Up to two quotes may come directly before the closing three.
  for (let extra = 0; isLong && extra < 2 && text[cursor.at] === quote; extra++) cursor.at += 1
}

/** Spaces, line breaks and comments. */
function skipBlank(cursor: Cursor): void {
  const first = cursor.text[cursor.at]
  if (first === ' ' || first === '\n' || first === '#' || first === '\t' || first === '\r') readPattern(cursor, BLANK)
}

const BARE_KEY = /[A-Za-z0-9_-]*/y
const BLANK = /(?:[ \t\r\n]+|#[^\n]*)*/y

/** Moves past what the sticky pattern matches here; to the end when it does not, which a valid text never needs. */
function readPattern(cursor: Cursor, pattern: RegExp): void {
  pattern.lastIndex = cursor.at
  cursor.at = pattern.test(cursor.text) ? pattern.lastIndex : cursor.text.length
}

function lineStart({ text, at }: Cursor): number {
  const start = text.lastIndexOf('\n', at - 1) + 1
  return start === 0 && text.startsWith(BOM) ? BOM.length : start
}

/** The lines from `start` to the end of the one that was reached, which is passed. */
function readLine(cursor: Cursor, start: number): Span {
  const newline = cursor.text.indexOf('\n', cursor.at)
  cursor.at = newline === -1 ? cursor.text.length : newline + 1
  return { start, end: cursor.at }
}

/** The name that a bare or quoted key spells. */
function nameOf(written: string): string {
  if (written.startsWith("'")) return written.slice(1, -1)
  if (!written.startsWith('"')) return written
  return written
    .slice(1, -1)
    .replace(/\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs, (_, two, four, eight, letter) =>
      letter === undefined
        ? String.fromCodePoint(Math.min(Number.parseInt(two ?? four ?? eight, 16), 0x10ffff))
        : (ESCAPES[String(letter)] ?? String(letter)),
    )
}

const ESCAPES: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', e: '\x1b' }

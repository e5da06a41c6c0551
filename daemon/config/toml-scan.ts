import { parse } from 'smol-toml'
import type { Path } from './values.ts'

/** Some editors put it at the start of a file. */
export const BOM = '\uFEFF'

/** Where things are in a TOML text. Offsets count UTF-16 units; `end` is exclusive. */
export type Span = { readonly start: number; readonly end: number }
/** `key = value`, alone on its line (or lines), or inside an inline table. */
export type Pair = {
  readonly kind: 'pair'
  /** From the root. Elements of lists count from '0'. */
  readonly path: Path
  readonly key: Span
  readonly value: Span
  readonly holds: 'table' | 'list' | 'scalar'
  /** The pair whose value this is inside of. */
  readonly inside: Pair | undefined
  /** From the start of the first line to the end of the last one, line break included. */
  readonly lines: Span
  /** The header it stands under; undefined at the top. */
  readonly header: Header | undefined
}
/** `[path]` or, when `list`, `[[path]]`. */
export type Header = {
  readonly kind: 'header'
  readonly path: Path
  readonly list: boolean
  readonly key: Span
  readonly lines: Span
}
/** An element of a list value. */
type Element = { readonly kind: 'element'; readonly path: Path; readonly key: Span; readonly inside: Pair | undefined }
export type Item = Pair | Header | Element

/** Finds every header, pair and list element of a text that `parse` accepts; for any other text the answer means nothing. */
export function scanToml(text: string): readonly Item[] {
  const cursor: Cursor = { text, items: [], blocks: new Map(), at: text.startsWith(BOM) ? BOM.length : 0 }
  let header: Header | undefined
  for (;;) {
    skipBlank(cursor)
    if (cursor.at >= text.length) return cursor.items
    if (text[cursor.at] === '[') header = readHeader(cursor)
    else readPair(cursor, header?.path ?? [], { inside: undefined, header })
  }
}

/** 1-based line and column of an offset. */
export function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
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

function readHeader(cursor: Cursor): Header {
  const start = lineStart(cursor)
  const list = cursor.text.startsWith('[[', cursor.at)
  cursor.at += list ? 2 : 1
  const key = readKey(cursor)
  const path = blockPath(cursor.blocks, key.path, list)
  const header: Header = { kind: 'header', path, list, key: key.span, lines: readLine(cursor, start) }
  cursor.items.push(header)
  return header
}

/** Steps into the last block of every `[[…]]` on the way; a new block gets the next number. */
function blockPath(blocks: Map<string, number>, path: Path, list: boolean): Path {
  const resolved: string[] = []
  for (const [index, step] of path.entries()) {
    resolved.push(step)
    const id = JSON.stringify(resolved)
    const count = blocks.get(id)
    if (list && index === path.length - 1) {
      blocks.set(id, (count ?? 0) + 1)
      resolved.push(String(count ?? 0))
    } else if (count !== undefined) resolved.push(String(count - 1))
  }
  return resolved
}

function readPair(cursor: Cursor, base: Path, place: Place): void {
  const start = place.inside === undefined ? lineStart(cursor) : cursor.at
  const key = readKey(cursor)
  cursor.at += 1 // =
  skipSpace(cursor)
  const first = cursor.text[cursor.at]
  const holds = first === '{' ? 'table' : first === '[' ? 'list' : 'scalar'
  const value = { start: cursor.at, end: cursor.at }
  const lines = { start, end: start }
  const pair: Pair = { kind: 'pair', path: [...base, ...key.path], key: key.span, value, holds, lines, ...place }
  cursor.items.push(pair)
  readValue(cursor, pair.path, { inside: pair, header: place.header })
  value.end = cursor.at
  lines.end = place.inside === undefined ? readLine(cursor, start).end : cursor.at
}

function readValue(cursor: Cursor, path: Path, place: Place): void {
  const first = cursor.text[cursor.at]
  const long = ['"""', "'''"].find((quotes) => cursor.text.startsWith(quotes, cursor.at))
  if (first === '{') readList(cursor, '}', () => readPair(cursor, path, place))
  else if (first === '[') readElements(cursor, path, place)
  else if (long !== undefined) readLongString(cursor, long)
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
    const next = cursor.text[cursor.at]
    if (next === close || next === ',') cursor.at += 1
    else readOne()
    if (next === close) return
  }
}

function readKey(cursor: Cursor): { path: string[]; span: Span } {
  const path: string[] = []
  skipSpace(cursor)
  const start = cursor.at
  for (;;) {
    const from = cursor.at
    if (/["']/.test(cursor.text[cursor.at] ?? '')) readString(cursor)
    else readPattern(cursor, /[A-Za-z0-9_-]*/y)
    path.push(unquoted(cursor.text.slice(from, cursor.at)))
    const end = cursor.at
    skipSpace(cursor)
    if (cursor.text[cursor.at] !== '.') return { path, span: { start, end } }
    cursor.at += 1
    skipSpace(cursor)
  }
}

function readString(cursor: Cursor): void {
  readPattern(cursor, cursor.text[cursor.at] === '"' ? /"(?:[^"\\]|\\.)*"/y : /'[^']*'/y)
}

function readLongString(cursor: Cursor, quotes: string): void {
  const { text } = cursor
  cursor.at += 3
  while (cursor.at < text.length && !text.startsWith(quotes, cursor.at))
    cursor.at += quotes === '"""' && text[cursor.at] === '\\' ? 2 : 1
  cursor.at += 3
  // Up to two quotes may stand directly before the closing three.
  for (let extra = 0; extra < 2 && text[cursor.at] === quotes[0]; extra++) cursor.at += 1
}

function skipSpace(cursor: Cursor): void {
  readPattern(cursor, /[ \t]*/y)
}

/** Spaces, line breaks and comments. */
function skipBlank(cursor: Cursor): void {
  readPattern(cursor, /(?:[ \t\r\n]+|#[^\n]*)*/y)
}

/** Moves behind what the sticky pattern matches here; to the end when it does not, which a valid text never needs. */
function readPattern(cursor: Cursor, pattern: RegExp): void {
  pattern.lastIndex = cursor.at
  cursor.at = pattern.test(cursor.text) ? pattern.lastIndex : cursor.text.length
}

function lineStart({ text, at }: Cursor): number {
  const start = text.lastIndexOf('\n', at - 1) + 1
  return start === 0 && text.startsWith(BOM) ? BOM.length : start
}

/** The lines from `start` to the end of the one that was reached, which is left behind. */
function readLine(cursor: Cursor, start: number): Span {
  const newline = cursor.text.indexOf('\n', cursor.at)
  cursor.at = newline === -1 ? cursor.text.length : newline + 1
  return { start, end: cursor.at }
}

/** A bare or quoted key as its name. */
function unquoted(raw: string): string {
  if (!/^["']/.test(raw)) return raw
  const { k } = parse(`k = ${raw}`)
  return typeof k === 'string' ? k : raw
}

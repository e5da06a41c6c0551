import { parse, TomlError } from 'smol-toml'
import { keyPathText } from '../../schemas/words/key-path.ts'
import { isTree, leafPaths, type Path, sameValue, type Tree, valueAt, withoutValue, withValue } from '../tree.ts'
import { BOM, type Header, type Item, type Pair, type Span, scanToml } from './scan.ts'
import { valueText } from './text.ts'

/** The new text, or why the edit cannot be done within the layout that the user chose. */
export type Edit =
  | { readonly kind: 'edited'; readonly text: string }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Sets one value in a TOML text. Only the lines that say it change: comments, order and layout stay.
 * A table replaces what is under the path, key by key. A value that is there already changes nothing.
 * @param text that `parse` accepts
 */
export function setInToml(text: string, path: Path, value: unknown): Edit {
  const before = tableOf(text)
  if (sameValue(valueAt(before, path), value)) return { kind: 'edited', text }
  let next = text
  if (isTree(value)) {
    const wanted = new Set(parts(value, path).map((part) => JSON.stringify(part.path)))
    for (const old of leafPaths(valueAt(before, path) ?? {}, path)) {
      if (wanted.has(JSON.stringify(old))) continue
      const edit = removed(next, old)
      if (edit.kind === 'refused') return edit
      next = edit.text
    }
  }
  for (const part of parts(value, path)) {
    const edit = inserted(next, part.path, part.value)
    if (edit.kind === 'refused') return edit
    next = edit.text
  }
  return verified(next, withValue(before, path, value))
}

/**
 * Removes a value, or everything under a table. Comments on separate lines stay. The header of the table that it was in
 * is removed as well when nothing is left below it.
 * @param isEntry whether an empty table says something, as the name of an upstream does; its header stays
 */
export function unsetInToml(text: string, path: Path, isEntry: (table: Path) => boolean = () => false): Edit {
  const edit = removed(text, path)
  if (edit.kind === 'refused') return edit
  const table = path.slice(0, -1)
  const next = edit.text === text || isEntry(table) ? edit.text : withoutEmptyHeader(edit.text, table)
  return verified(next, withoutValue(tableOf(text), path))
}

/** A blank line, then maybe the comments of what comes next. */
const BLANK_THEN_COMMENTS = /^([ \t]*\r?\n)+(?:[ \t]*#[^\n]*\n)*$/

function withoutEmptyHeader(text: string, table: Path): string {
  const items = scanToml(text).filter((item) => item.kind !== 'element')
  const at = items.findIndex((item) => item.kind === 'header' && !item.list && sameValue(item.path, table))
  const [header, next] = items.slice(at, at + 2)
  if (at === -1 || header === undefined || next?.kind === 'pair') return text
  const between = text.slice(header.lines.end, next?.lines.start)
  if (next === undefined) {
    if (between.trim() !== '') return text
    return text.slice(0, header.lines.start).replace(/(?<=\n)[ \t]*\r?\n$/, '') // the one that set it apart
  }
  const isFree = between.trim() === '' || BLANK_THEN_COMMENTS.test(between)
  const blank = /^(?:[ \t]*\r?\n)*/.exec(between)?.[0].length ?? 0
  return isFree ? spliced(text, { start: header.lines.start, end: header.lines.end + blank }, '') : text
}

/** Whatever an edit did, its result says what was asked and nothing else, or it is refused. */
function verified(text: string, expected: Tree): Edit {
  const reason = 'it cannot be written without changing the layout of the file'
  try {
    const same = sameValue(withoutEmptyTables(tableOf(text)), withoutEmptyTables(expected))
    return same ? { kind: 'edited', text } : { kind: 'refused', reason }
  } catch (error) {
    if (error instanceof TomlError) return { kind: 'refused', reason }
    throw error
  }
}

function inserted(text: string, path: Path, value: unknown): Edit {
  const items = scanToml(text)
  const edited = (next: string): Edit => ({ kind: 'edited', text: next })
  const exact = items.find((item): item is Pair => item.kind === 'pair' && sameValue(item.path, path))
  if (exact !== undefined) return edited(spliced(text, exact.value, valueText(value)))
  const below = items.find((item) => item.path.length > path.length && isPrefix(path, item.path))
  if (isTree(value) && below !== undefined) return edited(text)
  if (below !== undefined) {
    const written = below.kind === 'header' && below.list ? `[[${keyPathText(path)}]] blocks` : 'a table'
    return { kind: 'refused', reason: `it is written as ${written}; unset it first, or edit the file` }
  }
  const inline = deepest(items.filter((item): item is Pair => item.kind === 'pair' && isPrefix(item.path, path)))
  if (inline !== undefined) {
    if (inline.holds !== 'table')
      return { kind: 'refused', reason: `${keyPathText(inline.path)} is written as a value` }
    return edited(
      intoInlineTable(text, items, inline, `${keyPathText(path.slice(inline.path.length))} = ${valueText(value)}`),
    )
  }
  const dotted = dottedSibling(items, path)
  if (dotted !== undefined) {
    const key = keyPathText(path.slice(dotted.header?.path.length ?? 0))
    return edited(lineAfter(text, dotted.lines.end, `${indent(text, dotted)}${key} = ${valueText(value)}`))
  }
  if (isTree(value)) return edited(newTable(text, path, undefined))
  return edited(intoTable(text, items, path, valueText(value)))
}

/** Under the path's own header, after the pairs that are there; a header that is missing is put at the end. */
function intoTable(text: string, items: readonly Item[], path: Path, value: string): string {
  const parent = path.slice(0, -1)
  const line = `${keyPathText(path.slice(-1))} = ${value}`
  const header = items.find((item): item is Header => item.kind === 'header' && sameValue(item.path, parent))
  if (header === undefined && parent.length > 0) return newTable(text, parent, line)
  const last = items.findLast((item): item is Pair => item.kind === 'pair' && !item.inside && item.header === header)
  if (last !== undefined) return lineAfter(text, last.lines.end, `${indent(text, last)}${line}`)
  if (header !== undefined) return lineAfter(text, header.lines.end, `${indent(text, header)}${line}`)
  return lineAfter(text, text.startsWith(BOM) ? BOM.length : 0, line)
}

function newTable(text: string, path: Path, line: string | undefined): string {
  const newline = newlineOf(text)
  const blank = text === '' || text === BOM || /\n[ \t\r]*\n$/.test(text) ? '' : newline
  const end = text === '' || text === BOM || text.endsWith('\n') ? '' : newline
  return `${text}${end}${blank}[${keyPathText(path)}]${newline}${line === undefined ? '' : `${line}${newline}`}`
}

/** After the last pair of an inline table: a comma that ends the table, if any, then follows the new one. */
function intoInlineTable(text: string, items: readonly Item[], table: Pair, pair: string): string {
  const last = items.findLast((item): item is Pair => item.kind === 'pair' && item.inside === table)
  if (last !== undefined) return spliced(text, { start: last.value.end, end: last.value.end }, `, ${pair}`)
  const open = table.value.start + 1
  const space = /\s/.test(text[open] ?? '') ? '' : ' '
  return spliced(text, { start: open, end: open }, ` ${pair}${space}`)
}

/**
 * The pair after which a key must be written in dotted form: one that made a table on the way to the path by a dotted
 * key, because TOML does not let a header open such a table again.
 */
function dottedSibling(items: readonly Item[], path: Path): Pair | undefined {
  const shared = (pair: Pair) => {
    const steps = pair.path.slice(0, -1)
    const different = steps.findIndex((step, index) => step !== path[index])
    return Math.min(different === -1 ? steps.length : different, path.length - 1)
  }
  const dotted = items.filter(
    (item): item is Pair =>
      item.kind === 'pair' &&
      !item.inside &&
      shared(item) > (item.header?.path.length ?? 0) &&
      isPrefix(item.header?.path ?? [], path),
  )
  return dotted.reduce<Pair | undefined>((best, pair) => (best && shared(best) > shared(pair) ? best : pair), undefined)
}

function removed(text: string, path: Path): Edit {
  const under = scanToml(text).filter((item) => isPrefix(path, item.path))
  const lines = under.flatMap((item) =>
    item.kind === 'header' || (item.kind === 'pair' && !item.inside) ? [item.lines] : [],
  )
  let next = lines.reduceRight((rest, span) => spliced(rest, span, ''), text)
  for (;;) {
    const items = scanToml(next)
    const pair = items.find((item): item is Pair => item.kind === 'pair' && isPrefix(path, item.path))
    if (pair === undefined) return { kind: 'edited', text: next }
    const table = pair.inside
    if (table === undefined) return { kind: 'refused', reason: 'it cannot be removed from where it is written' }
    next = withoutInlinePair(next, items, pair)
  }
}

/** Removes a pair of an inline table with the comma after it, or the one before it when it is the last. */
function withoutInlinePair(text: string, items: readonly Item[], pair: Pair): string {
  const siblings = items.filter((item): item is Pair => item.kind === 'pair' && item.inside === pair.inside)
  const previous = siblings[siblings.indexOf(pair) - 1]
  const after = blankEnd(text, pair.value.end)
  if (text[after] === ',') {
    const comma = { start: after, end: after + (/^,[ \t]*/.exec(text.slice(after))?.[0].length ?? 1) }
    return spliced(spliced(text, comma, ''), { start: pair.key.start, end: pair.value.end }, '')
  }
  const space = /[ \t]*$/.exec(text.slice(0, pair.key.start))?.[0].length ?? 0
  const rest = spliced(text, { start: pair.key.start - space, end: pair.value.end }, '')
  if (previous === undefined) return rest
  const comma = blankEnd(text, previous.value.end)
  return spliced(rest, { start: comma, end: comma + 1 }, '')
}

/** Where spaces, line breaks and comments end. */
function blankEnd(text: string, start: number): number {
  return start + (/^(?:\s+|#[^\n]*)*/.exec(text.slice(start))?.[0].length ?? 0)
}

/** Puts a line where a line starts or the text ends; without a line break at the end when there was none. */
function lineAfter(text: string, at: number, line: string): string {
  const newline = newlineOf(text)
  const opened = at > 0 && text[at - 1] !== '\n' && text[at - 1] !== BOM
  return spliced(text, { start: at, end: at }, opened ? `${newline}${line}` : `${line}${newline}`)
}

function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

function indent(text: string, item: Pair | Header): string {
  return /^[ \t]*/.exec(text.slice(item.lines.start))?.[0] ?? ''
}

function spliced(text: string, span: Span, replacement: string): string {
  return `${text.slice(0, span.start)}${replacement}${text.slice(span.end)}`
}

function deepest(pairs: readonly Pair[]): Pair | undefined {
  return pairs.reduce<Pair | undefined>(
    (best, pair) => (best && best.path.length >= pair.path.length ? best : pair),
    undefined,
  )
}

/** The values in a table with their paths; an empty table counts as one. */
function parts(value: unknown, path: Path): { path: Path; value: unknown }[] {
  const entries = isTree(value) ? Object.entries(value).filter(([, inner]) => inner !== undefined) : []
  return entries.length === 0 ? [{ path, value }] : entries.flatMap(([key, inner]) => parts(inner, [...path, key]))
}

function isPrefix(short: Path, long: Path): boolean {
  return short.length <= long.length && short.every((step, index) => long[index] === step)
}

function tableOf(text: string): Tree {
  const table: unknown = parse(text)
  return isTree(table) ? table : {}
}

function withoutEmptyTables(tree: Tree): Tree {
  const entries = Object.entries(tree).map(
    ([key, value]) => [key, isTree(value) ? withoutEmptyTables(value) : value] as const,
  )
  return Object.fromEntries(entries.filter(([, value]) => !isTree(value) || Object.keys(value).length > 0))
}

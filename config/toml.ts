import type { ConfigProblem } from '../schemas/config/layers.ts'
import { readToml } from '../syntax/toml/read.ts'
import { type Item, scanToml } from '../syntax/toml/scan.ts'
import type { Path, Tree } from '../syntax/tree.ts'

/** A parsed TOML text; `whereOf` says `file:line:col` of the nearest thing written for a path. */
export type TomlDocument = {
  readonly text: string
  readonly values: Tree
  readonly whereOf: (path: Path) => string
}

/** Deepest nesting of lists and inline tables; configuration needs three. */
const MAX_DEPTH = 20

/** @returns the document, or the problem with its place; never a line of the text, which may hold secrets */
export function parseToml(text: string, file: string): TomlDocument | ConfigProblem {
  const read = readToml(text, { maxDepth: MAX_DEPTH })
  if ('reason' in read) {
    const where = `${file}:${read.line}:${read.column}`
    return { code: 'INVALID_TOML', layer: 'runtime', where, message: `is not valid TOML: ${read.reason}` }
  }
  let items: readonly Item[] | undefined
  const whereOf = (path: Path) => {
    items ??= scanToml(text)
    const start = nearestItem(items, path)?.key.start
    if (start === undefined) return file
    const { line, column } = lineAndColumn(text, start)
    return `${file}:${line}:${column}`
  }
  return { text, values: read.values, whereOf }
}

/** What is written for the path itself, else for something under it, else for the nearest table above it. */
function nearestItem(items: readonly Item[], path: Path): Item | undefined {
  const startsWith = (long: Path, short: Path) => short.every((step, index) => long[index] === step)
  const under = items.filter((item) => startsWith(item.path, path))
  const exact = under.find((item) => item.path.length === path.length)
  if (exact !== undefined) return exact
  if (under[0] !== undefined) return under[0]
  const above = items.filter((item) => item.path.length > 0 && startsWith(path, item.path))
  return above.reduce<Item | undefined>(
    (best, item) => (best && best.path.length >= item.path.length ? best : item),
    undefined,
  )
}

/** 1-based line and column of an offset. */
function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

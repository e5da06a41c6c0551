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

/** Deepest nesting of tables, lists and inline tables; configuration needs five. */
const MAX_DEPTH = 20

/**
 * Largest runtime file, in characters: a thousand models and upstreams. Reading one of this size takes some 50 ms of
 * the loop that serves requests.
 */
const LONGEST_TEXT = 128 * 1024

/** @returns the document, or the problem with its place; never a line of the text, which may hold secrets */
export function parseToml(text: string, file: string): TomlDocument | ConfigProblem {
  const problem = (where: string, message: string): ConfigProblem => {
    return { code: 'INVALID_TOML', layer: 'runtime', where, message }
  }
  if (text.length > LONGEST_TEXT) return problem(file, 'is larger than 128 KiB, which no configuration is')
  const read = readToml(text, { maxDepth: MAX_DEPTH })
  if ('reason' in read) return problem(`${file}:${read.line}:${read.column}`, `is not valid TOML: ${read.reason}`)
  const tooMuch = excess(read.values)
  if (tooMuch !== undefined) return problem(file, tooMuch)
  let index: Branch | undefined
  let lines: readonly number[] | undefined
  const whereOf = (path: Path) => {
    index ??= indexed(scanToml(text))
    const start = nearestItem(index, path)?.key.start
    if (start === undefined) return file
    lines ??= [...text.matchAll(/\n/g)].map((found) => found.index + 1)
    const { line, column } = lineAndColumn(lines, start)
    return `${file}:${line}:${column}`
  }
  return { text, values: read.values, whereOf }
}

/** More keys and elements than any configuration has: what comes after the parser costs several times what it does. */
const MOST_VALUES = 4_000

/** Why values that the parser took are not looked at: dotted keys nest as deep as they are long. */
function excess(values: unknown): string | undefined {
  let count = 0
  let level = [values]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return `has tables nested more than ${MAX_DEPTH} deep`
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
    count += level.length
    if (count > MOST_VALUES) return `has more than ${MOST_VALUES} keys and elements, which no configuration has`
  }
  return undefined
}

/** What is written for a path: itself, and the first thing under it. */
type Branch = { own: Item | undefined; first: Item | undefined; readonly below: Map<string, Branch> }

function indexed(items: readonly Item[]): Branch {
  const root: Branch = { own: undefined, first: undefined, below: new Map() }
  for (const item of items) {
    let branch = root
    for (const step of item.path) {
      branch.first ??= item
      const next: Branch = branch.below.get(step) ?? { own: undefined, first: undefined, below: new Map() }
      branch.below.set(step, next)
      branch = next
    }
    branch.own ??= item
  }
  return root
}

/** What is written for the path itself, else for something under it, else for the nearest table above it. */
function nearestItem(root: Branch, path: Path): Item | undefined {
  let branch = root
  let above: Item | undefined
  for (const step of path) {
    const next = branch.below.get(step)
    if (next === undefined) return above
    branch = next
    above = branch.own ?? above
  }
  return branch.own ?? branch.first ?? above
}

/** 1-based line and column of an offset. @param lines where each line but the first starts */
function lineAndColumn(lines: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let low = 0
  let high = lines.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((lines[middle] ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return { line: low + 1, column: offset - (lines[low - 1] ?? 0) + 1 }
}

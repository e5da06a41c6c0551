import { pathId, type Span, type SpecPath } from '../../schemas/spec/path.ts'
import { indexPositions, type Positions } from './positions.ts'

/** The text of a spec and the place of everything in it. */
export type Source = {
  readonly file: string
  readonly text: string
  /** The place of the value; when it is not written, of its nearest written parent. */
  valueSpan(path: SpecPath): Span
  /** The place of the key, or of its nearest written parent's. */
  keySpan(path: SpecPath): Span
  /** The longest part of the path that is written in the text. */
  writtenPath(path: SpecPath): SpecPath
  spanAt(start: number, end: number): Span
  /** Keys that are written a second time, and where (JSON only: TOML refuses them itself). */
  readonly repeated: readonly { readonly path: SpecPath; readonly span: Span }[]
}

/** @param text must be well-formed TOML or JSON; positions of anything else are meaningless */
export function indexSource(file: string, text: string): Source {
  const { keys, values, repeated } = indexPositions(text)
  const lines = lineStarts(text)
  const spanAt = (start: number, end: number): Span => {
    const line = lineOf(lines, start)
    const from = lines[line] ?? 0
    const lineEnd = (lines[line + 1] ?? text.length + 1) - 1
    return {
      file,
      line: line + 1,
      column: start - from + 1,
      endColumn: Math.max(start + 1, Math.min(end, lineEnd)) - from + 1,
    }
  }
  const find = (path: SpecPath, ranges: readonly Positions['keys'][]): Span => {
    for (let length = path.length; length > 0; length--) {
      const id = pathId(path.slice(0, length))
      for (const map of ranges) {
        const range = map.get(id)
        if (range !== undefined) return spanAt(range.start, range.end)
      }
    }
    return spanAt(0, 1)
  }
  return {
    file,
    text,
    repeated: repeated.map(({ path, again }) => ({ path, span: spanAt(again.start, again.end) })),
    writtenPath: (path) => {
      let length = path.length
      while (length > 0 && !keys.has(pathId(path.slice(0, length))) && !values.has(pathId(path.slice(0, length))))
        length--
      return path.slice(0, length)
    },
    spanAt,
    valueSpan: (path) => find(path, [values, keys]),
    keySpan: (path) => find(path, [keys, values]),
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function lineOf(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}

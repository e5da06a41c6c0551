import { pathId, type SpecPath } from '../../schemas/spec/path.ts'
import { type Span, scanJson, scanToml } from '../../syntax/toml/scan.ts'

export type Positions = {
  /** By `pathId`: the place of the key that introduced the path. */
  readonly keys: ReadonlyMap<string, Span>
  /** By `pathId`: the place of the value. */
  readonly values: ReadonlyMap<string, Span>
  /** Keys that are there a second time, and where that is. */
  readonly repeated: readonly Repeated[]
}

type Repeated = { readonly path: SpecPath; readonly again: Span }

/** Finds the place of every key and value, in TOML and in JSON that a parser has accepted. */
export function indexPositions(text: string): Positions {
  const items = /^\s*\{/.test(text) ? scanJson(text) : scanToml(text)
  const keys = new Map<string, Span>()
  const values = new Map<string, Span>()
  const repeated: Repeated[] = []
  const elements = new Set<string>()
  // to the scanner all steps are texts; in a path of the spec indexes are numbers
  const specPath = (path: readonly string[]): SpecPath =>
    path.map((step, i) => (elements.has(pathId(path.slice(0, i + 1))) ? Number(step) : step))
  for (const item of items) {
    for (const { path, span } of item.kind === 'element' ? [] : item.names()) {
      const id = pathId(path)
      if (!keys.has(id)) keys.set(id, span)
      else if (item.kind === 'pair' && values.has(id)) repeated.push({ path: specPath(path), again: span })
    }
    const id = pathId(item.path)
    if (item.kind === 'element') elements.add(id)
    if (item.kind === 'pair') values.set(id, item.value)
    else if (item.kind === 'element' || !values.has(id)) values.set(id, item.key)
  }
  return { keys, values, repeated }
}

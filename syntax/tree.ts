import { isDeepStrictEqual } from 'node:util'

/** Keys and names from the root: `['upstreams', 'openai', 'api_key']`. */
export type Path = readonly string[]
/** A table of parsed TOML or JSON. Only own properties count. */
export type Tree = { readonly [key: string]: unknown }

export function isTree(value: unknown): value is Tree {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** The value at a path; undefined when it is not there. List elements are reached by their index. */
export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (isTree(at)) at = Object.hasOwn(at, step) ? at[step] : undefined
    else at = Array.isArray(at) ? (at as readonly unknown[])[Number(step)] : undefined
  }
  return at
}

/** A copy with `value` at `path`; whatever is on the way and no table is replaced by one. */
export function withValue(tree: Tree, path: Path, value: unknown): Tree {
  const [step, ...rest] = path
  if (step === undefined) return isTree(value) ? value : tree
  const below = valueAt(tree, [step])
  const next = rest.length === 0 ? value : withValue(isTree(below) ? below : {}, rest, value)
  return ownCopy(tree, [[step, next]])
}

/** A copy without what is at `path`. */
export function withoutValue(tree: Tree, path: Path): Tree {
  const [step, ...rest] = path
  if (step === undefined) return {}
  if (!Object.hasOwn(tree, step)) return tree
  const below = tree[step]
  if (rest.length > 0) return isTree(below) ? ownCopy(tree, [[step, withoutValue(below, rest)]]) : tree
  return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== step))
}

/** A copy without what is at any of the paths; each table is copied once, however many there are. */
export function withoutValues(tree: Tree, paths: readonly Path[]): Tree {
  if (paths.length === 0) return tree
  if (paths.some((path) => path.length === 0)) return {}
  const below = Map.groupBy(paths, ([step = '']) => step)
  const entries = Object.entries(tree).flatMap(([key, value]) => {
    const rest = (below.get(key) ?? []).map((path) => path.slice(1))
    if (rest.some((path) => path.length === 0)) return []
    return [[key, isTree(value) ? withoutValues(value, rest) : value] as const]
  })
  return Object.fromEntries(entries)
}

/** Puts trees over each other, the strongest first: tables merge, everything else replaces. */
export function merge(trees: readonly Tree[]): Tree {
  const merged = new Map<string, unknown>()
  for (const tree of trees.toReversed())
    for (const key of Object.keys(tree)) {
      const value = tree[key]
      const under = merged.get(key)
      merged.set(key, isTree(value) && isTree(under) ? merge([value, under]) : value)
    }
  return Object.fromEntries(merged)
}

/** Paths of the values in a tree, in order. An empty table is none; a list is one value. */
export function* leafPaths(value: unknown, path: Path = []): Generator<Path> {
  if (!isTree(value)) yield path
  else
    for (const [key, below] of Object.entries(value)) if (below !== undefined) yield* leafPaths(below, [...path, key])
}

export function sameValue(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(plain(a), plain(b))
}

/** Tables without prototype differ from those with one only for `isDeepStrictEqual`. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (!isTree(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** Unlike a spread and an assignment, it never sets a prototype through the key `__proto__`. */
function ownCopy(tree: Tree, changes: readonly (readonly [string, unknown])[]): Tree {
  return Object.fromEntries([...Object.entries(tree), ...changes])
}

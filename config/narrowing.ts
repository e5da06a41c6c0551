import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import { nearest } from '../schemas/words/nearest.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt, withValue } from '../syntax/tree.ts'
import type { Layer } from './layers.ts'

/**
 * What has to go so that the rest can be used: the key as far as the schema knows it, or the whole entry of a map,
 * since half an upstream or model may be wider than it was written.
 */
export function unusablePart(tree: KeyNode, path: Path): Path {
  let node: KeyNode | undefined = tree
  for (const [index, step] of path.entries()) {
    if (node?.kind === 'leaf') return path.slice(0, index)
    if (node?.kind === 'map') return path.slice(0, index + 1)
    node = node?.fields.get(step)
  }
  return path
}

/** Whether a path leads into a map of named entries, such as `upstreams`. */
export function isEntry(tree: KeyNode, path: Path): boolean {
  return path.length > 1 && nodeAt(tree, path.slice(0, 1))?.kind === 'map'
}

/**
 * Whether more clients, or bigger requests, could be let in when what is written at the path is left out: a key that
 * narrows access, a table that holds one, or an unknown name that is probably a misspelt one.
 */
export function mayNarrow(tree: KeyNode, values: Tree, path: Path): boolean {
  if (isEntry(tree, path)) return false // an upstream or model that is gone lets no client in
  const above = path.map((_, index) => nodeAt(tree, path.slice(0, index + 1)))
  if (above.some((node) => node?.meta.narrows)) return true
  const node = above.at(-1)
  if (node !== undefined) return narrowingNames(node).length > 0
  return [...path.slice(-1), ...namesIn(valueAt(values, path))].some((name) => nearest(name, narrowingNames(tree)))
}

/** A layer with what another one says about who is let in, and about limits: that never gives way to an older copy. */
export function narrowedBy(tree: KeyNode, layer: Layer, said: Layer): Layer {
  const paths = [...leafPaths(said.values)].filter((path) => mayNarrow(tree, said.values, path))
  const values = paths.reduce((all, path) => withValue(all, path, valueAt(said.values, path)), layer.values)
  return paths.length === 0 ? layer : { ...layer, values }
}

/** Names of the keys and tables that narrow, and of the tables that they are in. */
function narrowingNames(node: KeyNode): string[] {
  if (node.kind !== 'group') return []
  return [...node.fields].flatMap(([name, field]) => {
    const below = narrowingNames(field)
    return field.meta.narrows || below.length > 0 ? [name, ...below] : []
  })
}

/** More unknown keys than people write by mistake: nothing is looked up for the rest. */
const MOST_NAMES = 100

function namesIn(value: unknown): string[] {
  if (!isTree(value)) return []
  const entries = Object.entries(value).slice(0, MOST_NAMES)
  return entries.flatMap(([name, inner]) => [name, ...namesIn(inner)]).slice(0, MOST_NAMES)
}

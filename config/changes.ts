import type { Config } from '../schemas/config/config.ts'
import { type KeyNode, leaves, nodeAt } from '../schemas/config/keys.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, type Path, sameValue, type Tree, valueAt, withoutValue, withValue } from '../syntax/tree.ts'

/** Keys whose value differs, added and removed ones included, in order. */
export function changedPaths(before: Tree, after: Tree): Path[] {
  return Array.from(differences(before, after), (path) => [keyPathText(path), path] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, path]) => path)
}

function* differences(before: unknown, after: unknown, path: Path = []): Generator<Path> {
  const [old, next] = [before, after].map((value) => (isTree(value) ? value : undefined))
  const isLeaf = (value: unknown, tree: Tree | undefined) => value !== undefined && tree === undefined
  if ((isLeaf(before, old) || isLeaf(after, next)) && !sameValue(before, after)) yield path
  for (const name of new Set([...Object.keys(old ?? {}), ...Object.keys(next ?? {})]))
    yield* differences(valueAt(old, [name]), valueAt(next, [name]), [...path, name])
}

export function waitsForRestart(tree: KeyNode, path: Path): boolean {
  return nodeAt(tree, path)?.meta.restart === true
}

/** What can be in force now: the new configuration with the running values of the keys that wait for a restart. */
export function applicable(tree: KeyNode, running: Config, next: Config): Tree {
  const waiting = [...leaves(tree)].filter(([, leaf]) => leaf.meta.restart)
  return waiting.reduce<Tree>((config, [path]) => {
    const value = valueAt(running, path)
    return value === undefined ? withoutValue(config, path) : withValue(config, path, value)
  }, next)
}

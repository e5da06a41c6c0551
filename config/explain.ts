import type { Config } from '../schemas/config/config.ts'
import { type KeyNode, leaves, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigDifference, Explanation, LayerValue } from '../schemas/config/layers.ts'
import { keyPathText, parseKeyPath } from '../schemas/words/key-path.ts'
import { isTree, leafPaths, type Path, sameValue, valueAt } from '../syntax/tree.ts'
import { type Layers, mergeLayers, winnerOf } from './layers.ts'
import { ConfigError, keySuggestion } from './problems.ts'
import { shown } from './shown.ts'

/** What every layer says about a key, and which one wins. @throws ConfigError UNKNOWN_KEY */
export function explainKey(
  tree: KeyNode,
  layers: Layers,
  configured: Config,
  running: Config,
  path: Path,
): Explanation {
  const node = knownNode(tree, path)
  const winner = winnerOf(layers, path)?.name
  const value = valueAt(configured, path)
  return {
    key: keyPathText(path),
    value: shown(node, value),
    waiting: !sameValue(value, valueAt(running, path)),
    ...(winner === undefined ? {} : { winner }),
    layers: layers.map((layer): LayerValue => {
      const own = valueAt(layer.values, path)
      if (own === undefined) return { layer: layer.name, set: false }
      return { layer: layer.name, set: true, value: shown(node, own), source: layer.sourceOf(path) }
    }),
    ...(node.meta.description === '' ? {} : { description: node.meta.description }),
    restart: node.meta.restart === true,
  }
}

/** Every key that can hold a value, for the entries that exist. */
export function listKeys(tree: KeyNode, layers: Layers, configured: Config, running: Config): Explanation[] {
  const named = (path: Path): Path[] => {
    const star = path.indexOf('*')
    if (star === -1) return [path]
    const entries = valueAt(configured, path.slice(0, star))
    return Object.keys(isTree(entries) ? entries : {}).map((name) => path.with(star, name))
  }
  return [...leaves(tree)]
    .flatMap(([path]) => named(path))
    .map((path) => explainKey(tree, layers, configured, running, path))
}

/** What the runtime layer changes over the layers below it. */
export function runtimeDifferences(tree: KeyNode, layers: Layers): ConfigDifference[] {
  const [, runtime, ...below] = layers
  const merged = mergeLayers(below)
  return [...leafPaths(runtime.values)].flatMap((path) => {
    const mine = valueAt(runtime.values, path)
    const under = valueAt(merged, path)
    if (sameValue(mine, under)) return []
    const node = nodeAt(tree, path)
    const effective = winnerOf(layers, path)?.name ?? 'runtime'
    return [{ key: keyPathText(path), below: shown(node, under), runtime: shown(node, mine), effective }]
  })
}

/** The path that a key as people write it means. @throws ConfigError UNKNOWN_KEY */
export function pathOfKey(key: string): Path {
  const path = parseKeyPath(key)
  if (path !== undefined) return path
  const message = 'is not a valid key: separate its parts by dots, and put a part that holds dots in double quotes'
  const hint = 'write it as in models."gpt-4.1".targets'
  throw new ConfigError([{ code: 'UNKNOWN_KEY', layer: 'runtime', where: key, key, message, hint }])
}

/** @throws ConfigError UNKNOWN_KEY, with what was probably meant */
export function knownNode(tree: KeyNode, path: Path): KeyNode {
  const node = nodeAt(tree, path)
  if (node !== undefined) return node
  const key = keyPathText(path)
  const hint = keySuggestion(tree, path)
  const problem = { code: 'UNKNOWN_KEY', layer: 'runtime', where: key, key, message: `unknown key ${key}` } as const
  throw new ConfigError([{ ...problem, ...(hint === undefined ? {} : { hint }) }])
}

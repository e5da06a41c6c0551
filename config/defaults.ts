import type { KeyNode } from '../schemas/config/keys.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { defaultBaseUrl, isProvider, PROVIDERS } from '../schemas/words/providers.ts'
import { isTree, merge, type Path, type Tree, valueAt } from '../syntax/tree.ts'
import type { Layer } from './layers.ts'

/**
 * The weakest layer: what the schema says, for every entry that the stronger layers name, and what follows from them:
 * an upstream called like a provider has that provider, and a provider has its usual address.
 * @param above the stronger layers, merged
 */
export function defaultsLayer(tree: KeyNode, above: Tree): Layer {
  const values = withDerived(fallbacks(tree, above), above)
  return { name: 'defaults', values, sourceOf: () => 'built in' }
}

/** Names that an entry of the map at `path` could have although no layer mentions it. */
export function knownNames(path: Path): readonly string[] {
  return keyPathText(path) === 'upstreams' ? PROVIDERS : []
}

function fallbacks(node: KeyNode, above: unknown): Tree {
  if (node.kind === 'leaf') return {}
  const own = node.kind === 'map' && isTree(node.fallback) ? node.fallback : {}
  const merged = merge([isTree(above) ? above : {}, own])
  const fields = node.kind === 'map' ? Object.keys(merged).map((name) => [name, node.entry] as const) : [...node.fields]
  const entries = fields.flatMap(([name, field]) => {
    if (field.kind !== 'leaf') return [[name, fallbacks(field, valueAt(merged, [name]))] as const]
    return field.fallback === undefined ? [] : [[name, field.fallback] as const]
  })
  return merge([own, Object.fromEntries(entries)])
}

function withDerived(defaults: Tree, above: Tree): Tree {
  const merged = merge([above, defaults])
  const derived = ['upstreams', 'backends'].map((map) => {
    const entries = valueAt(merged, [map])
    const names = Object.keys(isTree(entries) ? entries : {})
    return [map, Object.fromEntries(names.map((name) => [name, derivedKeys(name, valueAt(entries, [name]))]))]
  })
  return merge([Object.fromEntries(derived), defaults])
}

function derivedKeys(name: string, entry: unknown): Tree {
  const written = valueAt(entry, ['provider'])
  const provider = written ?? name
  const url = isProvider(provider) ? defaultBaseUrl(provider) : undefined
  return {
    ...(written === undefined && isProvider(name) ? { provider: name } : {}),
    ...(url === undefined ? {} : { base_url: url }),
  }
}

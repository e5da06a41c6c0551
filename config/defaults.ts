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

/** The same of a schema from whose names nothing follows. */
export function schemaDefaults(tree: KeyNode, above: Tree): Layer {
  return { name: 'defaults', values: fallbacks(tree, above), sourceOf: () => 'built in' }
}

/** Names that an entry of the map at `path` could have although no layer mentions it. */
export function knownNames(path: Path): readonly string[] {
  return keyPathText(path) === 'upstreams' ? PROVIDERS : []
}

const NOTHING: Tree = {}

function fallbacks(node: KeyNode, above: unknown): Tree {
  if (node.kind === 'leaf') return {}
  const own = node.kind === 'map' && isTree(node.fallback) ? node.fallback : NOTHING
  const written = isTree(above) ? above : NOTHING
  const merged = own === NOTHING ? written : merge([written, own])
  const fields = node.kind === 'map' ? Object.keys(merged).map((name) => [name, node.entry] as const) : node.fields
  const entries: (readonly [string, unknown])[] = []
  for (const [name, field] of fields) {
    if (field.kind !== 'leaf') entries.push([name, fallbacks(field, valueAt(merged, [name]))])
    else if (field.fallback !== undefined) entries.push([name, field.fallback])
  }
  return own === NOTHING ? Object.fromEntries(entries) : merge([own, Object.fromEntries(entries)])
}

function withDerived(defaults: Tree, above: Tree): Tree {
  const derived = ['upstreams', 'backends'].map((map) => {
    const places = [above, defaults].map((tree) => valueAt(tree, [map])).filter(isTree)
    const names = new Set(places.flatMap((entries) => Object.keys(entries)))
    const written = (name: string) =>
      places.map((entries) => valueAt(entries, [name, 'provider'])).find((provider) => provider !== undefined)
    return [map, Object.fromEntries(Array.from(names, (name) => [name, derivedKeys(name, written(name))]))] as const
  })
  return merge([Object.fromEntries(derived), defaults])
}

function derivedKeys(name: string, written: unknown): Tree {
  const provider = written ?? name
  const url = isProvider(provider) ? defaultBaseUrl(provider) : undefined
  return {
    ...(written === undefined && isProvider(name) ? { provider: name } : {}),
    ...(url === undefined ? {} : { base_url: url }),
  }
}

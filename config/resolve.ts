import { type Config, configSchema } from '../schemas/config/config.ts'
import type { KeyNode } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, merge, type Path, type Tree, valueAt, withoutValues } from '../syntax/tree.ts'
import { type Withheld, withBoundKeys } from './bound-keys.ts'
import { defaultsLayer, knownNames } from './defaults.ts'
import { type EnvironmentSources, readEnvironment } from './environment.ts'
import type { KeySet } from './key-set.ts'
import { type Layer, type Layers, mergeLayers, winnerOf } from './layers.ts'
import { type Mistake, mistakesIn } from './problems.ts'
import { conflicts } from './rules.ts'

/**
 * All layers put together. `problems` are those of the merged result; those of the environment's own text are separate.
 */
export type Resolved = {
  readonly layers: Layers
  /** Present when there is no problem. */
  readonly config: Config | undefined
  /** Keys that `config` lacks, since they are meant for another address. */
  readonly withheld: readonly Withheld[]
  readonly environmentProblems: readonly ConfigProblem[]
  readonly problems: readonly Unusable[]
}

/** What is invalid, and what to leave out of all layers so that the rest can be used. */
export type Unusable = Mistake & { readonly without: Path }

/** Reads the environment against the names in the other layers and merges all. */
export function resolveLayers(sources: EnvironmentSources, keys: KeySet, runtime: Layer, declared: Layer): Resolved {
  let written: Tree | undefined
  const namesAt = (map: Path) => {
    written ??= namesBelow(keys, runtime, declared)
    const names = valueAt(written, map)
    return [...(isTree(names) ? Object.keys(names) : []), ...knownNames(map)]
  }
  const env = readEnvironment(sources, keys, namesAt)
  return { ...combine(keys, env.layer, runtime, declared), environmentProblems: env.problems }
}

/** What a variable of the environment may add to. */
function namesBelow({ tree }: KeySet, runtime: Layer, declared: Layer): Tree {
  const written = mergeLayers([runtime, declared])
  return merge([written, defaultsLayer(tree, written).values])
}

/**
 * Merges layers that are right alone, leaving out of each what is invalid with the others.
 * @param lost what is left out from the beginning
 */
export function resolveInPart(
  keys: KeySet,
  layers: readonly [env: Layer, runtime: Layer, declared: Layer],
  lost: readonly Path[] = [],
): Omit<Resolved, 'environmentProblems'> {
  const without = (layer: Layer): Layer => ({ ...layer, values: withoutValues(layer.values, lost) })
  const [env, runtime, declared] = layers
  const rest = [without(env), without(runtime), without(declared)] as const
  const resolved = combine(keys, ...rest)
  const next = resolved.problems.map((problem) => problem.without)
  if (next.every((path) => rest.every(({ values }) => valueAt(values, path) === undefined))) return resolved
  const all = resolveInPart(keys, rest, next)
  return { ...all, problems: [...resolved.problems, ...all.problems] }
}

function combine(keys: KeySet, env: Layer, runtime: Layer, declared: Layer): Omit<Resolved, 'environmentProblems'> {
  const layers: Layers = [env, runtime, declared, defaultsLayer(keys.tree, mergeLayers([env, runtime, declared]))]
  const { values: merged, withheld } = withBoundKeys(layers, mergeLayers(layers))
  const parsed = configSchema.safeParse(merged)
  const place = (path: Path) => {
    const known = path.map((_, index) => path.slice(0, path.length - index)).find((above) => winnerOf(layers, above))
    const layer = winnerOf(layers, known ?? [])
    return { layer: layer?.name ?? 'defaults', where: layer?.sourceOf(known ?? []) ?? 'built in' } as const
  }
  if (!parsed.success) {
    const rules = { schema: configSchema, tree: keys.tree, layer: 'runtime', whereOf: () => '' } as const
    const problems = mistakesIn(merged, rules).map(({ path, tell }): Unusable => {
      return { path, without: path.slice(0, 2), tell: () => ({ ...tell(), ...place(path) }) }
    })
    return { layers, config: undefined, withheld, problems }
  }
  const problems = conflicts(parsed.data, keys.tree).map(({ code, path, message, hint, without }): Unusable => {
    const tell = () => ({ code, ...place(path), key: keyPathText(path), message, hint: hint() })
    return { path, without, tell }
  })
  const config = problems.length === 0 ? frozenConfig(keys.tree, parsed.data) : undefined
  return { layers, config, withheld, problems }
}

/** The same configuration, frozen. */
export function frozenConfig(tree: KeyNode, config: Config): Config {
  return frozen(tree, config)
}

/** Freezes all of it. Maps lose their prototype, so that a name such as `constructor` finds nothing. */
function frozen<T>(node: KeyNode | undefined, value: T): T {
  if (Array.isArray(value)) for (const element of value) frozen(undefined, element)
  if (!isTree(value)) return Object.freeze(value)
  if (node?.kind === 'map') Object.setPrototypeOf(value, null)
  for (const [key, inner] of Object.entries(value)) {
    const below = node?.kind === 'group' ? node.fields.get(key) : node?.kind === 'map' ? node.entry : undefined
    frozen(below, inner)
  }
  return Object.freeze(value)
}

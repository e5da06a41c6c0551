import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { valueText } from '../syntax/toml/text.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt } from '../syntax/tree.ts'
import { variablesIn } from './variables.ts'

/** A runtime layer and what is below it. */
export type Layered = {
  readonly runtime: Tree
  readonly declared: Tree
  readonly configured: Tree
  /** The runtime layer before `${NAME}` was replaced in it. */
  readonly written: Tree
}

/**
 * TOML for `gate.toml`: one table for each group of keys; secrets refer to credentials. Where a key is in the spec says
 * its schema; what the spec has no key for is a comment that says why.
 */
export function specSnippet(tree: KeyNode, layered: Layered): string {
  const tables = new Map<string, string[]>()
  const remarks: string[] = []
  const add = (place: Path, value: string) => {
    const table = keyPathText(place.slice(0, -1))
    tables.set(table, [...(tables.get(table) ?? []), `${keyPathText(place.slice(-1))} = ${value}`])
  }
  for (const path of [...leafPaths(layered.runtime), ...missingKeys(layered)]) {
    const node = nodeAt(tree, path)
    const place = placeInSpec(tree, path, node, layered)
    if (typeof place === 'string') {
      remarks.push(`# ${keyPathText(path)} has no place in the spec: ${place}`)
      continue
    }
    const [name, ...others] = variablesIn(valueAt(layered.written, path))
    if (node?.meta.secret) {
      const isWhole = others.length === 0 && valueAt(layered.written, path) === `\${${name}}`
      add(place, valueText(isWhole ? { env: name } : { credential: keyPathText(path) }))
    } else if (name !== undefined) {
      remarks.push(`# ${keyPathText(path)} has no place in the spec: it holds the variable ${name}`)
    } else {
      const value = valueAt(layered.runtime, path) ?? valueAt(layered.configured, path)
      add(place, valueText(specValue(path, value, layered)))
    }
  }
  const texts = [...tables].map(([table, lines]) => `[${table}]\n${lines.join('\n')}\n`)
  return [...(remarks.length > 0 ? [`${remarks.join('\n')}\n`] : []), ...texts].join('\n')
}

/** @returns the place, or why there is none */
function placeInSpec(
  tree: KeyNode,
  path: Path,
  node: KeyNode | undefined,
  { declared, configured }: Layered,
): Path | string {
  const spec = node?.meta.spec ?? { none: 'it has no such key' }
  if (typeof spec !== 'string') return spec.none
  const [first, name] = path
  if (first === 'backends' && name !== undefined && valueAt(declared, ['backends', name]) === undefined)
    return `it has no backend ${name}; one needs an engine and an image`
  if (first === 'letsencrypt' && !getsCertificates(configured))
    return 'its table gate.tls.acme asks for certificates, and needs email and domains'
  const names = path.filter((_, at) => nodeAt(tree, path.slice(0, at))?.kind === 'map')
  return spec.split('.').map((step) => (step === '*' ? (names[0] ?? step) : step))
}

function getsCertificates(configured: Tree): boolean {
  const { enabled, email, domains } = tableAt(configured, ['letsencrypt'])
  return enabled === true && email !== undefined && Array.isArray(domains) && domains.length > 0
}

/**
 * What the spec demands and the layers below the runtime layer do not say: providers, upstreams that models name, whom
 * to ask for certificates, where alerts go, what peers are known by.
 */
function missingKeys({ runtime, declared, configured }: Layered): Path[] {
  const isNew = (path: Path) => valueAt(runtime, path) === undefined && valueAt(declared, path) === undefined
  const providers = Object.keys(tableAt(runtime, ['upstreams'])).map((name) => ['upstreams', name, 'provider'])
  const isAsked = runtime['letsencrypt'] !== undefined && getsCertificates(configured)
  const targeted = targetedUpstreams(runtime)
    .filter((name) => ![runtime, declared].some((tree) => valueAt(tree, ['upstreams', name]) !== undefined))
    .flatMap((name) => ['provider', 'base_url', 'api_key'].map((key) => ['upstreams', name, key]))
  const alerts = Object.keys(tableAt(runtime, ['alerts'])).flatMap((name) =>
    ['kind', 'url', 'secret', 'token'].map((key) => ['alerts', name, key]),
  )
  const peers = Object.keys(tableAt(runtime, ['peers'])).map((name) => ['peers', name, 'node'])
  const acme = isAsked ? ['email', 'domains'].map((key) => ['letsencrypt', key]) : []
  return [...providers, ...targeted, ...alerts, ...peers, ...acme].filter(
    (path) => isNew(path) && valueAt(configured, path) !== undefined,
  )
}

/** Upstreams that models name; the environment may be what makes them, or the daemon itself. */
function targetedUpstreams(layer: Tree): string[] {
  const models = Object.values(tableAt(layer, ['models']))
  const targets = models.flatMap((model): unknown => (isTree(model) ? model['targets'] : []))
  const names = targets.flatMap((target) => (isTree(target) ? [String(target['upstream'])] : []))
  return [...new Set(names)]
}

/** The spec writes two things in another way: a port that is picked, and a target that is a backend. */
function specValue(path: Path, value: unknown, { configured }: Layered): unknown {
  const key = keyPathText(path)
  if ((key === 'server.port' || key === 'server.p2p_port') && value === 0) return 'random'
  if (path[0] !== 'models' || !Array.isArray(value)) return value
  const backends = tableAt(configured, ['backends'])
  return value.map((target: unknown) => {
    if (!isTree(target)) return target
    const { upstream, ...rest } = target
    return Object.hasOwn(backends, String(upstream)) ? { backend: upstream, ...rest } : target
  })
}

function tableAt(tree: Tree, path: Path): Tree {
  const table = valueAt(tree, path)
  return isTree(table) ? table : {}
}

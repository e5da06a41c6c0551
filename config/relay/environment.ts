import { type KeyNode, leaves, nodeAt } from '../../schemas/config/keys.ts'
import type { ConfigProblem } from '../../schemas/config/layers.ts'
import { environmentSegment } from '../../schemas/words/key-names.ts'
import { nearest } from '../../schemas/words/nearest.ts'
import { isTree, merge, type Path, type Tree } from '../../syntax/tree.ts'
import { readCredentials, readSecretFile } from '../credentials.ts'
import type { EnvironmentSources } from '../environment.ts'
import type { KeySet } from '../key-set.ts'
import type { Layer } from '../layers.ts'
import { capped, checkTree } from '../problems.ts'
import { type Found, parseVariable } from '../variable-value.ts'

const PREFIX = 'RELAY__'

/** `dns.cloudflare.api_token` -> `RELAY__DNS__CLOUDFLARE__API_TOKEN`. */
const variableOf = (path: Path): string => `${PREFIX}${path.map(environmentSegment).join('__')}`

/** The strongest layer: `RELAY__A__B`, `RELAY__A__B_FILE`, and credentials named `a.b`. An empty variable is not set. */
export function readRelayEnvironment(
  { env, credentialsDirectory }: EnvironmentSources,
  keys: KeySet,
): { readonly layer: Layer; readonly problems: readonly ConfigProblem[] } {
  const found: Found[] = []
  const problems: ConfigProblem[] = []
  const collect = (result: Found | ConfigProblem | undefined) => {
    if (result === undefined) return
    if ('code' in result) problems.push(result)
    else found.push(result)
  }
  for (const [name, text] of Object.entries(env).sort()) {
    if (text === undefined) continue
    if (name.startsWith(PREFIX)) collect(readVariable(name, text, keys.tree))
    else if (name.startsWith('RELAY_')) collect(misspelt(name, keys.tree))
  }
  if (credentialsDirectory !== undefined) {
    for (const result of readCredentials(credentialsDirectory, keys.tree)) collect(result)
  }
  // a JSON object for a table gives way to the variable of one of its keys
  found.sort((a, b) => b.path.length - a.path.length)
  const values = merge(found.map(({ path, value }) => treeOf(path, value)))
  const sourceOf = (path: Path) => sourceIn(found, path)
  problems.push(...checkTree(values, { schema: keys.layer, tree: keys.tree, layer: 'env', whereOf: sourceOf }))
  return { layer: { name: 'env', values, sourceOf }, problems: capped(problems, problems.length, 'the environment') }
}

function treeOf(path: Path, value: unknown): Tree {
  const inner = path.toReversed().reduce<unknown>((below, step) => ({ [step]: below }), value)
  return isTree(inner) ? inner : {}
}

function sourceIn(found: readonly Found[], path: Path): string {
  const isAt = (one: Found) => one.path.every((step, i) => path[i] === undefined || path[i] === step)
  return found.find(isAt)?.source ?? 'the environment'
}

function readVariable(name: string, text: string, tree: KeyNode): Found | ConfigProblem | undefined {
  const path = pathOf(name)
  const node = nodeAt(tree, path)
  if (node !== undefined) return text === '' ? undefined : parseVariable({ path, node }, text, name)
  const filePath = name.endsWith('_FILE') ? pathOf(name.slice(0, -'_FILE'.length)) : undefined
  const fileNode = filePath && nodeAt(tree, filePath)
  if (filePath !== undefined && fileNode?.kind === 'leaf') {
    return text === '' ? undefined : readSecretFile({ path: filePath, node: fileNode }, text, `${name} (${text})`)
  }
  const near = nearest(
    name,
    [...leaves(tree)].map(([leaf]) => variableOf(leaf)),
  )
  const hint = near === undefined ? 'remove it, or see docs/relay.md' : `did you mean ${near}?`
  return { code: 'UNKNOWN_VARIABLE', layer: 'env', where: name, message: 'is not a configuration key', hint }
}

/** A variable of a key but for its underscores: without effect, the relay would do what its operator did not mean. */
function misspelt(name: string, tree: KeyNode): ConfigProblem | undefined {
  const meant = [...leaves(tree)].map(([leaf]) => variableOf(leaf)).find((one) => bare(one) === bare(name))
  if (meant === undefined) return undefined
  const message = 'is not a configuration key: levels are separated by two underscores'
  return { code: 'UNKNOWN_VARIABLE', layer: 'env', where: name, message, hint: `did you mean ${meant}?` }
}

const bare = (name: string): string => name.replaceAll(/_+/g, '_')

const pathOf = (name: string): Path =>
  name
    .slice(PREFIX.length)
    .split('__')
    .map((segment) => segment.toLowerCase())

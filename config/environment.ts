import { type KeyNode, leaves } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { environmentName, environmentSegment } from '../schemas/words/key-names.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { editDistance, nearest } from '../schemas/words/nearest.ts'
import { withTargetTables } from '../schemas/words/target-text.ts'
import { isTree, merge, type Path, sameValue, type Tree } from '../syntax/tree.ts'
import { readCredentials, readSecretFile } from './credentials.ts'
import { meantByForeign } from './foreign-variables.ts'
import type { KeySet } from './key-set.ts'
import type { Layer } from './layers.ts'
import { capped, checkTree } from './problems.ts'
import { isSeedVariable, seedValues } from './seed-variables.ts'
import { type Found, parseVariable } from './variable-value.ts'

/** Names of Gate's that are not configuration: a near miss of one is a mistake, too. */
const OTHER_VARIABLES = ['GATE_ADMIN_SOCKET', 'GATE_KEY']

export type EnvironmentSources = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** `$CREDENTIALS_DIRECTORY` of systemd. */
  readonly credentialsDirectory: string | undefined
}

/**
 * Reads the strongest layer: `GATE_A__B` variables, their `_FILE` forms, those of seed-variables.ts, and credentials
 * named `a.b`. An empty variable is taken as not set.
 * @param namesAt names of the entries of a map, for the variables' upper-case names without `-`
 */
export function readEnvironment(
  sources: EnvironmentSources,
  keys: KeySet,
  namesAt: NamesAt,
): { layer: Layer; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const found: Found[] = []
  const tables = new Map<string, readonly string[]>()
  const collect = (result: Found | ConfigProblem | undefined) => {
    if (result === undefined) return
    if ('code' in result) problems.push(result)
    else found.push(result)
    if (!('code' in result) && isTree(result.value)) tables.set(keyPathText(result.path), Object.keys(result.value))
  }
  const written = new Map<string, readonly string[]>()
  // and entries that the variable of the whole table has, which sorts before those of its keys
  const names: NamesAt = (map) => {
    const key = keyPathText(map)
    const known = written.get(key) ?? namesAt(map)
    written.set(key, known)
    const whole = tables.get(key)
    return whole === undefined ? known : [...known, ...whole]
  }
  let variables: readonly string[] | undefined
  const usual = () => {
    variables ??= candidatesFor('', keys.tree, names)
    return variables
  }
  for (const [name, text] of Object.entries(sources.env).sort()) {
    if (text === undefined || !name.startsWith('GATE_') || isSeedVariable(name)) continue
    const isExplained = problems.length < MOST_EXPLAINED
    collect(readVariable(name, text, keys, names, isExplained ? usual : undefined))
  }
  for (const result of seedValues(sources.env)) collect(result)
  if (sources.credentialsDirectory !== undefined)
    for (const result of readCredentials(sources.credentialsDirectory, keys.tree)) collect(result)

  problems.push(...setTwice(withoutEchoes(found)))
  // Shallow first: a JSON object for a table gives way to the variable of one of its keys.
  found.sort((a, b) => a.path.length - b.path.length)
  const values = withTargetTables(treeOf(found))
  const sourceOf = (path: Path) => sourceIn(found, path)
  problems.push(...checkTree(values, { schema: keys.layer, tree: keys.tree, layer: 'env', whereOf: sourceOf }))
  return { layer: { name: 'env', values, sourceOf }, problems: capped(problems, problems.length, 'the environment') }
}

/** The values in one tree, a later one over those before it; each level is put together once. */
function treeOf(found: readonly { readonly path: Path; readonly value: unknown }[]): Tree {
  const below = Map.groupBy(found, ({ path }) => path[0] ?? '')
  const entries = [...below].map(([step, all]) => {
    const inner = all.filter(({ path }) => path.length > 1).map(({ path, value }) => ({ path: path.slice(1), value }))
    const own = all.findLast(({ path }) => path.length === 1)?.value
    if (inner.length === 0) return [step, own] as const
    return [step, isTree(own) ? merge([treeOf(inner), own]) : treeOf(inner)] as const
  })
  return Object.fromEntries(entries)
}

/** Looking for what was meant takes a millisecond, and no more problems than these are told. */
const MOST_EXPLAINED = 50

type NamesAt = (map: Path) => readonly string[]

/** @param usual the variables that may be meant by a name without levels; absent: no one is looked for any more */
function readVariable(
  name: string,
  text: string,
  { tree }: KeySet,
  namesAt: NamesAt,
  usual: (() => readonly string[]) | undefined,
): Found | ConfigProblem | undefined {
  if (OTHER_VARIABLES.includes(name)) return undefined
  const key = keyOf(name, tree, namesAt)
  if (key !== undefined) {
    if (key.others.length > 0) return severalNames(name, key)
    if (text === '') return undefined // as Compose gives it for "${X:-}"
    const result = parseVariable(key, text, name)
    if (!('code' in result) || key.node.kind === 'leaf') return result
    // A table takes JSON only, so a text was probably meant for one of its keys: `__` was mistyped as `_`.
    const meant = usual && (meantByForeign(name) ?? nearestVariable(name, tree, namesAt))
    return meant === undefined ? result : { ...result, hint: `did you mean ${meant}?` }
  }
  const fileOf = name.endsWith('_FILE') ? keyOf(name.slice(0, -'_FILE'.length), tree, namesAt) : undefined
  if (fileOf?.node.kind === 'leaf' && text === '') return undefined
  if (fileOf !== undefined && fileOf.others.length > 0) return severalNames(name, fileOf)
  if (fileOf?.node.kind === 'leaf') return readSecretFile(fileOf, text, `${name} (${text})`)
  const near = usual && meantInstead(name, tree, namesAt, usual)
  // Without levels it may belong to another program, such as GATE_SERVICE_HOST of Kubernetes.
  if (near === undefined && !name.includes('__')) return undefined
  return {
    code: 'UNKNOWN_VARIABLE',
    layer: 'env',
    where: name,
    message: 'is not a configuration key',
    hint: near === undefined ? 'remove it, or see the configuration reference' : `did you mean ${near}?`,
  }
}

/** `others`: paths that the same variable would name just as well. */
type NamedKey = { readonly path: Path; readonly node: KeyNode; readonly others: readonly Path[] }

function severalNames(variable: string, { path, others }: NamedKey): ConfigProblem {
  const names = [path, ...others].map(keyPathText).join(' or ')
  const [map = ''] = path
  const hint = `write the table as JSON: ${environmentName([map])}={"NAME":{…}}`
  return { code: 'UNKNOWN_VARIABLE', layer: 'env', where: variable, message: `could mean ${names}`, hint }
}

/**
 * The key that a variable names. Names of entries are matched first against those that exist, where whatever a variable
 * cannot hold is `_`.
 */
function keyOf(name: string, tree: KeyNode, namesAt: NamesAt): NamedKey | undefined {
  let node = tree
  const path: string[] = []
  let others: Path[] = []
  for (const segment of name.slice('GATE_'.length).split('__')) {
    if (!/^[A-Z0-9]+(?:_[A-Z0-9]+)*$/.test(segment) || node.kind === 'leaf') return undefined
    const names = node.kind === 'map' ? namesAt(path) : [...node.fields.keys()]
    const [step, ...alike] = new Set(names.filter((known) => environmentSegment(known) === segment))
    // other maps refuse such names themselves
    if (node.kind === 'map' && path[0] === 'models') others = alike.map((other) => [...path, other])
    const below = node.kind === 'map' ? node.entry : node.fields.get(step ?? '')
    if (below === undefined) return undefined
    path.push(step ?? segment.toLowerCase())
    node = below
  }
  return { path, node, others: others.map((other) => [...other, ...path.slice(other.length)]) }
}

function meantInstead(
  name: string,
  tree: KeyNode,
  namesAt: NamesAt,
  usual: () => readonly string[],
): string | undefined {
  const meant = meantByForeign(name)
  return meant ?? (name.includes('__') ? nearestVariable(name, tree, namesAt) : mistyped(name, usual()))
}

/** The variable that was probably meant by a name with levels. */
function nearestVariable(name: string, tree: KeyNode, namesAt: NamesAt): string | undefined {
  const candidates = candidatesFor(name, tree, namesAt)
  const ending = candidates.find((candidate) => candidate.endsWith(`__${name.slice('GATE_'.length)}`))
  return ending ?? nearest(name, candidates)
}

/** The variable that a name without levels is, but for one letter or for single underscores between its levels. */
function mistyped(name: string, candidates: readonly string[]): string | undefined {
  const isNear = (candidate: string) =>
    Math.abs(candidate.length - name.length) <= 1 && editDistance(candidate, name) === 1
  return candidates.find((candidate) => candidate.replaceAll('__', '_') === name || isNear(candidate))
}

function candidatesFor(name: string, tree: KeyNode, namesAt: NamesAt): string[] {
  const variables = [...leaves(tree)].flatMap(([path]) => {
    const star = path.indexOf('*')
    if (star === -1) return [environmentName(path)]
    // The name that was written may be new, so it is a candidate, too.
    const written = name.split('__').slice(star, star + 1)
    const names = [...namesAt(path.slice(0, star)), ...written]
    return names.map((known) => environmentName(path.with(star, known)))
  })
  return [...variables, ...OTHER_VARIABLES]
}

/** Without what a variable of another system says that a variable before it says, too. */
function withoutEchoes(found: readonly Found[]): Found[] {
  return found.filter(({ path, value, source }, i) => {
    if (!isSeedVariable(source)) return true
    return !found.slice(0, i).some((other) => sameValue(other.path, path) && sameValue(other.value, value))
  })
}

function setTwice(found: readonly Found[]): ConfigProblem[] {
  const first = new Map<string, string>()
  return found.flatMap(({ path, source }) => {
    const key = keyPathText(path)
    const other = first.get(key)
    first.set(key, source)
    if (other === undefined) return []
    return [
      {
        code: 'SET_TWICE',
        layer: 'env',
        where: source,
        key,
        message: `${key} is also set by ${other}`,
        hint: 'keep only one of them',
      },
    ]
  })
}

/** The variable for a path: its own, else one for a table above it, else the first for something under it. */
function sourceIn(found: readonly Found[], path: Path): string {
  const isPrefix = (short: Path, long: Path) => short.every((step, index) => long[index] === step)
  const above = found.findLast((entry) => isPrefix(entry.path, path))
  return (above ?? found.find((entry) => isPrefix(path, entry.path)))?.source ?? 'the environment'
}

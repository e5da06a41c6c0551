import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { withTargetTables } from '../schemas/words/target-text.ts'
import { type Edit, setInToml, unsetInToml } from '../syntax/toml/edit.ts'
import { isTree, leafPaths, type Path, sameValue, type Tree, valueAt, withoutValue, withValue } from '../syntax/tree.ts'
import { keyLedAway, type Withheld } from './bound-keys.ts'
import { knownNode, pathOfKey } from './explain.ts'
import { errorCode, parseJson } from './files.ts'
import type { KeySet } from './key-set.ts'
import { type Loaded, layersWith, loadCandidate, type Sources } from './load.ts'
import { isEntry } from './narrowing.ts'
import { decidedKeys, refusedBySocket } from './passed-socket.ts'
import { ConfigError, checkTree, firstProblems, refuse } from './problems.ts'
import {
  checkRuntime,
  type RuntimeReading,
  readLastGood,
  readRuntime,
  readRuntimeText,
  runtimeFiles,
  writeRuntime,
} from './runtime-file.ts'
import { staleSecrets, withSeals } from './sealed-values.ts'
import { parseToml } from './toml.ts'
import { parseVariable } from './variable-value.ts'
import { expand } from './variables.ts'

/** What an edit works on. */
export type EditPlace = {
  readonly sources: Sources
  readonly keys: KeySet
  readonly loaded: Loaded
  /** What the daemon listens on. */
  readonly urls: readonly string[]
}

export type Edited = {
  readonly next: Loaded
  /** What the environment hides of it. */
  readonly shadowed: readonly string[]
  /** Keys that were removed with it, since they were for another address. */
  readonly removed: readonly Withheld[]
}

/** Writes one key, or a whole table, into the runtime file. @throws ConfigError; then nothing was written */
export function setKey(place: EditPlace, key: string, value: unknown, force: boolean): Edited {
  return edits(place, [settingOf(place, pathOfKey(key), value, force)])
}

/** Removes a key, or everything under it, from the runtime file. @throws ConfigError; then nothing was written */
export function unsetKey(place: EditPlace, key: string): Edited {
  return edits(place, [removalOf(place, pathOfKey(key))])
}

/** Writes keys of one table, and removes those that are null, at once. @throws ConfigError; then nothing was written */
export function changeKeys(place: EditPlace, table: Path, change: Readonly<Record<string, unknown>>): Edited {
  const all = Object.entries(change).map(([name, value]) => {
    const path = [...table, name]
    return value === null ? removalOf(place, path) : settingOf(place, path, value, false)
  })
  return edits(place, all)
}

/** Writes several keys at once. @throws ConfigError; then nothing was written */
export function setKeys(place: EditPlace, values: Readonly<Record<string, unknown>>): Edited {
  const all = Object.entries(values).map(([key, value]) => settingOf(place, pathOfKey(key), value, false))
  return edits(place, all)
}

/** What an edit of one key does to the runtime layer, and to the text of its file. */
type KeyEdit = {
  readonly path: Path
  readonly layer: (runtime: Tree) => Tree
  readonly text: (text: string) => Edit
  readonly shadowed: readonly string[]
}

/** @throws ConfigError when the key or the value is wrong, or hidden by the environment (unless force) */
function settingOf(place: EditPlace, path: Path, value: unknown, force: boolean): KeyEdit {
  const { tree, layer } = place.keys
  refusePlaceholder(knownNode(tree, path), path, value)
  const whereOf = (at: Path) => keyPathText(at)
  const { values, mistakes } = expand({ values: withValue({}, path, value), whereOf }, place.sources.env)
  refuse(firstProblems(mistakes))
  refuse(checkTree(withTargetTables(values), { schema: layer, tree, layer: 'runtime', whereOf }))
  refuseDecided(place, values)
  const shadowed = shadowedKeys(place.loaded, [...leafPaths(value, path)])
  if (shadowed.length > 0 && !force) refuse(shadowed.map((each) => shadowProblem(place.loaded, each)))
  const sealed = withSeals(tree, path, value, place.sources.seals)
  return {
    path,
    shadowed,
    layer: (runtime) => withValue(runtime, path, valueAt(values, path)),
    text: (text) => setInToml(text, path, sealed),
  }
}

/** @throws ConfigError when there is no such key */
function removalOf(place: EditPlace, path: Path): KeyEdit {
  if (!isWritten(place, path)) knownNode(place.keys.tree, path)
  const mine = valueAt(place.loaded.layers[1].values, path)
  return {
    path,
    shadowed: mine === undefined ? [] : shadowedKeys(place.loaded, [...leafPaths(mine, path)]),
    layer: (runtime) => withoutValue(runtime, path),
    text: (text) => unsetInToml(text, path, (table) => isEntry(place.keys.tree, table)),
  }
}

/** Not even by force: what is written would have no effect as long as there is a socket unit. */
function refuseDecided({ sources: { socket }, urls }: EditPlace, values: Tree): void {
  if (socket === undefined) return
  const [path] = [...leafPaths(values)].filter((at) => decidedKeys(at).length > 0)
  if (path !== undefined) refuse([refusedBySocket(socket, path, values, urls)])
}

/** Seals every secret of the runtime file with the current key. @returns null when all are. @throws ConfigError */
export function sealSecrets(place: EditPlace): Loaded | null {
  const { sources, keys } = place
  const { seals } = sources
  const document = parseToml(readRuntimeText(sources) ?? '', runtimeFiles(sources).file)
  if (seals === undefined || 'code' in document) return null
  const stale = [...staleSecrets(document.values, keys.tree, seals)]
  if (stale.length === 0) return null
  return edited(place, 'secrets', (before) =>
    stale.reduce<Edit>((edit, { path, text }) => (edit.kind === 'refused' ? edit : setInToml(edit.text, path, text)), {
      kind: 'edited',
      text: before,
    }),
  )
}

/** Edits the file, and takes keys out of it that would follow their upstreams to other addresses. */
function edits(place: EditPlace, all: readonly KeyEdit[]): Edited {
  const { layers } = place.loaded
  const runtime = all.reduce((tree, { layer }) => layer(tree), layers[1].values)
  const led = all.flatMap(({ path }) => keyLedAway(layers, path, runtime) ?? [])
  const leave = led.map(
    ({ path }) =>
      (text: string) =>
        unsetInToml(text, path, () => true),
  )
  const next = edited(place, all.map(({ path }) => keyPathText(path)).join(', '), (before) =>
    [...all.map(({ text }) => text), ...leave].reduce<Edit>(
      (edit, change) => (edit.kind === 'refused' ? edit : change(edit.text)),
      { kind: 'edited', text: before },
    ),
  )
  return { next, removed: led, shadowed: all.flatMap(({ shadowed }) => shadowed) }
}

/** Whether the file says something there, be it a known key or not: what is wrong can be removed. */
function isWritten({ sources }: EditPlace, path: Path): boolean {
  const { file } = runtimeFiles(sources)
  const document = parseToml(readRuntimeText(sources) ?? '', file)
  return !('code' in document) && valueAt(document.values, path) !== undefined
}

/** Reads a value from text by the type of its key, as a variable of the environment is read. @throws ConfigError */
export function readKeyText(tree: KeyNode, key: string, text: string): unknown {
  const path = pathOfKey(key)
  const result = parseVariable({ path, node: knownNode(tree, path) }, text, key)
  if ('code' in result) throw new ConfigError([{ ...result, layer: 'runtime' }])
  return result.value
}

/**
 * Edits the file as it is now, which may not be what was last loaded, and writes it when all layers are right with it.
 * One that is wrong key by key can be mended key by key: an edit that leaves fewer mistakes, and no new one, is
 * written.
 */
function edited(place: EditPlace, key: string, change: (text: string) => Edit): Loaded {
  const { sources, keys, loaded } = place
  const { file, lastGood } = runtimeFiles(sources)
  const good = loaded.runtime === 'closed' ? readLastGood(lastGood) : loaded.text
  const problem = (code: ConfigProblem['code'], message: string, hint: string): ConfigProblem => {
    return { code, layer: 'runtime', where: file, key, message, hint }
  }
  const before = readRuntime(sources, keys, good)
  const { text, problems } = before
  const remedy = readLastGood(lastGood) === undefined ? 'repair it' : `repair it, or copy ${lastGood} over it`
  const broken = problem('BROKEN_FILE', 'cannot be edited while it is broken', remedy)
  if (problems.length > 0 && before.rest === undefined) throw new ConfigError([broken, ...problems])
  const edit = change(text)
  if (edit.kind === 'refused')
    throw new ConfigError([problem('NOT_EDITABLE', `${key}: ${edit.reason}`, 'edit the file')])
  const after = checkRuntime(edit.text, file, keys, sources)
  if (problems.length > 0 && !isMended(before, after)) throw new ConfigError([broken, ...problems])
  const declared = { layer: loaded.declared, problems: [] }
  const next = after.rest
    ? layersWith(after, sources, keys, { good, declared })
    : loadCandidate(sources, keys, edit.text, loaded.declared)
  if (next.runtime === 'closed' && loaded.runtime !== 'closed') throw new ConfigError([broken, ...next.problems])
  if (edit.text === text) return next
  if (readRuntime(sources, keys, undefined).text !== text)
    throw new ConfigError([problem('CHANGED_ON_DISK', 'was changed by another program just now', 'try again')])
  try {
    writeRuntime(sources, edit.text, after.rest === undefined ? { before: loaded.text } : undefined)
    return next
  } catch (error) {
    const message = `cannot be written (${errorCode(error)}); the old file stays in place`
    throw new ConfigError([problem('WRITE_FAILED', message, 'free disk space or grant write access, then try again')], {
      cause: error,
    })
  }
}

/** Whether an edit of a file with mistakes leaves fewer of them. */
function isMended(before: RuntimeReading, after: RuntimeReading): boolean {
  if (after.problems.length === 0) return true
  return after.rest !== undefined && after.rest.lost.length < (before.rest?.lost.length ?? 0)
}

/** What was read without its secret must not be written back as if the placeholder were one. */
function refusePlaceholder(node: KeyNode, path: Path, value: unknown): void {
  const isPlaceholder = (at: Path): boolean => {
    const written = valueAt(value, at)
    const parsed = typeof written === 'string' ? parseJson(written) : written
    return isTree(parsed) && parsed['secret'] === true
  }
  const secrets = isTree(value) ? Object.keys(value) : []
  if (node.meta.secret && isPlaceholder([])) {
    const key = keyPathText(path)
    throw new ConfigError([
      {
        code: 'PLACEHOLDER',
        layer: 'runtime',
        where: key,
        key,
        message: `${key} is a secret, and this is only the placeholder shown for it`,
        hint: 'write the secret itself, or leave the key out',
      },
    ])
  }
  for (const step of secrets) {
    const below = nodeAt(node, [step])
    if (below !== undefined) refusePlaceholder(below, [...path, step], valueAt(value, [step]))
  }
}

function shadowedKeys({ layers: [env], withheld }: Loaded, paths: readonly Path[]): string[] {
  const isHidden = (path: Path) => !withheld.some((key) => key.layer === 'env' && sameValue(key.path, path))
  return paths
    .filter((path) => valueAt(env.values, path) !== undefined && isHidden(path))
    .map((path) => keyPathText(path))
}

function shadowProblem({ layers: [env] }: Loaded, key: string): ConfigProblem {
  const where = env.sourceOf(pathOfKey(key))
  const message = `${key} is set by the environment, which would hide the new value`
  return { code: 'SHADOWED', layer: 'env', where, key, message, hint: 'change it there, or use --force' }
}

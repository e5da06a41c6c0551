import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { KeyNode } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { withTargetTables } from '../schemas/words/target-text.ts'
import { type Path, sameValue, type Tree, valueAt, withoutValues } from '../syntax/tree.ts'
import { replaceFiles } from '../system/replace-files.ts'
import { errorCode, readText } from './files.ts'
import type { KeySet } from './key-set.ts'
import { emptyLayer, type Layer } from './layers.ts'
import { mayNarrow, unusablePart } from './narrowing.ts'
import { firstProblems, type Mistake, mistakesIn } from './problems.ts'
import { type ConfigSeals, unsealed } from './sealed-values.ts'
import { parseToml } from './toml.ts'
import { type Environment, expand, variablesIn } from './variables.ts'

/** What `config.toml` says. With problems, `layer` is empty. An absent file has the text '' and is right. */
export type RuntimeReading = {
  readonly text: string
  readonly layer: Layer
  readonly problems: readonly ConfigProblem[]
  /** With problems, what is right of a file that can be read key by key. */
  readonly rest?: RuntimeRest
}

/** A runtime layer without what cannot be used. */
export type RuntimeRest = {
  readonly layer: Layer
  /** What was left out: keys, or whole entries of maps. */
  readonly lost: readonly Path[]
  /** Whether more clients, or bigger requests, could be let in without it. */
  readonly narrows: boolean
}

/** Where the runtime layer is kept. */
export type RuntimePlace = {
  /** Where `${NAME}` in the file comes from. */
  readonly env: Environment
  /** What opens its secrets; absent: they are not looked at. */
  readonly seals?: ConfigSeals | undefined
  readonly stateDirectory: string
  /** The runtime file itself, when it is not `config.toml` in the state directory. */
  readonly runtimeFile?: string | undefined
}

/** The runtime file, and its last good copy, which is always in the state directory. */
export function runtimeFiles({ stateDirectory, runtimeFile }: Omit<RuntimePlace, 'env' | 'seals'>): {
  readonly file: string
  readonly lastGood: string
} {
  const usual = join(stateDirectory, 'config.toml')
  return { file: runtimeFile ?? usual, lastGood: `${usual}.last-good` }
}

/**
 * Reads the runtime file. A file that is the beginning of the last good one, with values missing, was cut off by
 * something: editors and `gatectl` leave other traces.
 * @param good text of the last good file
 */
export function readRuntime(place: RuntimePlace, keys: KeySet, good: string | undefined): RuntimeReading {
  const { file, lastGood } = runtimeFiles(place)
  let text: string | undefined
  try {
    text = readText(file)
  } catch (error) {
    const reason = error instanceof TypeError ? 'it is not UTF-8' : errorCode(error)
    const problem = {
      code: 'UNREADABLE_FILE',
      layer: 'runtime',
      where: file,
      message: `cannot be read (${reason})`,
    } as const
    return {
      text: '',
      layer: emptyLayer('runtime'),
      problems: [{ ...problem, hint: 'restore it, or make it readable by the daemon' }],
    }
  }
  if (text === undefined) return { text: '', layer: emptyLayer('runtime'), problems: [] }
  const reading = checkRuntime(text, file, keys, place)
  if (good === undefined || text.length >= good.length || !good.startsWith(text)) return reading
  const before = checkRuntime(good, file, keys, place)
  const isSame = () => sameValue(reading.layer.values, before.layer.values)
  if (before.problems.length === 0 && (reading.problems.length > 0 || isSame())) return reading
  const torn: ConfigProblem = {
    code: 'TORN_FILE',
    layer: 'runtime',
    where: file,
    message: 'ends in the middle of the last good copy, so its end was probably lost',
    hint: `copy ${lastGood} over it; if you removed the end on purpose, add a comment line in its place`,
  }
  return { text, layer: emptyLayer('runtime'), problems: [torn] }
}

/**
 * Whether other users can read the runtime file, which may hold secrets: its own permissions and those of its directory
 * let them.
 * @returns its permissions, such as "644"; undefined when they cannot, or there is no file
 */
export function modeOpenToOthers(place: RuntimePlace): string | undefined {
  const { file } = runtimeFiles(place)
  const own = statSync(file, { throwIfNoEntry: false })?.mode ?? 0
  const around = statSync(dirname(file), { throwIfNoEntry: false })?.mode ?? 0
  const isOpen = [0o040, 0o004].some((read) => (own & read) !== 0 && (around & (read >> 2)) !== 0)
  return isOpen ? (own & 0o777).toString(8) : undefined
}

/**
 * Checks the text of a runtime file alone, without the other layers.
 * @param place its `env` replaces `${NAME}`; absent: what names a variable, or is sealed, stays as written, and its
 *   value is not checked
 */
export function checkRuntime(
  text: string,
  file: string,
  keys: KeySet,
  place?: Pick<RuntimePlace, 'env' | 'seals'>,
): RuntimeReading {
  const env = place?.env
  const document = parseToml(text, file)
  if ('code' in document) return { text, layer: emptyLayer('runtime'), problems: [document] }
  const { whereOf } = document
  const crowded = crowdedMap(keys.tree, document.values)
  if (crowded !== undefined) {
    const message = `${crowded} has more than ${MOST_ENTRIES} entries`
    const problem = { code: 'INVALID_VALUE', layer: 'runtime', where: file, key: crowded, message } as const
    return { text, layer: emptyLayer('runtime'), problems: [problem] }
  }
  const { values: expanded, mistakes: unset } = expand(document, env)
  const opened = unsealed({ values: withTargetTables(expanded), whereOf }, keys.tree, place?.seals)
  const { values } = opened
  const rules = { schema: keys.layer, tree: keys.tree, layer: 'runtime', whereOf } as const
  const isKnown = ({ path }: Mistake) => env !== undefined || variablesIn(valueAt(values, path)).length === 0
  const shut = opened.mistakes
  const mistakes = unset.length > 0 ? unset : [...shut, ...mistakesIn(values, rules).filter(isKnown)]
  const layer = { name: 'runtime', values, written: document.values, sourceOf: whereOf } as const
  if (mistakes.length === 0) return { text, layer, problems: [] }
  const reading = { text, layer: emptyLayer('runtime'), problems: firstProblems(mistakes) }
  if (mistakes.length > MOST_MISTAKES) return reading
  const lost = mistakes.map(({ path }) => unusablePart(keys.tree, path))
  const narrows = lost.some((path) => mayNarrow(keys.tree, values, path))
  const rest = { ...layer, values: withoutValues(values, lost), written: withoutValues(document.values, lost) }
  return { ...reading, rest: { layer: rest, lost, narrows } }
}

/** What the loop that serves requests can check at once. */
const MOST_ENTRIES = 1_000

function crowdedMap(tree: KeyNode, values: Tree): string | undefined {
  const maps = tree.kind === 'group' ? [...tree.fields].filter(([, { kind }]) => kind === 'map') : []
  return maps.map(([name]) => name).find((name) => Object.keys(valueAt(values, [name]) ?? {}).length > MOST_ENTRIES)
}

/** A file with more is not a configuration, so nothing of it is used. */
const MOST_MISTAKES = 500

/** The text that was last loaded without a problem; undefined when there is none or it cannot be read. */
export function readLastGood(lastGood: string): string | undefined {
  try {
    return readText(lastGood)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    errorCode(error)
    return undefined
  }
}

/**
 * Makes `text` the last good copy. An absent file leaves the copy alone: a user who removed the file by mistake wants
 * it back.
 * @returns why it could not be kept, or undefined
 */
export function keepLastGood(place: RuntimePlace, text: string): string | undefined {
  const { lastGood } = runtimeFiles(place)
  const kept = readLastGood(lastGood)
  if (kept === text || text === '') return undefined
  try {
    writeTexts([{ file: lastGood, text }])
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

/** The daemon's own, secrets and all. A link stays a link. */
function writeTexts(files: readonly { readonly file: string; readonly text: string }[]): void {
  replaceFiles(
    files.map((file) => ({ ...file, mode: 0o600 })),
    { links: 'follow', parentMode: 0o700 },
  )
}

/** The text of the runtime file; undefined when there is none or it cannot be read. */
export function readRuntimeText(place: RuntimePlace): string | undefined {
  return readLastGood(runtimeFiles(place).file)
}

/**
 * Replaces the runtime file and its last good copy. The copy goes first: stopped between the two, the daemon finds the
 * old file and the new copy, both complete.
 * @param copied what was in force before; absent: the text is not right yet, and the copy stays
 * @throws the system's error; then the old file stays in place
 */
export function writeRuntime(place: RuntimePlace, text: string, copied: { readonly before: string } | undefined): void {
  const { file, lastGood } = runtimeFiles(place)
  if (copied === undefined) {
    writeTexts([{ file, text }])
    return
  }
  const { before } = copied
  try {
    writeTexts([
      { file: lastGood, text },
      { file, text },
    ])
  } catch (error) {
    if (readLastGood(lastGood) === text && text !== before) writeTexts([{ file: lastGood, text: before }])
    throw error
  }
}

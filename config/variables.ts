// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has
import { configSchema } from '../schemas/config/config.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { environmentName } from '../schemas/words/key-names.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, type Path, type Tree } from '../syntax/tree.ts'
import { type Mistake, shortened } from './problems.ts'

export type Environment = Readonly<Record<string, string | undefined>>

type Written = { readonly values: Tree; readonly whereOf: (path: Path) => string }

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** A key that the environment gives: it holds for that key, and for no other that config.toml names. */
const KEY = /^GATE_[A-Z0-9_]*__/
/** `GATE_UPSTREAMS`, which holds every key in its table, and those like it. */
const TABLES: ReadonlySet<string> = new Set(Object.keys(configSchema.shape).map((name) => environmentName([name])))
/** `$${`, which means the two characters `${`, or `${` with what follows it. */
const PLACEHOLDER = /\$\$\{|\$\{([^}]*)(\}?)/g

/**
 * Replaces `${NAME}` in every text by the variable of the environment, and `$${` by `${`. A variable that is not set,
 * is empty or is written wrong is a mistake: taken literally, the text would be a key that is easy to guess.
 * @param env absent: only what is written wrong is a mistake, the rest stays
 */
export function expand(
  { values, whereOf }: Written,
  env: Environment | undefined,
): { values: Tree; mistakes: Mistake[] } {
  const mistakes: Mistake[] = []
  const refused = (path: Path, message: string, hint: string) => {
    const tell = (): ConfigProblem => {
      const key = keyPathText(path)
      return { code: 'UNSET_VARIABLE', layer: 'runtime', where: whereOf(path), key, message: `${key} ${message}`, hint }
    }
    mistakes.push({ path, tell })
    return ''
  }
  const text = (written: string, path: Path) =>
    written.replace(PLACEHOLDER, (all: string, name: string | undefined, end: string | undefined) => {
      if (name === undefined) return '${'
      if (end === '' || !NAME.test(name))
        return refused(
          path,
          'contains a "${" that does not name a variable',
          'write ${NAME}, as in token = "${GATE_TOKEN}", or $${ for the two characters',
        )
      if (KEY.test(name) || TABLES.has(name)) {
        const what = TABLES.has(name) ? 'a table of keys' : 'a key of its own'
        const message = `names the variable ${shortened(name)}, which is ${what}`
        return refused(path, message, 'use a variable of another name')
      }
      if (env === undefined) return all
      const value = Object.hasOwn(env, name) ? env[name] : undefined
      if (value !== undefined && value !== '') return value
      const what = value === undefined ? 'is not set' : 'is empty'
      const shown = shortened(name)
      return refused(
        path,
        `names the variable ${shown}, which ${what}`,
        `set ${shown} for gate-daemon, or write a value`,
      )
    })
  const expanded = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return value.includes('${') ? text(value, path) : value
    if (Array.isArray(value)) return value.map((element, index) => expanded(element, [...path, String(index)]))
    return isTree(value) ? tree(value, path) : value
  }
  const tree = (value: Tree, path: Path): Tree =>
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expanded(inner, [...path, key])]))
  return { values: tree(values, []), mistakes }
}

/** The variables that a value names, in it or below it. */
export function variablesIn(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(PLACEHOLDER)].flatMap(([, name]) => name ?? [])
  if (Array.isArray(value)) return value.flatMap(variablesIn)
  return isTree(value) ? Object.values(value).flatMap(variablesIn) : []
}

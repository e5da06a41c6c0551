// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the form that config.toml has

import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, type Path, type Tree } from '../syntax/tree.ts'

export type Environment = Readonly<Record<string, string | undefined>>

type Written = { readonly values: Tree; readonly whereOf: (path: Path) => string }

/**
 * Replaces `${NAME}` in every text by the variable of the environment. One that is not set, is empty or is written wrong is a
 * problem: taken literally, the text would be a key that is easy to guess.
 */
export function expand({ values, whereOf }: Written, env: Environment): { values: Tree; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = []
  const refused = (path: Path, message: string, hint: string) => {
    const key = keyPathText(path)
    problems.push({
      code: 'UNSET_VARIABLE',
      layer: 'runtime',
      where: whereOf(path),
      key,
      message: `${key} ${message}`,
      hint,
    })
    return ''
  }
  const text = (written: string, path: Path) =>
    written.replace(/\$\{([^}]*)(\}?)/g, (_, name: string, end: string) => {
      if (end === '' || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        return refused(
          path,
          'contains a "${" that does not name a variable',
          'write ${NAME}, as in token = "${GATE_TOKEN}"',
        )
      const value = env[name]
      if (value !== undefined && value !== '') return value
      const what = value === undefined ? 'is not set' : 'is empty'
      return refused(path, `names the variable ${name}, which ${what}`, `set ${name} for gate-daemon, or write a value`)
    })
  const expanded = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return text(value, path)
    if (Array.isArray(value)) return value.map((element, index) => expanded(element, [...path, String(index)]))
    return isTree(value) ? tree(value, path) : value
  }
  const tree = (value: Tree, path: Path): Tree =>
    Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expanded(inner, [...path, key])]))
  return { values: tree(values, []), problems }
}

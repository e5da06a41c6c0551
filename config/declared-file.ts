import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { WHOLE_VARIABLE } from '../schemas/config/values.ts'
import { snakeCase } from '../schemas/words/key-names.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { withTargetTables } from '../schemas/words/target-text.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt } from '../syntax/tree.ts'
import { errorCode, parseJson, readPlainFile } from './files.ts'
import type { KeySet } from './key-set.ts'
import { emptyLayer, type Layer } from './layers.ts'
import { capped, checkTree } from './problems.ts'

/**
 * Reads the declared layer: a JSON file whose keys are spelled as in TOML or as in Nix.
 * Every user can read it, so it holds no secret. An absent file is an empty layer.
 */
export function readDeclared(file: string | undefined, keys: KeySet): Declared {
  const empty = { layer: emptyLayer('declared'), problems: [] }
  if (file === undefined) return empty
  let text: string
  try {
    text = readPlainFile(file).toString('utf8')
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return empty
    return refused(file, {
      code: 'UNREADABLE_FILE',
      message: `cannot be read (${code})`,
      hint: 'make it readable by the daemon',
    })
  }
  return checkDeclared(file, text, keys)
}

export type Declared = { readonly layer: Layer; readonly problems: ConfigProblem[] }

/** The declared layer that a text is. @param file its name in the problems */
export function checkDeclared(file: string, text: string, keys: KeySet): Declared {
  const parsed = parseJson(text)
  if (parsed === undefined)
    return refused(file, { code: 'INVALID_JSON', message: 'is not valid JSON', hint: 'build the declared file again' })
  if (!isTree(parsed)) return refused(file, { code: 'INVALID_JSON', message: 'is not a JSON object' })
  const values = withTargetTables(respelled(keys.tree, parsed))
  const whereOf = () => file
  const problems = [
    ...checkTree(values, { schema: keys.layer, tree: keys.tree, layer: 'declared', whereOf }),
    ...secretPaths(keys.tree, values).map((path) => declaredSecret(file, path)),
    ...variablePaths(values).map((path) => declaredVariable(file, path)),
  ]
  return { layer: { name: 'declared', values, sourceOf: whereOf }, problems: capped(problems) }
}

function refused(where: string, rest: Pick<ConfigProblem, 'code' | 'message' | 'hint'>): Declared {
  return { layer: emptyLayer('declared'), problems: [{ layer: 'declared', where, ...rest }] }
}

/** Keys spelled as in Nix become those of the schema; names that people gave stay. */
function respelled(node: KeyNode | undefined, value: unknown): Tree {
  if (!isTree(value)) return {}
  const entries = Object.entries(value).map(([key, inner]) => {
    const name = node?.kind === 'group' && !node.fields.has(key) ? snakeCase(key) : key
    const below = node?.kind === 'group' ? node.fields.get(name) : node?.kind === 'map' ? node.entry : undefined
    return [
      name,
      below !== undefined && below.kind !== 'leaf' && isTree(inner) ? respelled(below, inner) : inner,
    ] as const
  })
  return Object.fromEntries(entries)
}

function secretPaths(tree: KeyNode, values: Tree): Path[] {
  return [...leafPaths(values)].filter((path) => nodeAt(tree, path)?.meta.secret)
}

/** A whole text that is `${NAME}` is meant as a variable; inside a longer text it may be meant literally. */
function variablePaths(values: Tree): Path[] {
  return [...leafPaths(values)].filter((path) => {
    const value = valueAt(values, path)
    return (Array.isArray(value) ? value : [value]).some((one) => typeof one === 'string' && WHOLE_VARIABLE.test(one))
  })
}

function declaredVariable(file: string, path: Path): ConfigProblem {
  const key = keyPathText(path)
  const message = `${key} is a variable, and variables are not replaced in the declared file`
  const hint = 'write the value, set the key by its own variable, or use { env = … } for a secret in gate.toml'
  return { code: 'UNSET_VARIABLE', layer: 'declared', where: file, key, message, hint }
}

function declaredSecret(file: string, path: Path): ConfigProblem {
  const key = keyPathText(path)
  return {
    code: 'DECLARED_SECRET',
    layer: 'declared',
    where: file,
    key,
    message: `${key} is a secret, and every user on this host can read the declared file`,
    hint: `give it as ${key} through LoadCredential=, or through the environment file`,
  }
}

import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import { camelCase, environmentName } from '../schemas/words/key-names.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { attributeName, nixLiteral } from '../syntax/nix/literal.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt } from '../syntax/tree.ts'
import { ConfigError } from './problems.ts'
import { specSnippet } from './promote-spec.ts'
import { variablesIn } from './variables.ts'

/** What is below the runtime layer, and what all layers say together. */
export type Surroundings = {
  readonly declared: Tree
  readonly configured: Tree
  /** The runtime layer as the file has it, `${NAME}` and all; absent: it names none. */
  readonly written?: Tree
}

/**
 * The snippet that would make the runtime layer permanent. Secrets are not in it, nor is what a variable holds: where
 * they belong is said instead.
 * @throws ConfigError NOT_PRINTABLE for a text that Nix cannot hold
 */
export function promoted(
  format: 'nix' | 'spec',
  tree: KeyNode,
  runtime: Tree,
  { declared, configured, written = {} }: Surroundings = { declared: {}, configured: runtime },
): string {
  return format === 'nix'
    ? nixSnippet(tree, runtime, written)
    : specSnippet(tree, { runtime, declared, configured, written })
}

/** One assignment for each key of `services.gate-daemon.settings`, for the body of a NixOS module. */
function nixSnippet(tree: KeyNode, runtime: Tree, written: Tree): string {
  const lines = [...leafPaths(runtime)].map((path) => {
    const node = nodeAt(tree, path)
    if (node?.meta.secret)
      return `# ${keyPathText(path)} is a secret: put ${environmentName(path)}=… into the file that environmentFile names`
    if (variablesIn(valueAt(written, path)).length > 0)
      return `# ${keyPathText(path)} holds a variable: put ${environmentName(path)}=… into the file that environmentFile names`
    const attribute = nixPath(tree, path).map(attributeName).join('.')
    return `services.gate-daemon.settings.${attribute} = ${nixValue(valueAt(runtime, path), path)};`
  })
  return lines.map((line) => `${line}\n`).join('')
}

/** Keys as Nix spells them; names that people gave stay. */
function nixPath(tree: KeyNode, path: Path): Path {
  return path.map((step, index) => (nodeAt(tree, path.slice(0, index))?.kind === 'map' ? step : camelCase(step)))
}

function nixValue(value: unknown, path: Path): string {
  if (typeof value === 'string') return nixText(value, path)
  if (typeof value === 'number') return value < 0 ? `(${nixNumber(value)})` : nixNumber(value)
  if (Array.isArray(value)) return `[ ${value.map((element) => `${nixValue(element, path)} `).join('')}]`
  if (!isTree(value)) return String(value)
  const pairs = Object.entries(value).map(
    ([key, inner]) => `${attributeName(camelCase(key))} = ${nixValue(inner, path)}; `,
  )
  return `{ ${pairs.join('')}}`
}

function nixText(text: string, path: Path): string {
  try {
    return nixLiteral([text])
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const key = keyPathText(path)
    const message = `${key} holds a NUL character or half a surrogate pair, which a Nix string cannot hold`
    throw new ConfigError([
      { code: 'NOT_PRINTABLE', layer: 'runtime', where: key, key, message, hint: 'unset it first' },
    ])
  }
}

/** Nix wants a point in a number with an exponent. */
function nixNumber(value: number): string {
  return String(value).replace(/^(-?\d+)e/, '$1.0e')
}

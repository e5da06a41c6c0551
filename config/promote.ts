import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import { camelCase, environmentName } from '../schemas/words/key-names.ts'
import { keyText, valueText } from '../syntax/toml/text.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt } from '../syntax/tree.ts'
import { ConfigError } from './problems.ts'

/**
 * The snippet that would make the runtime layer permanent. Secrets are not in it: where they belong is said instead.
 * @throws ConfigError NOT_PRINTABLE for a text that Nix cannot hold
 */
export function promoted(format: 'nix' | 'spec', tree: KeyNode, runtime: Tree): string {
  return format === 'nix' ? nixSnippet(tree, runtime) : specSnippet(tree, runtime)
}

/** One assignment for each key of `services.gate-daemon.settings`, for the body of a NixOS module. */
function nixSnippet(tree: KeyNode, runtime: Tree): string {
  const lines = [...leafPaths(runtime)].map((path) => {
    const node = nodeAt(tree, path)
    if (node?.meta.secret)
      return `# ${path.join('.')} is a secret: put ${environmentName(path)}=… into the file that environmentFile names`
    const attribute = nixPath(tree, path).map(nixName).join('.')
    return `services.gate-daemon.settings.${attribute} = ${nixValue(valueAt(runtime, path), path)};`
  })
  return lines.map((line) => `${line}\n`).join('')
}

/** Keys as Nix spells them; names that people gave stay. */
function nixPath(tree: KeyNode, path: Path): Path {
  return path.map((step, index) => (nodeAt(tree, path.slice(0, index))?.kind === 'map' ? step : camelCase(step)))
}

const NIX_WORDS = ['assert', 'else', 'if', 'in', 'inherit', 'let', 'or', 'rec', 'then', 'with']

function nixName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_'-]*$/.test(name) && !NIX_WORDS.includes(name) ? name : nixString(name)
}

function nixValue(value: unknown, path: Path): string {
  if (typeof value === 'string') {
    if (!value.includes('\0')) return nixString(value)
    const key = path.join('.')
    const message = `${key} holds a NUL character, which no text in Nix can hold`
    throw new ConfigError([
      { code: 'NOT_PRINTABLE', layer: 'runtime', where: key, key, message, hint: 'unset it first' },
    ])
  }
  if (typeof value === 'number') return value < 0 ? `(${nixNumber(value)})` : nixNumber(value)
  if (Array.isArray(value)) return `[ ${value.map((element) => `${nixValue(element, path)} `).join('')}]`
  if (!isTree(value)) return String(value)
  const pairs = Object.entries(value).map(([key, inner]) => `${nixName(camelCase(key))} = ${nixValue(inner, path)}; `)
  return `{ ${pairs.join('')}}`
}

/** Nix wants a point in a number with an exponent. */
function nixNumber(value: number): string {
  return String(value).replace(/^(-?\d+)e/, '$1.0e')
}

/** A double-quoted literal; every `$` is escaped, so nothing in it is evaluated. */
function nixString(text: string): string {
  const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
  return `"${text.replace(/[\\"$]|[\n\r\t]/g, (character) => escapes[character] ?? `\\${character}`)}"`
}

/** Where the tables of the configuration stand in the spec (`gate.toml`). */
const SPEC_TABLES: Readonly<Record<string, Path>> = {
  upstreams: ['upstreams'],
  backends: ['backends'],
  models: ['models'],
  relay: ['relay'],
  letsencrypt: ['gate', 'tls', 'acme'],
}

/** TOML for `gate.toml`: one table for each group of keys; secrets refer to credentials. */
function specSnippet(tree: KeyNode, runtime: Tree): string {
  const tables = new Map<string, string[]>()
  for (const path of leafPaths(runtime)) {
    const [first = '', ...rest] = path
    const place = [...(SPEC_TABLES[first] ?? ['gate', first]), ...rest]
    const secret = nodeAt(tree, path)?.meta.secret
    const value = secret ? `{ credential = ${valueText(path.join('.'))} }` : valueText(valueAt(runtime, path))
    const table = keyText(place.slice(0, -1))
    const line =
      path.join('.') === 'letsencrypt.enabled'
        ? '# certificates are asked for when this table exists'
        : `${keyText(place.slice(-1))} = ${value}`
    tables.set(table, [...(tables.get(table) ?? []), line])
  }
  return [...tables].map(([table, lines]) => `[${table}]\n${lines.join('\n')}\n`).join('\n')
}

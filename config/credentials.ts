import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { keyPathText, parseKeyPath } from '../schemas/words/key-path.ts'
import type { Path } from '../syntax/tree.ts'
import { errorCode, readPlainFile } from './files.ts'
import { keySuggestion } from './problems.ts'
import { type Found, parseVariable } from './variable-value.ts'

/** Largest file that can hold one value. */
const MAX_BYTES = 1024 * 1024

/** Reads a value from a file, as `GATE_A__B_FILE` says. One line break at the end is not part of it. */
export function readSecretFile(
  key: { readonly path: Path; readonly node: KeyNode },
  file: string,
  source: string,
): Found | ConfigProblem {
  const problem = (message: string, hint: string): ConfigProblem => ({
    code: 'UNREADABLE_FILE',
    layer: 'env',
    where: source,
    key: keyPathText(key.path),
    message,
    hint,
  })
  try {
    const { size } = statSync(file)
    if (size > MAX_BYTES) return problem('is larger than 1 MiB', 'name a file that holds the value and nothing else')
    return parseVariable(
      key,
      readPlainFile(file)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
      source,
    )
  } catch (error) {
    return problem(`cannot be read (${errorCode(error)})`, 'name a file that the daemon can read')
  }
}

/**
 * Reads the credentials that are named like keys, such as `upstreams.openai.api_key`.
 * Those whose first part is not a table of the configuration are for something else and are left alone.
 */
export function readCredentials(directory: string, tree: KeyNode): (Found | ConfigProblem)[] {
  let names: string[]
  try {
    names = readdirSync(directory).sort()
  } catch (error) {
    const message = `cannot be read (${errorCode(error)})`
    return [{ code: 'UNREADABLE_FILE', layer: 'env', where: directory, message, hint: 'check $CREDENTIALS_DIRECTORY' }]
  }
  return names.flatMap((name) => {
    const path = parseKeyPath(name)
    if (path === undefined || path.length < 2 || nodeAt(tree, path.slice(0, 1)) === undefined) return []
    const file = join(directory, name)
    const node = nodeAt(tree, path)
    if (node?.kind === 'leaf') return [readSecretFile({ path, node }, file, `credential ${file}`)]
    const hint = keySuggestion(tree, path)
    const problem = { layer: 'env', where: `credential ${file}`, key: name, message: `unknown key ${name}` } as const
    return [{ code: 'UNKNOWN_KEY', ...problem, ...(hint === undefined ? {} : { hint }) }]
  })
}

import { type KeyNode, nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { WHOLE_VARIABLE } from '../schemas/config/values.ts'
import { keyPathText } from '../schemas/words/key-path.ts'
import { isTree, leafPaths, type Path, type Tree, valueAt, withoutValue, withValue } from '../syntax/tree.ts'
import { type EnvironmentSources, readEnvironment } from './environment.ts'
import { errorCode } from './files.ts'
import { configKeys } from './key-set.ts'
import { ConfigError, type Mistake } from './problems.ts'

/** What seals the secrets of config.toml, each for its key alone. Throws an Error that says why it cannot. */
export type ConfigSeals = {
  readonly seal: (key: string, text: string) => string
  /** Null when it is sealed for another key, or with one that is not there. */
  readonly unseal: (key: string, sealed: string) => string | null
  readonly isCurrent: (sealed: string) => boolean
}

const SEALED = /^sealed:[A-Za-z0-9+/]+={0,2}$/
const isSealed = (value: unknown): value is string => typeof value === 'string' && SEALED.test(value)

/** What opens the keyring, so that nothing sealed can hold it: it comes by a variable or a credential. */
const MASTER: Path = ['secrets']

/**
 * Opens what is sealed in the values of config.toml. What does not open is a mistake, as is a key that opens the keyring.
 * @param seals absent: what is sealed stays as it is, and is not looked at
 */
export function unsealed(
  { values, whereOf }: { readonly values: Tree; readonly whereOf: (path: Path) => string },
  tree: KeyNode,
  seals: ConfigSeals | undefined,
): { values: Tree; mistakes: Mistake[] } {
  const mistakes: Mistake[] = []
  let opened = values
  const wrong = (path: Path, message: string, hint: string) => {
    const key = keyPathText(path)
    const tell = (): ConfigProblem => {
      return {
        code: 'SEALED_ELSEWHERE',
        layer: 'runtime',
        where: whereOf(path),
        key,
        message: `${key} ${message}`,
        hint,
      }
    }
    mistakes.push({ path, tell })
  }
  for (const path of leafPaths(valueAt(values, MASTER) ?? {}, MASTER)) {
    if (path.length === MASTER.length) continue
    wrong(path, 'opens what is sealed in this file, so it is not read from it', 'set its variable, or a credential')
    opened = withoutValue(opened, path)
  }
  for (const { path, text } of secretsIn(opened, tree)) {
    if (!isSealed(text) || seals === undefined) continue
    try {
      const plain = seals.unseal(keyPathText(path), text.slice('sealed:'.length))
      if (plain === null) wrong(path, 'was sealed for another key, or with a key that is gone', 'set it again')
      opened = withValue(opened, path, plain ?? text)
    } catch (error) {
      wrong(path, `cannot be opened: ${error instanceof Error ? error.message : errorCode(error)}`, 'repair that')
    }
  }
  return { values: opened, mistakes }
}

/** A value that is about to be written, with its secrets sealed; `${NAME}` stays. @throws ConfigError */
export function withSeals(tree: KeyNode, path: Path, value: unknown, seals: ConfigSeals | undefined): unknown {
  if (seals === undefined) return value
  let sealed = withValue({}, path, value)
  for (const { path: at, text } of secretsIn(sealed, tree)) {
    if (WHOLE_VARIABLE.test(text)) continue
    sealed = withValue(sealed, at, sealedText(keyPathText(at), text, seals))
  }
  return valueAt(sealed, path)
}

/** Secrets that are not sealed with the current key, with what to write for each. @throws ConfigError */
export function* staleSecrets(
  values: Tree,
  tree: KeyNode,
  seals: ConfigSeals,
): Generator<{ path: Path; text: string }> {
  for (const { path, text } of secretsIn(values, tree)) {
    const key = keyPathText(path)
    if (WHOLE_VARIABLE.test(text) || (isSealed(text) && seals.isCurrent(text.slice('sealed:'.length)))) continue
    const plain = isSealed(text) ? seals.unseal(key, text.slice('sealed:'.length)) : text
    if (plain !== null) yield { path, text: sealedText(key, plain, seals) }
  }
}

/** `secrets.encryption_key` and `secrets.previous_key`, by a variable or a credential. */
export function masterTexts(sources: EnvironmentSources): {
  configured: string | undefined
  previous: string | undefined
} {
  const { values } = readEnvironment(sources, configKeys(), () => []).layer
  const textAt = (name: string) => {
    const text = valueAt(values, ['secrets', name])
    return typeof text === 'string' ? text : undefined
  }
  return { configured: textAt('encryption_key'), previous: textAt('previous_key') }
}

function sealedText(key: string, text: string, seals: ConfigSeals): string {
  try {
    return `sealed:${seals.seal(key, text)}`
  } catch (error) {
    const message = `cannot be sealed: ${error instanceof Error ? error.message : errorCode(error)}`
    throw new ConfigError(
      [{ code: 'WRITE_FAILED', layer: 'runtime', where: key, key, message, hint: 'repair that, then try again' }],
      { cause: error },
    )
  }
}

function* secretsIn(values: Tree, tree: KeyNode): Generator<{ path: Path; text: string }> {
  if (!isTree(values)) return
  for (const path of leafPaths(values)) {
    const text = valueAt(values, path)
    if (typeof text === 'string' && nodeAt(tree, path)?.meta.secret === true) yield { path, text }
  }
}

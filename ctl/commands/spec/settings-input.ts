import type { Tree } from '../../../syntax/tree.ts'
import { failure } from '../../failure.ts'
import { readNamed } from './named-file.ts'

/**
 * Reads the file of --settings, a layer of the daemon's configuration.
 * @returns undefined when none was named
 * @throws Failure with every mistake in it, each with its key
 */
export async function readSettings(file: string | undefined): Promise<Tree | undefined> {
  if (file === undefined) return undefined
  // zod, which only this option needs here
  const { checkDeclared } = await import('../../../config/declared-file.ts')
  const { configKeys } = await import('../../../config/key-set.ts')
  const { layer, problems } = checkDeclared(file, readNamed(file), configKeys())
  if (problems.length === 0) return layer.values
  const told = problems.map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`))
  const hint = 'docs/configuration.md lists the keys; settings are a layer of it, as JSON'
  throw failure('INVALID_SETTINGS', `${file}: ${told.join('; ')}`, { hint })
}

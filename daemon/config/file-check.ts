import type { ConfigProblem } from '../../schemas/layers.ts'
import { configKeys } from './key-set.ts'
import { emptyLayer } from './layers.ts'
import { resolveLayers } from './resolve.ts'
import { checkRuntime } from './runtime-file.ts'

/** What is wrong with a runtime file taken by itself, over nothing but the defaults. @param file its name in the problems */
export function checkFile(file: string, text: string): readonly ConfigProblem[] {
  const keys = configKeys()
  const { problems, layer } = checkRuntime(text, file, keys)
  if (problems.length > 0) return problems
  const nothing = { env: {}, credentialsDirectory: undefined }
  return resolveLayers(nothing, keys, layer, emptyLayer('nix')).problems.map(({ without: _, ...problem }) => problem)
}

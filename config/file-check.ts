import { nodeAt } from '../schemas/config/keys.ts'
import type { ConfigProblem } from '../schemas/config/layers.ts'
import { valueAt, withoutValues } from '../syntax/tree.ts'
import { checkDeclared } from './declared-file.ts'
import { configKeys } from './key-set.ts'
import { emptyLayer, type Layer } from './layers.ts'
import { firstProblems, type Mistake } from './problems.ts'
import { resolveLayers } from './resolve.ts'
import { checkRuntime } from './runtime-file.ts'
import { variablesIn } from './variables.ts'

/**
 * What is wrong with one layer's file taken alone, over nothing but the defaults: a runtime file, or a declared one.
 * @param file its name in the problems; one that ends in .json is a declared layer
 */
export function checkFile(file: string, text: string): readonly ConfigProblem[] {
  const keys = configKeys()
  const isDeclared = file.endsWith('.json')
  const { problems, layer } = isDeclared ? checkDeclared(file, text, keys) : checkRuntime(text, file, keys)
  if (problems.length > 0) return problems
  const nothing = { env: {}, credentialsDirectory: undefined }
  const [runtime, declared] = isDeclared ? [emptyLayer('runtime'), layer] : [layer, emptyLayer('declared')]
  // what names a variable has no value here
  const isKnown = ({ path }: Mistake) => variablesIn(valueAt(layer.values, path)).length === 0
  // a secret comes as a credential, say
  const isElsewhere = ({ path }: Mistake) =>
    nodeAt(keys.tree, path)?.meta.secret === true && valueAt(layer.values, path) === undefined
  const found = resolveLayers(nothing, keys, runtime, declared).problems
  const mistakes = found.filter((mistake) => isKnown(mistake) && !isElsewhere(mistake))
  if (mistakes.length > 0 || found.length === 0) return firstProblems(mistakes)
  // rules over several keys are looked at where every value is right
  const lost = found.map(({ without }) => without)
  const rest = (of: Layer): Layer => ({ ...of, values: withoutValues(of.values, lost) })
  return firstProblems(resolveLayers(nothing, keys, rest(runtime), rest(declared)).problems.filter(isKnown))
}

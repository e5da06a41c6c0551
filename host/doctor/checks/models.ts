import { localHost } from '../../host.ts'
import { missingModels, neededModels } from '../../plan/models.ts'
import type { HostProblem } from '../../problem.ts'
import type { Check } from '../check.ts'
import { edit, fail, ok, ROOT_SEES_MORE, skip } from '../finding.ts'
import { statPath } from '../look.ts'

export type ModelFacts = {
  readonly needed: number
  readonly isDenied: boolean
  readonly missing: readonly HostProblem[]
  readonly directory: string
}

export const models: Check<ModelFacts> = {
  name: 'models',
  summary: 'whether the models that backends start from are on this host',
  async observe({ deployment, names: { modelsDirectory: directory } }) {
    const needed = deployment === undefined ? [] : neededModels(deployment)
    const seen = await Promise.all(needed.map(({ path }) => statPath(path)))
    const missing = missingModels(localHost(), needed)
    return { needed: needed.length, isDenied: seen.some(({ kind }) => kind === 'denied'), missing, directory }
  },
  judge({ needed, isDenied, missing, directory }) {
    if (needed === 0) return [ok('no backend needs one from this host')]
    if (isDenied) return [skip(directory, ROOT_SEES_MORE)]
    if (missing.length === 0) return [ok(`${needed === 1 ? 'the one' : `all ${needed}`} that backends need`)]
    return missing.map(({ message, hint = '' }) => fail(message, 'its backend does not start', edit(directory, hint)))
  },
}

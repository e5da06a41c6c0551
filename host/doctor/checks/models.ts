import { localHost } from '../../host.ts'
import { missingModels, neededModels } from '../../plan/models.ts'
import { mountSources, unsafeMounts } from '../../plan/mount-sources.ts'
import type { HostProblem } from '../../problem.ts'
import type { Check } from '../check.ts'
import { edit, fail, ok, ROOT_SEES_MORE, skip } from '../finding.ts'
import { readHostAccounts, statPath } from '../look.ts'

export type ModelFacts = {
  readonly needed: number
  readonly isDenied: boolean
  readonly missing: readonly HostProblem[]
  /** Mounts and models that an account of Gate could lead elsewhere. */
  readonly unsafe: readonly HostProblem[]
  readonly directory: string
}

export const models: Check<ModelFacts> = {
  name: 'models',
  summary:
    'whether the models that backends start from are on this host, and no account of Gate can put another file in place of what containers mount',
  async observe({ deployment, names: { modelsDirectory: directory } }) {
    const needed = deployment === undefined ? [] : neededModels(deployment)
    const seen = await Promise.all(needed.map(({ path }) => statPath(path)))
    const host = localHost()
    const missing = missingModels(host, needed)
    const unsafe =
      deployment === undefined
        ? []
        : unsafeMounts(host, { ...deployment, mounts: mountSources(deployment) }, readHostAccounts())
    const isDenied = seen.some(({ kind }) => kind === 'denied')
    return { needed: needed.length, isDenied, missing, unsafe, directory }
  },
  judge({ needed, isDenied, missing, unsafe, directory }) {
    const mounts = unsafe.map(({ message, hint = '' }) =>
      fail(message, 'gatectl apply refuses it', edit('the directory', hint)),
    )
    if (isDenied) return [...mounts, skip(directory, ROOT_SEES_MORE)]
    const absent = missing.map(({ message, hint = '' }) =>
      fail(message, 'its backend does not start', edit(directory, hint)),
    )
    if (mounts.length + absent.length > 0) return [...mounts, ...absent]
    if (needed === 0) return [ok('no backend needs one from this host')]
    return [ok(`${needed === 1 ? 'the one' : `all ${needed}`} that backends need`)]
  },
}

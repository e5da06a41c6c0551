import { dirname, join } from 'node:path'
import type { Deployment } from '../../compiler/ir/deployment.ts'
import { INSIDE } from '../../compiler/ir/names.ts'
import { sh } from '../../syntax/shell/print.ts'
import type { HostView } from '../host.ts'
import type { HostProblem } from '../problem.ts'

/** What has to be in the models directory before a container starts. */
export type NeededModel = {
  /** mount-point: something else is mounted there, and nothing can be made in a directory that is read-only. */
  readonly kind: 'model' | 'mount-point'
  readonly path: string
  readonly container: string
  readonly directory: string
}

/** The models that a deployment's containers start from. The directory itself is made by apply. */
export function neededModels({ containers, names }: Pick<Deployment, 'containers' | 'names'>): NeededModel[] {
  const directory = names.modelsDirectory
  return containers.flatMap(({ name: container, models, mounts }) => {
    const hasModels = mounts.some((mount) => mount.kind === 'path' && mount.source === directory)
    const points = mounts.filter(({ target }) => hasModels && target.startsWith(`${INSIDE.modelsDirectory}/`))
    return [
      ...models
        .filter((path) => path !== directory)
        .map((path): NeededModel => ({ kind: 'model', path, container, directory })),
      ...points.map(({ target }): NeededModel => {
        const path = join(directory, target.slice(INSIDE.modelsDirectory.length))
        return { kind: 'mount-point', path, container, directory }
      }),
    ]
  })
}

/** podman starts no container whose mount is not there, and says so only after its image was pulled. */
export function missingModels(host: HostView, models: readonly NeededModel[]): HostProblem[] {
  return models.flatMap((model): HostProblem[] => {
    const { kind, path, container } = model
    const link = linkOut(host, model)
    if (link !== undefined) {
      const message = `${container} cannot follow ${link.path}, a link to ${link.target}: it sees the models directory alone`
      const hint = 'move the file there, or give the directory that it is in by mounts = [{ source = …, path = … }]'
      return [{ code: 'MISSING_MODEL', message, hint }]
    }
    if (host.status(path) !== undefined) return []
    if (kind === 'mount-point') {
      const message = `${container} mounts something at ${path}, which is not there`
      return [
        { code: 'MISSING_MODEL', message, hint: `make an empty directory or file, such as: ${sh`mkdir -p ${path}`}` },
      ]
    }
    const message = `the model of ${container} is not on this host: ${path}`
    return [{ code: 'MISSING_MODEL', message, hint: downloadHint(model) }]
  })
}

/** The first link that leads out of the models directory: on the way to a model, or in the directory that it is. */
function linkOut(host: HostView, { path, directory }: NeededModel): { path: string; target: string } | undefined {
  const steps = path.slice(directory.length + 1).split('/')
  const places = [
    ...steps.map((_, i) => join(directory, ...steps.slice(0, i + 1))),
    ...(host.status(path)?.kind === 'directory' ? host.list(path).map((name) => join(path, name)) : []),
  ]
  for (const place of places) {
    const target = host.status(place)?.target
    if (target === undefined) continue
    // inside, the directory has another name, so that no absolute path leads into it
    const isOut = target.startsWith('/') || !join(dirname(place), target).startsWith(`${directory}/`)
    if (isOut) return { path: place, target }
  }
  return undefined
}

/**
 * Names such as OWNER/REPOSITORY and OWNER/REPOSITORY/FILE.gguf are those of Hugging Face; any other is its owner's
 * own.
 */
function downloadHint({ path, directory }: NeededModel): string {
  const [owner, repository, ...file] = path.slice(directory.length + 1).split('/')
  const access = `then chmod -R a+rX ${join(directory, owner ?? '')}`
  if (repository === undefined || repository.endsWith('.gguf'))
    return `put it there as root, such as: hf download OWNER/REPOSITORY ${repository ?? owner} --local-dir ${dirname(path)}; ${access}`
  const named = file.length === 0 ? '' : ` ${file.join('/')}`
  return `download it as root: hf download ${owner}/${repository}${named} --local-dir ${directory}/${owner}/${repository}; ${access}`
}

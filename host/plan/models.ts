import type { Deployment } from '../../compiler/ir/deployment.ts'
import type { HostView } from '../host.ts'
import type { HostProblem } from '../problem.ts'

/** A file or directory below the models directory that a container mounts. */
export type NeededModel = { readonly path: string; readonly container: string; readonly directory: string }

/** The models that a deployment's containers start from. The directory itself is made by apply. */
export function neededModels({ containers, names }: Pick<Deployment, 'containers' | 'names'>): NeededModel[] {
  const directory = names.modelsDirectory
  return containers.flatMap(({ name: container, mounts }) =>
    mounts.flatMap((mount) =>
      mount.kind === 'path' && mount.source.startsWith(`${directory}/`)
        ? [{ path: mount.source, container, directory }]
        : [],
    ),
  )
}

/** podman starts no container whose mount is not there, and says so only after its image was pulled. */
export function missingModels(host: HostView, models: readonly NeededModel[]): HostProblem[] {
  return models.flatMap((model): HostProblem[] => {
    if (host.status(model.path) !== undefined) return []
    const message = `the model of ${model.container} is not on this host: ${model.path}`
    return [{ code: 'MISSING_MODEL', message, hint: downloadHint(model) }]
  })
}

/**
 * Names such as OWNER/REPOSITORY and OWNER/REPOSITORY/FILE.gguf are those of Hugging Face; any other is its owner's
 * own.
 */
function downloadHint({ path, directory }: NeededModel): string {
  const [owner, repository, ...file] = path.slice(directory.length + 1).split('/')
  const access = `then chgrp -R gate-models ${directory} && chmod -R g+rX ${directory}`
  if (repository === undefined || repository.endsWith('.gguf'))
    return `put it there, such as: hf download OWNER/REPOSITORY ${repository ?? owner} --local-dir ${path.slice(0, path.lastIndexOf('/'))}; ${access}`
  const named = file.length === 0 ? '' : ` ${file.join('/')}`
  return `download it: hf download ${owner}/${repository}${named} --local-dir ${directory}/${owner}/${repository}; ${access}`
}

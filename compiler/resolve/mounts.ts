import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec } from '../../schemas/spec/spec.ts'
import type { Finding } from '../diagnostic.ts'

/** What of the host a container may see, and where. */
export function checkMounts(backend: BackendSpec, path: SpecPath): Finding[] {
  const { volumes, mounts, config_files } = backend
  const targets = [
    ...volumes.map(({ path: target }, i) => ({ target, at: [...path, 'volumes', i, 'path'] })),
    ...mounts.map(({ source, path: target }, i) => ({ target: target ?? source, at: [...path, 'mounts', i, 'path'] })),
    ...config_files.map(({ path: target }, i) => ({ target, at: [...path, 'config_files', i, 'path'] })),
  ]
  const sources = [
    ...mounts.map(({ source }, i) => ({ source, at: [...path, 'mounts', i, 'source'], isFile: false })),
    ...config_files.flatMap(({ source }, i) =>
      source === undefined ? [] : [{ source, at: [...path, 'config_files', i, 'source'], isFile: true }],
    ),
  ]
  return [
    ...checkColons(backend, path, [
      ...targets.map(({ target, at }) => [target, at] as const),
      ...sources.map(({ source, at }) => [source, at] as const),
    ]),
    ...sources.flatMap(({ source, at, isFile }) => checkSource(source, at, isFile)),
    ...targets.flatMap(({ target, at }) => checkTarget(target, at)),
    ...repeated(targets),
    ...checkContents(backend, path),
  ]
}

/** podman reads `source:target:options`, so a colon in a path would turn what follows it into options. */
function checkColons(
  { engine, model, hub }: BackendSpec,
  path: SpecPath,
  paths: readonly (readonly [string, SpecPath])[],
): Finding[] {
  const model_ = engine === 'ollama' || hub !== undefined ? [] : [[model ?? '', [...path, 'model']] as const]
  return [...model_, ...paths]
    .filter(([text]) => text.includes(':'))
    .map(([, at]) => ({
      code: 'COLON_IN_MOUNT',
      path: at,
      message: 'a path that is mounted into a container cannot hold ":"',
      hint: 'rename the directory',
    }))
}

/** With everything below them. */
const SYSTEM = ['/etc', '/proc', '/sys', '/dev', '/run', '/var/run', '/boot', '/root', '/var/lib/containers']
/** As a whole. What is inside belongs to particular users. */
const PARENTS = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/var', '/var/lib', '/var/log', '/home', '/tmp', '/var/tmp']
/** Of Gate itself: keys, databases and the homes of all backends. Models are not among them. */
const OWN = /^\/var\/lib\/gate[a-z0-9-]*(?!\/models(?:\/|$))(?:\/|$)/

function checkSource(source: string, at: SpecPath, isFile: boolean): Finding[] {
  const below = (parent: string): boolean => source === parent || source.startsWith(`${parent}/`)
  const refuse = (message: string, hint: string): Finding[] => [{ code: 'FORBIDDEN_MOUNT', path: at, message, hint }]
  const data = 'name the directory with the data itself, such as "/srv/models"'
  const system = SYSTEM.find(below)
  // a file of settings is named one by one
  if (system !== undefined && !(isFile && system === '/etc' && source !== '/etc'))
    return refuse(`${system} belongs to the system: a container gets nothing of it`, settings(system) ?? data)
  if (PARENTS.includes(source)) return refuse(`${source} holds what is not for this container`, data)
  if (OWN.test(source)) return refuse(`${source} belongs to the gateway`, 'models are mounted by model and files')
  const [, home, inside = ''] = /^\/home\/([^/]+)(\/.*)?$/.exec(source) ?? []
  if (home !== undefined && (inside === '' || inside.includes('/.')))
    return refuse(`this part of the home of ${home} is not for a container`, data)
  return []
}

const settings = (parent: string): string | undefined =>
  ({
    '/etc': 'use config_files for a file of settings',
    '/dev': 'use gpu for a GPU',
    '/run': 'a container gets no socket of the host; use links for another backend',
    '/var/run': 'a container gets no socket of the host; use links for another backend',
  })[parent]

function checkTarget(target: string, at: SpecPath): Finding[] {
  const parent = ['/proc', '/sys', '/dev', '/run/engine', '/run/secrets'].find(
    (one) => target === one || target.startsWith(`${one}/`),
  )
  if (parent === undefined) return []
  const message = `${parent} is made anew in every container`
  return [{ code: 'FORBIDDEN_MOUNT', path: at, message, hint: 'write another path' }]
}

function repeated(targets: readonly { readonly target: string; readonly at: SpecPath }[]): Finding[] {
  const seen = new Set<string>()
  return targets.flatMap(({ target, at }): Finding[] => {
    if (!seen.has(target)) {
      seen.add(target)
      return []
    }
    const message = `something else is mounted at ${target} already`
    return [{ code: 'DUPLICATE_MOUNT', path: at, message, hint: 'write another path' }]
  })
}

function checkContents({ config_files }: BackendSpec, path: SpecPath): Finding[] {
  return config_files.flatMap(({ text, source }, i): Finding[] => {
    if ((text === undefined) !== (source === undefined)) return []
    const message = text === undefined ? 'this file has no content' : 'this file has two contents'
    const hint = 'write exactly one of text and source'
    return [{ code: 'INVALID_VALUE', path: [...path, 'config_files', i], message, hint }]
  })
}

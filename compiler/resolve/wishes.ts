import type { SpecPath } from '../../schemas/spec/path.ts'
import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { ENGINE_TRAITS } from '../catalog/engines.ts'
import type { Finding } from '../diagnostic.ts'

/** What arguments and environment hope for, and another key brings. */
export function checkWishes(backend: BackendSpec, path: SpecPath): Finding[] {
  return [
    ...notMounted(backend, path),
    ...relativeFiles(backend, path),
    ...lockedMemory(backend, path),
    ...fetched(backend, path),
    ...routed(backend, path),
  ]
}

/** Where people keep data and settings on a host; images have next to nothing there. */
const HOST_PATH = /(?<![^=,:;"'\s])\/(?:srv|mnt|media|home|root|etc|var\/lib\/gate)\/[^\s,:;"']+/

function notMounted({ args, environment, mounts, volumes, config_files }: BackendSpec, path: SpecPath): Finding[] {
  const inside = [
    ...mounts.map(({ source, path: target = source }) => target),
    ...volumes.map(({ path: target }) => target),
    ...config_files.map(({ path: target }) => target),
  ]
  const texts = [
    ...Object.entries(environment).map(([name, text]) => ({ text, at: ['environment', name] })),
    ...args.map((text, i) => ({ text, at: ['args', i] })),
  ]
  return texts.flatMap(({ text, at }): Finding[] => {
    const [file] = HOST_PATH.exec(text) ?? []
    if (file === undefined || inside.some((one) => file === one || file.startsWith(`${one}/`))) return []
    const message = `nothing of the host is at ${file} in the container`
    const hint = file.startsWith('/etc/')
      ? `write config_files = [{ path = "${file}", source = "${file}" }], or ignore this when the image has it`
      : `write mounts = [{ source = "${file}" }], or ignore this when the image has it`
    return [{ code: 'FILE_NOT_MOUNTED', severity: 'warning', path: [...path, ...at], message, hint }]
  })
}

/** A file of a model or a template whose path does not begin at the root, alone or behind an option. */
const RELATIVE_FILE = /^(?:-[\w-]+=)?(?:\.\/)?([\w+-][\w.+-]*(?:\/[\w.+-]+)*\.(?:gguf|safetensors|jinja2?|gbnf))$/
/** Options whose value is a name, though it may look like a file. */
const NAME_OPTIONS = new Set(['--alias', '-a', '--served-model-name', '--hf-file', '-hff'])

function relativeFiles({ engine, args }: BackendSpec, path: SpecPath): Finding[] {
  if (engine === 'custom') return []
  return args.flatMap((text, i): Finding[] => {
    const [, file] = RELATIVE_FILE.exec(text) ?? []
    const option = text.includes('=') ? (text.split('=')[0] ?? '') : (args[i - 1] ?? '')
    if (file === undefined || NAME_OPTIONS.has(option)) return []
    const message = `${file} is looked for in the directory where the image starts, which has nothing of the host`
    const hint = `write /models/${file} for the file of that name in the models directory`
    return [{ code: 'FILE_NOT_MOUNTED', severity: 'warning', path: [...path, 'args', i], message, hint }]
  })
}

function lockedMemory({ args, ulimits }: BackendSpec, path: SpecPath): Finding[] {
  const i = args.indexOf('--mlock')
  if (i === -1 || ulimits.memlock !== undefined) return []
  const message = 'a process may lock 8 MiB of memory and no more'
  const hint = 'write ulimits = { memlock = "unlimited" }'
  return [{ code: 'NO_EFFECT', severity: 'warning', path: [...path, 'args', i], message, hint }]
}

function fetched({ engine, model, hub, environment, secrets, mounts }: BackendSpec, path: SpecPath): Finding[] {
  const { fetches } = ENGINE_TRAITS[engine]
  const warn = (at: SpecPath, message: string, hint: string): Finding[] => [
    { code: 'NO_EFFECT', severity: 'warning', path: [...path, ...at], message, hint },
  ]
  if (hub !== undefined) {
    if (!fetches) return warn(['hub'], `the engine ${engine} fetches no model`, 'remove it')
    if (model === undefined) return warn(['hub'], 'there is no model to fetch', 'write model')
    if (hub.token === undefined) return []
    const message = 'the variable HF_TOKEN is the token of hub as well'
    return (['secrets', 'environment'] as const)
      .filter((table) => Object.hasOwn(table === 'secrets' ? secrets : environment, 'HF_TOKEN'))
      .map((table) => ({
        code: 'DUPLICATE_KEY',
        path: [...path, table, 'HF_TOKEN'],
        message,
        hint: 'remove one of the two',
      }))
  }
  if (engine === 'ollama' && model !== undefined && mounts.length === 0)
    return warn(['model'], 'Ollama has this model once it was pulled', 'write hub = {} to have it pulled at the start')
  const key = ['secrets', 'environment'].find((table) =>
    ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'].some((name) =>
      Object.hasOwn(table === 'secrets' ? secrets : environment, name),
    ),
  )
  if (key === undefined || !fetches) return []
  const message = `the engine gets its model from the models directory and fetches nothing`
  return warn([key], message, 'write hub = { token = … } in its place')
}

function routed({ engine, model, router }: BackendSpec, path: SpecPath): Finding[] {
  if (router === undefined) return []
  if (engine !== 'llama-cpp') {
    const message = `the engine ${engine} has no router mode`
    return [{ code: 'NO_EFFECT', severity: 'warning', path: [...path, 'router'], message, hint: 'remove it' }]
  }
  if (model === undefined) return []
  const message = 'a router serves a directory of models, not this one'
  return [{ code: 'INVALID_VALUE', path: [...path, 'model'], message, hint: 'write model or router, not both' }]
}

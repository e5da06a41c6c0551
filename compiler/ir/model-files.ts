import type { BackendSpec } from '../../schemas/spec/spec.ts'
import { INSIDE } from './names.ts'

/** More than any model has; a name that says more is a name like any other. */
const MOST_PARTS = 512

/**
 * What a container needs of the models directory: paths below it, or only '' for the whole of it. The model with all its
 * parts, what `files` names, and what arguments and environment name below /models.
 */
export function modelPaths({ engine, model, hub, router, files, args, environment }: BackendSpec): string[] {
  // Ollama keeps models in its own store, and what is fetched goes to a cache
  const isFile = model !== undefined && engine !== 'ollama' && hub === undefined
  const own = [...(isFile ? [model] : []), ...(router === undefined ? [] : [router.directory ?? ''])]
  const named = [...args, ...Object.values(environment)].flatMap(pathsInside)
  return outermost([...own, ...Object.values(files), ...named].flatMap(partsOf))
}

/**
 * All files of a GGUF in parts, from the name of one: `x-00001-of-00003.gguf`; llama.cpp looks for the others beside
 * it.
 */
export function partsOf(file: string): string[] {
  const [, stem, part = '', of = ''] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(file) ?? []
  const count = Number(of)
  if (stem === undefined || Number(part) < 1 || Number(part) > count || count > MOST_PARTS) return [file]
  return Array.from({ length: count }, (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${of}.gguf`)
}

/**
 * `/models` and what follows it, at the beginning of a text or after what separates paths; `name=/models/x,/models/y`
 * has two.
 */
const INSIDE_PATH = new RegExp(
  `(?<![^=,:;"'\\s])${INSIDE.modelsDirectory}(?![^/,:;"'\\s])(?:/[A-Za-z0-9._+/-]*)?(?![^,:;"'\\s])`,
  'g',
)

function pathsInside(text: string): string[] {
  return [...text.matchAll(INSIDE_PATH)]
    .map(([path]) => path.slice(INSIDE.modelsDirectory.length + 1).replace(/\/$/, ''))
    .filter((path) => path === '' || /^(?!.*(?:^|\/)\.{0,2}(?:\/|$))/.test(path))
}

/** Without repeats, and without what is inside another; in order. */
function outermost(paths: readonly string[]): string[] {
  const all = new Set(paths)
  if (all.has('')) return ['']
  return [...all].filter((path) => !ancestors(path).some((ancestor) => all.has(ancestor))).sort()
}

function ancestors(path: string): string[] {
  const steps = path.split('/')
  return steps.slice(1).map((_, i) => steps.slice(0, i + 1).join('/'))
}

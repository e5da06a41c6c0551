/** Targets of virtual models may be texts: `"openai/gpt-5"` for `{ upstream = "openai", model = "gpt-5" }`. */

type Table = { readonly [key: string]: unknown }

/**
 * The same values with every target as a table. Whatever is not in the form of models with targets stays as it is.
 * @param values all of a layer or spec
 * @param backends names that mean a backend in a spec; the daemon's configuration knows upstreams only
 */
export function withTargetTables<T>(values: T, backends: ReadonlySet<string> = new Set()): T {
  if (!isTable(values) || !isTable(values['models']) || !Object.hasOwn(values, 'models')) return values
  const models = Object.entries(values['models']).map(([name, model]) => {
    if (!isTable(model) || !Array.isArray(model['targets'])) return [name, model]
    const targets = model['targets'].map((target: unknown) =>
      typeof target === 'string' ? tableOf(target, backends) : target,
    )
    return [name, Object.fromEntries([...Object.entries(model), ['targets', targets]])]
  })
  return Object.fromEntries([...Object.entries(values), ['models', Object.fromEntries(models)]]) as T
}

/**
 * Up to the first slash it is the upstream; the rest is the id there, which may hold more. Without one it is the
 * upstream alone.
 */
function tableOf(text: string, backends: ReadonlySet<string>): Table {
  const slash = text.indexOf('/')
  const name = slash === -1 ? text : text.slice(0, slash)
  const place = backends.has(name) ? { backend: name } : { upstream: name }
  return slash === -1 ? place : { ...place, model: text.slice(slash + 1) }
}

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

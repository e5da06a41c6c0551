import { GateError } from '../../schemas/words/errors.ts'
import type { JsonMember } from '../../syntax/json/outline.ts'
import type { Routing } from './call.ts'
import { isRecord, type JsonRecord, recordIn } from './json-value.ts'
import { faultIn } from './model-name.ts'

const OPENING_BRACE = 0x7b
const LONGEST = 4_096
const MOST_MODELS = 8
/** A dollar is so many micro-dollars, which prices are in. */
const MICRO = 1_000_000

/** The fields of `provider` that have a meaning here. */
const KNOWN: ReadonlySet<string> = new Set([
  'order',
  'only',
  'ignore',
  'allow_fallbacks',
  'require_parameters',
  'sort',
  'max_price',
  'data_collection',
  'zdr',
  'enforce_distillable_text',
  'quantizations',
])

/**
 * Where a request wants to go, in the words of OpenRouter: `models` to try after the first, and `provider` with names of
 * upstreams. null: it does not say. @throws GateError BAD_REQUEST
 */
export function routingIn(
  body: Buffer,
  model: string,
  { models, provider }: { readonly models: JsonMember | undefined; readonly provider: JsonMember | undefined },
): Routing | null {
  // what is no object is some other field of that name
  const isOurs = provider !== undefined && body[provider.start] === OPENING_BRACE
  if (models === undefined && !isOurs) return null
  const said = isOurs ? recordIn(valueIn('provider', body, provider)) : {}
  const sort = sortOf(said['sort'])
  const price = priceOf(said['max_price'])
  return {
    models: modelsIn(valueIn('models', body, models), model),
    order: textsIn('provider.order', said['order']),
    only: isAbsent(said['only']) ? null : textsIn('provider.only', said['only']),
    ignore: textsIn('provider.ignore', said['ignore']),
    ...sort,
    maxPrice: price.most,
    promises: promisesIn(said),
    provider: isOurs ? said : null,
    needsAll: flagIn('require_parameters', said) === true,
    isAlone: flagIn('allow_fallbacks', said) === false,
    ignored: [
      ...Object.keys(said).flatMap((name) => (KNOWN.has(name) || isAbsent(said[name]) ? [] : [`provider.${name}`])),
      ...price.ignored,
    ],
  }
}

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

function valueIn(param: string, body: Buffer, member: JsonMember | undefined): unknown {
  if (member === undefined) return undefined
  if (member.end - member.start > LONGEST) throw refused(param, `is longer than ${LONGEST} bytes`)
  return JSON.parse(body.toString('utf8', member.start, member.end))
}

function modelsIn(value: unknown, model: string): readonly string[] {
  const names = new Set(textsIn('models', value))
  names.delete(model)
  if (names.size > MOST_MODELS) throw refused('models', `names more than ${MOST_MODELS} models`)
  for (const name of names) {
    const fault = name === '' ? 'is empty' : faultIn(name)
    if (fault !== null) throw refused('models', `holds a name that ${fault}`)
  }
  return [...names]
}

/** What an upstream has to promise, by the name of the field. */
function promisesIn(said: JsonRecord): readonly string[] {
  const collection = said['data_collection']
  if (!isAbsent(collection) && collection !== 'allow' && collection !== 'deny') {
    throw refused('provider.data_collection', 'must be "allow" or "deny"')
  }
  return [
    ...(collection === 'deny' ? ['data_collection'] : []),
    ...['zdr', 'enforce_distillable_text'].filter((name) => flagIn(name, said) === true),
    ...(textsIn('provider.quantizations', said['quantizations']).length > 0 ? ['quantizations'] : []),
  ]
}

const STRATEGIES: Readonly<Record<string, 'cost' | 'latency'>> = {
  price: 'cost',
  latency: 'latency',
  throughput: 'latency', // what answers soonest is what is known here
}

function sortOf(value: unknown): Pick<Routing, 'strategy' | 'isAcrossModels'> {
  const { by, partition } = isRecord(value) ? value : { by: value, partition: undefined }
  if (!isAbsent(partition) && partition !== 'model' && partition !== 'none') {
    throw refused('provider.sort.partition', 'must be "model" or "none"')
  }
  const isAcrossModels = partition === 'none'
  if (isAbsent(by)) return { strategy: null, isAcrossModels }
  const strategy = typeof by === 'string' && Object.hasOwn(STRATEGIES, by) ? STRATEGIES[by] : undefined
  if (strategy === undefined) throw refused('provider.sort', 'must be "price", "throughput" or "latency"')
  return { strategy, isAcrossModels }
}

/** `max_price` is in dollars for a million tokens; of a request or an image no price is known here. */
function priceOf(value: unknown): { readonly most: Routing['maxPrice']; readonly ignored: readonly string[] } {
  if (isAbsent(value)) return { most: null, ignored: [] }
  if (!isRecord(value)) throw refused('provider.max_price', 'must be an object')
  const { prompt, completion, ...others } = value
  const ignored = Object.keys(others).map((name) => `provider.max_price.${name}`)
  if (isAbsent(prompt) && isAbsent(completion)) return { most: null, ignored }
  return { most: { input: dollarsIn('prompt', prompt), output: dollarsIn('completion', completion) }, ignored }
}

function dollarsIn(name: string, value: unknown): number {
  if (isAbsent(value)) return Number.POSITIVE_INFINITY
  const dollars = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof dollars === 'number' && dollars >= 0) return dollars * MICRO
  throw refused(`provider.max_price.${name}`, 'must be a number of dollars for a million tokens')
}

function flagIn(name: string, said: JsonRecord): boolean | null {
  const value = said[name]
  if (isAbsent(value)) return null
  if (typeof value === 'boolean') return value
  throw refused(`provider.${name}`, 'must be true or false')
}

function textsIn(param: string, value: unknown): readonly string[] {
  if (isAbsent(value)) return []
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value
  throw refused(param, 'must be a list of names')
}

const refused = (param: string, problem: string): GateError =>
  new GateError('BAD_REQUEST', `"${param}" ${problem}`, { param })

import type { ModelFacts } from '../../../schemas/words/model-facts.ts'
import type { Call, ModelEntry } from '../call.ts'
import { isRecord } from '../json-value.ts'
import { readFactsOf, writeFacts } from './facts.ts'

/** Unix seconds. When a model was made is not known here: it has been there since this process began. */
const SINCE = Math.floor(performance.timeOrigin / 1_000)

/** GET /v1/models, as OpenAI answers it; `limit`, which OpenAI does not have, is honoured. */
export function listModels(models: readonly ModelEntry[], { url }: Pick<Call, 'url'> = { url: '' }): object {
  const limit = Number(new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('limit'))
  return { object: 'list', data: models.slice(0, limit >= 1 ? limit : undefined).map(showModel) }
}

/** GET /v1/models/ID. */
export function showModel({ id, ownedBy, facts }: ModelEntry): object {
  return { id, object: 'model', created: SINCE, owned_by: ownedBy, ...(facts !== undefined && writeFacts(facts)) }
}

/**
 * The ids in an upstream's list. Some send the list alone; an empty Ollama sends null in its place.
 * @throws Error when it has another shape
 */
export function readModels(list: unknown): readonly string[] {
  const ids = entriesIn(list).map((model: unknown) => (isRecord(model) ? model['id'] : model))
  return ids.filter((id): id is string => typeof id === 'string' && id !== '')
}

/** What the list says of the models, by id; of those that it says something of. */
export function readFacts(list: unknown): ReadonlyMap<string, ModelFacts> {
  return new Map(
    entriesIn(list).flatMap((model) => (isRecord(model) ? [[String(model['id']), readFactsOf(model)]] : [])),
  )
}

/** @throws Error when it has another shape */
function entriesIn(list: unknown): readonly unknown[] {
  const data = isRecord(list) && 'data' in list ? (list['data'] ?? []) : list
  if (!Array.isArray(data)) throw new Error('the model list does not have the shape that OpenAI uses')
  return data
}

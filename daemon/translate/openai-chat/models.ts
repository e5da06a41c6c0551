import type { ModelEntry } from '../dialect.ts'
import { isRecord } from '../json-value.ts'

/** Unix seconds. When a model was made is not known here: it has been there since this process began. */
const SINCE = Math.floor(performance.timeOrigin / 1_000)

/** GET /v1/models, as OpenAI answers it. */
export function listModels(models: readonly ModelEntry[]): object {
  return { object: 'list', data: models.map(showModel) }
}

/** GET /v1/models/ID. */
export function showModel({ id, ownedBy }: ModelEntry): object {
  return { id, object: 'model', created: SINCE, owned_by: ownedBy }
}

/**
 * The ids in an upstream's list. Some send the list alone; an empty Ollama sends null in its place.
 * @throws Error when it has another shape
 */
export function readModels(list: unknown): readonly string[] {
  const data = isRecord(list) && 'data' in list ? (list['data'] ?? []) : list
  if (!Array.isArray(data)) throw new Error('the model list does not have the shape that OpenAI uses')
  const ids = data.map((model: unknown) => (isRecord(model) ? model['id'] : model))
  return ids.filter((id): id is string => typeof id === 'string' && id !== '')
}

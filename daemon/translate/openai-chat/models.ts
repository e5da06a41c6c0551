import type { ModelEntry } from '../dialect.ts'

/** GET /v1/models, as OpenAI answers it. */
export function listModels(models: readonly ModelEntry[]): object {
  return { object: 'list', data: models.map(showModel) }
}

/** GET /v1/models/ID. */
export function showModel({ id, ownedBy }: ModelEntry): object {
  return { id, object: 'model', created: 0, owned_by: ownedBy }
}

/** The ids in an upstream's list. @throws Error when it has another shape */
export function readModels(list: unknown): readonly string[] {
  const data = list !== null && typeof list === 'object' && 'data' in list ? list.data : null
  if (!Array.isArray(data)) throw new Error('the model list does not have the shape that OpenAI uses')
  const ids = data.map((model: unknown) =>
    model !== null && typeof model === 'object' && 'id' in model && typeof model.id === 'string' ? model.id : '',
  )
  return ids.filter((id) => id !== '')
}

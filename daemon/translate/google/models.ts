import type { Call, ModelEntry } from '../dialect.ts'
import { isRecord } from '../json-value.ts'

/** As many as a client gets that does not ask for more or fewer, and at most; Google's own limits. */
const USUAL = 50
const MOST = 1_000

const NAME = 'models/'

/** GET /v1beta/models: `pageSize` is honoured; a page begins after the model that its token names. */
export function listModels(models: readonly ModelEntry[], { url }: Call): object {
  const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
  const after = models.findIndex(({ id }) => id === query.get('pageToken')) + 1
  const size = Math.min(Math.max(Number(query.get('pageSize')) || USUAL, 1), MOST)
  const page = models.slice(after, after + size)
  const last = page.at(-1)
  return {
    models: page.map(showModel),
    ...(last !== undefined && after + size < models.length && { nextPageToken: last.id }),
  }
}

/** GET /v1beta/models/ID. */
export function showModel({ id }: ModelEntry): object {
  return {
    name: `${NAME}${id}`,
    version: '',
    displayName: id,
    supportedGenerationMethods: ['generateContent', 'countTokens'],
  }
}

/** The ids in an upstream's list, of models that generate. @throws Error when it has another shape */
export function readModels(list: unknown): readonly string[] {
  const models = isRecord(list) ? (list['models'] ?? (Object.keys(list).length === 0 ? [] : null)) : null
  if (!Array.isArray(models)) throw new Error('the model list does not have the shape that Google uses')
  return models.filter(isRecord).flatMap(({ name, supportedGenerationMethods: methods }) => {
    if (typeof name !== 'string' || name === '') return []
    if (Array.isArray(methods) && !methods.includes('generateContent')) return []
    return [name.startsWith(NAME) ? name.slice(NAME.length) : name]
  })
}

import type { ModelEntry } from '../call.ts'
import { isRecord } from '../json-value.ts'

/** When a model was made is not known here: it has been there since this process began. */
const SINCE = new Date(Math.floor(performance.timeOrigin)).toISOString()

/** What only a file of weights has. */
const DETAILS = {
  parent_model: '',
  format: '',
  family: '',
  families: [],
  parameter_size: '',
  quantization_level: '',
}

/** GET /api/tags. */
export function listModels(models: readonly ModelEntry[]): object {
  return {
    models: models.map(({ id }) => ({
      name: id,
      model: id,
      modified_at: SINCE,
      size: 0,
      digest: '',
      details: DETAILS,
    })),
  }
}

/** POST /api/show. Clients offer tools and images only to models that are said to take them. */
export function showModel({ facts = {} }: ModelEntry): object {
  const { contextTokens, input, tools, reasoning } = facts
  return {
    modelfile: '',
    parameters: '',
    template: '',
    details: DETAILS,
    model_info: {
      'general.architecture': ARCHITECTURE,
      ...(contextTokens !== undefined && { [`${ARCHITECTURE}.context_length`]: contextTokens }),
    },
    capabilities: [
      'completion',
      ...(tools === false ? [] : ['tools']), // most do
      ...(input?.includes('image') ? ['vision'] : []),
      ...(reasoning === true ? ['thinking'] : []),
    ],
    modified_at: SINCE,
  }
}

/** Clients look for the context below the name of the architecture, which is not known here. */
const ARCHITECTURE = 'gate'

/** The ids in an upstream's list. @throws Error when it has another shape */
export function readModels(list: unknown): readonly string[] {
  const models = isRecord(list) ? (list['models'] ?? []) : null
  if (!Array.isArray(models)) throw new Error('the model list does not have the shape that Ollama uses')
  const ids = models.map((model: unknown) => (isRecord(model) ? (model['model'] ?? model['name']) : null))
  return ids.filter((id): id is string => typeof id === 'string' && id !== '')
}

import type { ModelEntry } from '../call.ts'
import { recordIn, recordsIn, textIn } from '../json-value.ts'

/** Unix seconds. When a model was made is not known here: it has been there since this process began. */
const SINCE = Math.floor(performance.timeOrigin / 1_000)

export function listModels(models: readonly ModelEntry[]): object {
  return { object: 'list', data: models.map(showModel) }
}

export function showModel({ id, ownedBy }: ModelEntry): object {
  return { id, object: 'model', created: SINCE, owned_by: ownedBy }
}

/** The ids in an upstream's list. */
export function readModels(list: unknown): readonly string[] {
  return recordsIn(recordIn(list)['data']).flatMap(({ id }) => textIn(id) || [])
}

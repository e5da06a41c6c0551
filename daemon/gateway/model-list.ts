import { GateError } from '../../schemas/words/errors.ts'
import type { ListedModel, Routes } from '../route/routes.ts'

/** GET /v1/models, as OpenAI answers it. */
export function modelList(routes: Routes): object {
  return { object: 'list', data: routes.list().map(modelObject) }
}

/** GET /v1/models/ID. @param segment the id as it stands in the path @throws GateError BAD_REQUEST, MODEL_NOT_FOUND */
export function oneModel(routes: Routes, segment: string): object {
  const id = decoded(segment)
  routes.targetsOf(id)
  const listed = routes.list().find((model) => model.id === id)
  return modelObject(listed ?? { id, ownedBy: 'gate' })
}

function modelObject({ id, ownedBy }: ListedModel): object {
  return { id, object: 'model', created: 0, owned_by: ownedBy }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    throw new GateError('BAD_REQUEST', 'the path is not valid percent-encoding', { cause: error })
  }
}

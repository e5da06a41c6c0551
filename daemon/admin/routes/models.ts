import type { z } from 'zod'
import type { ConfigHandle } from '../../../config/handle.ts'
import { type RouteExplanation, type RouteRequest, routeRequest } from '../../../schemas/admin-route.ts'
import { MODEL_ANSWERS, modelChange, type modelInfo, modelRequest } from '../../../schemas/api/models.ts'
import type { Allowance } from '../../../schemas/words/allowance.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import { setEach, unsetWhole } from '../edits.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import { shownAt } from './config.ts'

/** A model that clients can name, and where requests for it go. */
export type OfferedModel = {
  readonly id: string
  readonly ownedBy: string
  readonly targets: readonly { readonly upstream: string; readonly model?: string | undefined }[]
}
/** Whose request it would be. */
type Asker = { readonly keyId: string; readonly allowed: Allowance | null }

export type ModelParts = {
  readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'set' | 'unset' | 'change'>
  /** What a key may ask for; null: everything there is. */
  readonly modelsFor: (allowed: Allowance | null) => readonly OfferedModel[]
  /** Where a request would go. @throws GateError what it would be answered */
  readonly explainRoute: (question: RouteRequest, asker: Asker) => RouteExplanation
  /** The keys that have not ended. */
  readonly keyOf: (id: string) => Asker | null
}

/** The models that clients can name, and the virtual ones among them, which are configured here. */
export function modelRoutes(parts: ModelParts): readonly ApiRoute[] {
  const { config, modelsFor } = parts
  return [
    apiRoute({
      method: 'POST',
      path: '/api/admin/route',
      scope: 'config:read',
      summary: 'Explains where a request would go, target by target',
      body: routeRequest,
      answer: MODEL_ANSWERS['POST /api/admin/route'],
      handle: ({ body }) => json(parts.explainRoute(body, askerOf(parts, body.key))),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/models',
      scope: 'config:read',
      summary: 'Lists every model that clients can name',
      answer: MODEL_ANSWERS['GET /api/admin/models'],
      handle: () => json({ models: modelsFor(null).map(infoOf(config)) }),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/models',
      scope: 'chat:read',
      summary: 'Lists the models that the caller may use',
      answer: MODEL_ANSWERS['GET /api/user/models'],
      handle: ({ principal }) => json({ models: modelsFor(principal.allowed).map(infoOf(config)) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/models',
      scope: 'config:write',
      summary: 'Makes a virtual model',
      audit: 'model.create',
      status: 201,
      body: modelRequest,
      answer: MODEL_ANSWERS['POST /api/admin/models'],
      handle: async ({ body: { id, ...settings } }) => {
        if (Object.hasOwn(config.current().models, id))
          throw new AdminError('ALREADY_EXISTS', `there is a virtual model "${id}" already`, {
            hint: 'PATCH changes it',
          })
        const key = keyPathText(['models', id])
        const change = await config.set(key, settings, { force: false })
        return json(change, { change: { object: `model:${id}`, old: null, new: shownAt(config, key) } })
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/models/{id}',
      scope: 'config:write',
      summary: 'Changes a virtual model',
      audit: 'model.change',
      body: modelChange,
      answer: MODEL_ANSWERS['PATCH /api/admin/models/{id}'],
      handle: async ({ params: { id = '' }, body }) => {
        requireModel(config, id)
        const key = keyPathText(['models', id])
        const old = shownAt(config, key)
        const change = await setEach(config, ['models', id], body)
        return json(change, { change: { object: `model:${id}`, old, new: shownAt(config, key) } })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/models/{id}',
      scope: 'config:write',
      summary: 'Removes a virtual model that was made at run time',
      audit: 'model.remove',
      answer: MODEL_ANSWERS['DELETE /api/admin/models/{id}'],
      handle: async ({ params: { id = '' } }) => {
        requireModel(config, id)
        const key = keyPathText(['models', id])
        const old = shownAt(config, key)
        const change = await unsetWhole(config, key)
        return json(change, { change: { object: `model:${id}`, old, new: null } })
      },
    }),
  ]
}

/** The key of the configuration. */
const SYSTEM: Asker = { keyId: 'system', allowed: null }

function askerOf({ keyOf }: ModelParts, key: string | undefined): Asker {
  const found = key === undefined ? SYSTEM : keyOf(key)
  if (found !== null) return found
  throw new AdminError('TOKEN_NOT_FOUND', `unknown token ${key}`, {
    hint: 'gatectl token list shows the ids',
  })
}

const infoOf =
  (config: Pick<ConfigHandle, 'current'>) =>
  ({ id, ownedBy, targets }: OfferedModel): z.input<typeof modelInfo> => {
    const { models } = config.current()
    const own = Object.hasOwn(models, id) ? models[id] : undefined
    const isCategory = own === undefined && Object.values(models).some(({ category }) => category === id)
    return {
      id,
      owner: ownedBy,
      kind: own !== undefined ? 'virtual' : isCategory ? 'category' : 'upstream',
      ...(own?.category !== undefined && { category: own.category }),
      targets: targets.map(({ upstream, model = id }) => ({ upstream, model })),
    }
  }

function requireModel(config: Pick<ConfigHandle, 'current'>, id: string): void {
  const { models } = config.current()
  if (Object.hasOwn(models, id)) return
  const hint = suggestion(id, Object.keys(models), 'virtual model')
  throw new AdminError('MODEL_NOT_FOUND', `there is no virtual model "${id}"`, { hint })
}

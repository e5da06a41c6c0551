import type { z } from 'zod'
import type { ConfigHandle } from '../../../config/handle.ts'
import { categoryChange, type categoryInfo, categoryRequest, MODEL_ANSWERS } from '../../../schemas/api/models.ts'
import type { Allowance } from '../../../schemas/words/allowance.ts'
import { keyPathText } from '../../../schemas/words/key-path.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import { unsetWhole } from '../edits.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'
import type { OfferedModel } from './models.ts'

type Category = z.output<typeof categoryInfo>

export type CategoryParts = {
  readonly config: Pick<ConfigHandle, 'current' | 'explain' | 'set' | 'unset'>
  readonly modelsFor: (allowed: Allowance | null) => readonly OfferedModel[]
}

/** Groups of virtual models: each is a model, too. */
export function categoryRoutes({ config, modelsFor }: CategoryParts): readonly ApiRoute[] {
  const list = () => categoriesOf(config)
  const keyOf = (name: string) => keyPathText(['categories', name])

  function find(name: string): Category {
    const found = list().find((category) => category.name === name)
    if (found !== undefined) return found
    const names = list().map((category) => category.name)
    const hint = suggestion(name, names, 'category')
    throw new AdminError('CATEGORY_NOT_FOUND', `there is no category "${name}"`, { hint })
  }

  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/categories',
      scope: 'config:read',
      summary: 'Lists the categories of virtual models',
      answer: MODEL_ANSWERS['GET /api/admin/categories'],
      handle: () => json({ categories: list() }),
    }),
    apiRoute({
      method: 'GET',
      path: '/api/user/categories',
      scope: 'chat:read',
      summary: 'Lists the categories that the caller may use',
      answer: MODEL_ANSWERS['GET /api/user/categories'],
      handle: ({ principal: { allowed } }) => {
        const usable = new Set(modelsFor(allowed).map(({ id }) => id))
        const own = ({ models, ...category }: Category) => ({
          ...category,
          models: models.filter((id) => usable.has(id)),
        })
        const mine = list().filter(({ name }) => usable.has(name))
        return json({ categories: mine.map(own) })
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/categories',
      scope: 'config:write',
      summary: 'Makes a category; virtual models can name it then',
      audit: 'category.create',
      status: 201,
      body: categoryRequest,
      answer: MODEL_ANSWERS['POST /api/admin/categories'],
      handle: async ({ body: { name, description } }) => {
        if (Object.hasOwn(config.current().categories, name))
          throw new AdminError('ALREADY_EXISTS', `there is a category "${name}" already`, { hint: 'PATCH changes it' })
        await config.set(keyOf(name), { description }, { force: false })
        return json(find(name), { change: { object: `category:${name}`, old: null, new: { description } } })
      },
    }),
    apiRoute({
      method: 'PATCH',
      path: '/api/admin/categories/{name}',
      scope: 'config:write',
      summary: 'Describes a category anew',
      audit: 'category.change',
      body: categoryChange,
      answer: MODEL_ANSWERS['PATCH /api/admin/categories/{name}'],
      handle: async ({ params: { name = '' }, body: { description } }) => {
        const old = find(name)
        await config.set(`${keyOf(name)}.description`, description, { force: false })
        return json(find(name), {
          change: { object: `category:${name}`, old: { description: old.description }, new: { description } },
        })
      },
    }),
    apiRoute({
      method: 'DELETE',
      path: '/api/admin/categories/{name}',
      scope: 'config:write',
      summary: 'Removes a category that no virtual model is in',
      audit: 'category.remove',
      answer: MODEL_ANSWERS['DELETE /api/admin/categories/{name}'],
      handle: async ({ params: { name = '' } }) => {
        const { models, description } = find(name)
        const [model] = models
        if (model !== undefined)
          throw new AdminError('IN_USE', `the virtual model "${model}" is in the category "${name}"`, {
            hint: 'put its models elsewhere first',
          })
        const change = await unsetWhole(config, keyOf(name))
        return json(change, { change: { object: `category:${name}`, old: { description }, new: null } })
      },
    }),
  ]
}

/** Those that are described, and those that a virtual model names. */
function categoriesOf(config: Pick<ConfigHandle, 'current'>): Category[] {
  const { models, categories } = config.current()
  const all = Object.entries(models)
  const named = all.flatMap(([, { category }]) => category ?? [])
  return [...new Set([...Object.keys(categories), ...named])].map((name) => ({
    id: name,
    name,
    description: Object.hasOwn(categories, name) ? (categories[name]?.description ?? '') : '',
    models: all.filter(([, { category }]) => category === name).map(([id]) => id),
  }))
}

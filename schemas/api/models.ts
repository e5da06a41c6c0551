import { z } from 'zod'
import { configChange } from '../admin.ts'
import { routeExplanation } from '../admin-route.ts'

const target = z.strictObject({ upstream: z.string(), model: z.string() })

/** A model that clients can name. */
export const modelInfo = z.strictObject({
  id: z.string(),
  /** Whose list it is from; `gate`: its own. */
  owner: z.string(),
  /** A category is a model, too: what it asks is what its models ask. */
  kind: z.enum(['virtual', 'category', 'upstream']),
  category: z.string().exactOptional(),
  targets: z.array(target),
})
const modelList = z.strictObject({ models: z.array(modelInfo) })

const modelId = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'use no control characters')

/** POST /api/admin/models: a virtual model. */
export const modelRequest = z.strictObject({
  id: modelId,
  /** Such as `openai/gpt-5`, in the order in which they are asked. */
  targets: z.array(z.string().min(1).max(400)).min(1).max(100),
  strategy: z.enum(['fallback', 'weighted', 'latency', 'cost']).exactOptional(),
  category: modelId.exactOptional(),
})
/** PATCH /api/admin/models/{id}: `null` takes a setting away. */
export const modelChange = z.strictObject({
  targets: modelRequest.shape.targets.exactOptional(),
  strategy: z.enum(['fallback', 'weighted', 'latency', 'cost']).nullable().exactOptional(),
  category: modelId.nullable().exactOptional(),
})

/** GET /api/admin/categories, GET /api/user/categories */
export const categoryInfo = z.strictObject({
  /** The name again, for programs that look for an id. */
  id: z.string(),
  name: z.string(),
  description: z.string(),
  /** Virtual models that are in it. */
  models: z.array(z.string()),
})
const categoryList = z.strictObject({ categories: z.array(categoryInfo) })

const description = z
  .string()
  .max(1_000)
  .regex(/^\P{Cc}*$/u, 'use no control characters')
/** POST /api/admin/categories */
export const categoryRequest = z.strictObject({ name: modelId, description: description.default('') })
/** PATCH /api/admin/categories/{name} */
export const categoryChange = z.strictObject({ description })

export const MODEL_ANSWERS = {
  'POST /api/admin/route': routeExplanation,
  'GET /api/admin/models': modelList,
  'POST /api/admin/models': configChange,
  'PATCH /api/admin/models/{id}': configChange,
  'DELETE /api/admin/models/{id}': configChange,
  'GET /api/admin/categories': categoryList,
  'POST /api/admin/categories': categoryInfo,
  'PATCH /api/admin/categories/{name}': categoryInfo,
  'DELETE /api/admin/categories/{name}': configChange,
  'GET /api/user/models': modelList,
  'GET /api/user/categories': categoryList,
} as const

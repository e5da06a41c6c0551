import { configChange, configDiff, configList, configPromotion, configValidation, explanation } from '../admin.ts'

export const CONFIG_ANSWERS = {
  'GET /api/admin/config': configList,
  'GET /api/admin/config/diff': configDiff,
  'GET /api/admin/config/promote': configPromotion,
  'POST /api/admin/config/validate': configValidation,
  'GET /api/admin/config/keys/{key}': explanation,
  'PUT /api/admin/config/keys/{key}': configChange,
  'DELETE /api/admin/config/keys/{key}': configChange,
} as const

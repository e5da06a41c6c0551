import { z } from 'zod'
import { backendDetail, backendInfo, backendList } from '../admin.ts'

/** Body of POST /api/admin/containers/start and stop: the name of a backend, or of a model that one serves. */
export const containerRequest = z.strictObject({ model_id: z.string().min(1).max(200) })

export const BACKEND_ANSWERS = {
  'GET /api/admin/backends': backendList,
  'GET /api/admin/backends/{name}': backendDetail,
  'POST /api/admin/backends/{name}/start': backendInfo,
  'POST /api/admin/backends/{name}/stop': backendInfo,
  'POST /api/admin/backends/{name}/restart': backendInfo,
  'POST /api/admin/containers/start': backendInfo,
  'POST /api/admin/containers/stop': backendInfo,
} as const

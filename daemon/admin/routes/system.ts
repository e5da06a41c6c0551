import type { DaemonStatus } from '../../../schemas/admin.ts'
import { systemStatus } from '../../../schemas/api/system.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type SystemParts = { readonly status: () => DaemonStatus }

/** How the daemon and its host are. */
export function systemRoutes({ status }: SystemParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/system',
      scope: 'config:read',
      summary: 'Says how the daemon is: its listeners, upstreams, problems and store',
      answer: systemStatus,
      handle: () => json(status()),
    }),
  ]
}

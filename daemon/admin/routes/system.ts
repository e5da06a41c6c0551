import type { BackendInfo, DaemonStatus } from '../../../schemas/admin.ts'
import { type HostLoad, SYSTEM_ANSWERS, type SystemStatus } from '../../../schemas/api/system.ts'
import type { ConfigChange } from '../../../schemas/config/layers.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

export type SystemParts = {
  readonly status: () => DaemonStatus
  readonly backends: { list(): readonly BackendInfo[] }
  readonly hostLoad: () => Promise<HostLoad>
  /** What SIGHUP does: reads everything again. */
  readonly reload: () => Promise<ConfigChange>
}

/** How the daemon and its host are. */
export function systemRoutes({ status, backends, hostLoad, reload }: SystemParts): readonly ApiRoute[] {
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/system',
      scope: 'config:read',
      summary: 'Says how the daemon and its host are: listeners, upstreams, backends and their queues, disk, memory',
      answer: SYSTEM_ANSWERS['GET /api/admin/system'],
      handle: async () =>
        json<SystemStatus>({ ...status(), host: await hostLoad(), backends: queuesOf(backends.list()) }),
    }),
    apiRoute({
      method: 'POST',
      path: '/api/admin/reload',
      scope: 'config:write',
      summary: 'Reads the configuration again, as SIGHUP does',
      audit: 'config.reload',
      answer: SYSTEM_ANSWERS['POST /api/admin/reload'],
      handle: async () => {
        const change = await reload()
        return json(change, { change: { object: 'config', new: { changed: change.changed } } })
      },
    }),
  ]
}

/** What waits for each backend. */
export function queuesOf(backends: readonly BackendInfo[]): SystemStatus['backends'] {
  return backends.map(({ name, state, requests_in_flight, requests_waiting }) => ({
    name,
    state,
    requests_in_flight,
    requests_waiting,
  }))
}

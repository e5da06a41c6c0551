import type { ApiRoute } from '../../daemon/admin/route.ts'
import { type ApiParts, apiRoutes } from '../../daemon/admin/table.ts'

/** Stands for every part of the daemon: the rows of the table say what they are without them. */
const anything: unknown = new Proxy(() => {}, { get: () => anything, apply: () => anything })

/** The rows of the API, of which nothing can be asked. */
export const describedRoutes = (): readonly ApiRoute[] => apiRoutes(anything as ApiParts)

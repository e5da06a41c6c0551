import { daemonStatus } from '../admin.ts'

/** GET /api/admin/system */
export const systemStatus = daemonStatus

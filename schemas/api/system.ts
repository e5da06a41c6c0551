import { z } from 'zod'
import { backendState, configChange, daemonStatus } from '../admin.ts'

const bytes = z.int().nonnegative()

/** How the host is. */
export const hostLoad = z.strictObject({
  /** Share of all processors that was busy since the last look, 0 to 1. */
  cpu: z.number().min(0).max(1),
  processors: z.int(),
  memory: z.strictObject({
    total_bytes: bytes,
    available_bytes: bytes,
    /** Of Gate itself. */
    daemon_bytes: bytes,
  }),
  /** File systems that Gate keeps things on. */
  disks: z.array(z.strictObject({ path: z.string(), total_bytes: bytes, free_bytes: bytes })),
})
export type HostLoad = z.output<typeof hostLoad>

/** What waits for a backend, and what it works on. */
export const queue = z.strictObject({
  name: z.string(),
  state: backendState,
  requests_in_flight: z.int(),
  requests_waiting: z.int(),
})

/** GET /api/admin/system */
const systemStatus = daemonStatus.extend({ host: hostLoad, backends: z.array(queue) })
export type SystemStatus = z.output<typeof systemStatus>

export const SYSTEM_ANSWERS = {
  'GET /api/admin/system': systemStatus,
  'POST /api/admin/reload': configChange,
} as const

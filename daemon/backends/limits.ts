import type { BackendConfig } from '../../schemas/config/config.ts'
import { durationMs } from '../../schemas/config/values.ts'
import type { BackendLimits } from './scheduler-state.ts'

/** Bounds of a backend as its scheduler wants them. */
export function limitsOf(config: BackendConfig): BackendLimits {
  const { max_concurrent, max_waiting, wait_timeout, idle_stop, together, priority } = config
  return {
    maxConcurrent: max_concurrent ?? Number.POSITIVE_INFINITY,
    maxWaiting: max_waiting,
    waitTimeoutMs: durationMs(wait_timeout),
    idleStopMs: idle_stop === undefined ? null : durationMs(idle_stop),
    ...(together === undefined ? {} : { together }),
    priority,
  }
}

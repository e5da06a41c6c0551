import type { Run } from '../../invocation.ts'

/** The daemon has its own limits (`start_timeout`, `stop_timeout`); this one is for a daemon that hangs. */
const LONGEST_JOB_MS = 3 * 60 * 60_000

/** The command that has the daemon start, stop or restart a backend and waits for it. Ctrl-C stops the waiting only. */
export function backendJob(job: 'start' | 'stop' | 'restart'): Run {
  return async ({ admin, arguments: [name = ''], json, print, printJson }) => {
    const options = { parameter: name, timeoutMs: LONGEST_JOB_MS }
    const backend = await admin.ask(`POST /api/admin/backends/{name}/${job}`, options)
    if (json) printJson(backend)
    else print(`${backend.name}: ${backend.state}`)
    return 0
  }
}

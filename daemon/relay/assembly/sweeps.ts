import type { Log } from '../../../schemas/words/log.ts'

/** How often records of challenges that are over, names whose rest is over, and hosts that are due are looked for. */
const SWEEP_MS = 60_000

type Sweep = (signal: AbortSignal) => Promise<void>

/** Sweeps that run every minute, each by itself: one that takes long holds up no other, and is not begun twice. */
export function openSweeps(sweeps: Readonly<Record<string, Sweep>>, log: Log) {
  const stopping = new AbortController()
  const running = new Set<string>()

  async function run(task: string, sweep: Sweep): Promise<void> {
    if (running.has(task)) return
    running.add(task)
    try {
      await sweep(stopping.signal)
    } catch (error) {
      log('error', 'a sweep has failed and is tried again in a minute', { task, error: String(error) })
    } finally {
      running.delete(task)
    }
  }

  const runAll = () => {
    for (const [task, sweep] of Object.entries(sweeps)) void run(task, sweep)
  }
  let timer: NodeJS.Timeout | undefined
  return {
    /** Now, and every minute. */
    start(): void {
      runAll()
      timer = setInterval(runAll, SWEEP_MS)
    },
    stop(): void {
      clearInterval(timer)
      stopping.abort()
    },
  }
}

import { durationMs } from '../../schemas/config/values.ts'
import type { Ground } from './ground.ts'
import type { Storage } from './storage.ts'

/** How often it is looked whether there is something to do, and how soon more of it is done. */
const EVERY_MS = 60_000
const MORE_MS = 50
const FIRST_MS = 1_000
/** All texts together; the oldest go first. */
const MOST_TEXT_BYTES = 2 ** 30

/** Keeps the usage log in bounds, a fraction of a second at a time, as `usage` of the configuration says. */
export function startUpkeep({ config, now, log }: Ground, { keepUp, texts }: Pick<Storage, 'keepUp' | 'texts'>) {
  let timer = setTimeout(run, FIRST_MS).unref()
  let running: Promise<void> = Promise.resolve()
  let isStopped = false
  let lastError: string | null = null

  function run(): void {
    running = once().then((hasMore) => {
      if (!isStopped) timer = setTimeout(run, hasMore ? MORE_MS : EVERY_MS).unref()
    })
  }

  async function once(): Promise<boolean> {
    const { retention, totals_retention: totals, text_retention: ofTexts } = config.current().usage
    try {
      const at = now()
      const hasMore = await keepUp({ rowsBefore: at - durationMs(retention), rollUpsBefore: at - durationMs(totals) })
      const hasMoreTexts = texts.trim(at - durationMs(ofTexts), MOST_TEXT_BYTES)
      lastError = null
      return hasMore || hasMoreTexts
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (lastError === null) log('warn', 'what is older than usage.retention stays for now', { error: reason })
      lastError = reason
      return false
    }
  }

  return {
    async stop(): Promise<void> {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

import type { AuditEntry } from './entry.ts'

const WINDOW_MS = 60_000
/** Written singly in a window; the others are counted. */
const MOST_SINGLE = 20
/** Actions that are counted apart in a window. */
const MOST_ACTIONS = 50

/**
 * Keeps what anybody can cause, such as failed logins, from filling the disk: the first of a kind is written, and so are
 * some of each minute; what comes beyond is counted, and the count is an entry.
 * @param now Unix milliseconds @param write an entry that says how many there were
 */
export function createRefusals(now: () => number, write: (entry: AuditEntry) => void) {
  let startedAt = now()
  let single = 0
  const seen = new Map<string, number>()
  const counted = new Map<string, number>()
  let timer: NodeJS.Timeout | null = null

  function flush(): void {
    if (timer !== null) clearTimeout(timer)
    timer = null
    const counts = [...counted]
    counted.clear()
    seen.clear()
    single = 0
    startedAt = now()
    for (const [action, count] of counts) {
      write({
        who: { via: 'system', id: '', name: 'gate-daemon' },
        action,
        object: '',
        from: { address: null, via: 'daemon' },
        outcome: 'refused',
        reason: 'counted, not written one by one',
        new: { count, since: new Date(startedAt - WINDOW_MS).toISOString() },
      })
    }
  }

  return {
    /** Whether this one is written by itself. */
    admits({ action, from, reason, who }: AuditEntry): boolean {
      if (Math.abs(now() - startedAt) >= WINDOW_MS) flush()
      const kind = JSON.stringify([action, from.address, reason, who.id])
      const isNew = !seen.has(kind)
      if (isNew && single < MOST_SINGLE) {
        single += 1
        seen.set(kind, 1)
        return true
      }
      const name = counted.has(action) || counted.size < MOST_ACTIONS ? action : 'other'
      counted.set(name, (counted.get(name) ?? 0) + 1)
      timer ??= setTimeout(flush, WINDOW_MS).unref()
      return false
    },
    flush,
  }
}

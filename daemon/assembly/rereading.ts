type RereadingParts = {
  readonly read: () => Promise<void>
  readonly failed: (error: unknown) => void
  /** Milliseconds: between two reads, and after one that failed. */
  readonly everyMs: number
  readonly afterFailureMs: number
}

/** Reads something now and then, one read at a time; what is asked for during a read comes after it. */
export function createRereading({ read, failed, everyMs, afterFailureMs }: RereadingParts) {
  let timer: NodeJS.Timeout | null = null
  let reading: Promise<void> | null = null
  let isStopped = false
  /** How soon another read was asked for while one goes on: what it began with may be old. */
  let wantedMs = Number.POSITIVE_INFINITY

  function within(ms: number): void {
    if (isStopped) return
    if (reading !== null) {
      wantedMs = Math.min(wantedMs, ms)
      return
    }
    if (timer !== null) clearTimeout(timer)
    timer = setTimeout(() => void now(), ms).unref()
  }

  function now(): Promise<void> {
    if (timer !== null) clearTimeout(timer)
    if (reading !== null) within(0)
    reading ??= read()
      .then(
        () => everyMs,
        (error: unknown) => {
          if (!isStopped) failed(error)
          return afterFailureMs
        },
      )
      .then((againMs) => {
        const ms = Math.min(againMs, wantedMs)
        reading = null
        wantedMs = Number.POSITIVE_INFINITY
        within(ms)
      })
    return reading
  }

  return {
    /** Reads; where it reads already, once more after that. @returns when the read that goes on has ended */
    now,
    /** Reads so many milliseconds later. */
    within,
    async stop(): Promise<void> {
      isStopped = true
      if (timer !== null) clearTimeout(timer)
      await reading
    },
  }
}

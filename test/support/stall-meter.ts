/** How often it looks whether the loop of events has turned. */
const LOOK_MS = 5

/**
 * Sees how long this thread works without letting others have a turn. Its own CPU time counts, not the clock's: what the
 * machine gives to other programs meanwhile is no stall.
 */
export function startStallMeter() {
  let longestMs = 0
  let lastMs = performance.now()
  let cpu = process.threadCpuUsage()
  const look = () => {
    const nowMs = performance.now()
    const { user, system } = process.threadCpuUsage(cpu)
    longestMs = Math.max(longestMs, Math.min(nowMs - lastMs, (user + system) / 1_000))
    begin()
  }
  const begin = () => {
    lastMs = performance.now()
    cpu = process.threadCpuUsage()
  }
  setInterval(look, LOOK_MS).unref()
  return {
    /** @returns the longest stall since this was asked last, the turn that goes on included, in milliseconds of CPU */
    take(): number {
      look()
      const taken = longestMs
      longestMs = 0
      return taken
    },
    /** What was worked until now in this turn does not count. */
    begin,
  }
}

/** Works without letting others have a turn. @param ms of CPU time, however busy the machine */
export function stall(ms: number): void {
  const before = process.threadCpuUsage()
  for (;;) {
    const { user, system } = process.threadCpuUsage(before)
    if (user + system >= ms * 1_000) return
  }
}

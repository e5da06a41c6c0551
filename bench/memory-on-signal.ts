// Loaded before a server's own modules: on SIGUSR2 it collects what it does not need any more and writes to the file that
// BENCH_MEMORY_FILE names what is left.
import { writeFileSync } from 'node:fs'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread } from 'node:worker_threads'

/**
 * Bytes that the process needs: its resident memory, but of V8's heap only what is used. Its young generation alone grows
 * and shrinks by 100 MiB with the load.
 */
function neededBytes(): number {
  const unused = getHeapSpaceStatistics().reduce(
    (sum, { physical_space_size: taken, space_used_size: used }) => sum + Math.max(0, taken - used),
    0,
  )
  return process.memoryUsage.rss() - unused
}

if (isMainThread) {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  process.on('SIGUSR2', () => {
    if (typeof collect === 'function') collect()
    writeFileSync(process.env['BENCH_MEMORY_FILE'] ?? '/dev/null', String(neededBytes()))
  })
}

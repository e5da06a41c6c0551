// A process with nothing but a lifecycle, for test/lifecycle.test.ts. Its drain takes as long as argv says.
import { createLifecycle, installSignals } from '../../daemon/process/lifecycle.ts'

const drainMs = Number(process.argv[2])
const deadlineMs = Number(process.argv[3])
const say = (line: string) => process.stdout.write(`${line}\n`)
const now = () => performance.now()
const lifecycle = createLifecycle({
  log: (_level, message, fields) => say(`${message} ${fields?.reason ?? ''}`.trim()),
  notify: async () => {},
  drainDeadlineMs: () => deadlineMs,
  now,
})
lifecycle.onDrain('requests', (signal) => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, drainMs)
  signal.addEventListener('abort', () => {
    clearTimeout(timer)
    resolve()
  })
  return promise
})
lifecycle.onStop('store', () => void say('store closed'))
installSignals(process, lifecycle, now)
// what a server does in the daemon: keep the process alive
setInterval(() => {}, 60_000)
await lifecycle.ready()
process.exit(await lifecycle.stopped)

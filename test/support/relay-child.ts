// A relay as its own process: prints its port, then lines of its log; SIGUSR2 writes a heap snapshot where Node was told so.
import { startRelay } from './relay.ts'

if (import.meta.main) {
  const relay = await startRelay()
  process.once('SIGTERM', () => {
    console.log(relay.logged.join('\n'))
    console.log(relay.relay.metrics())
    void relay.stop().then(() => process.exit())
  })
  console.log(`port ${relay.port}`)
}

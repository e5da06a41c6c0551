import type { Config } from '../../schemas/config/config.ts'
import { nodeIdentity } from '../relay/client/identity.ts'
import { openNodeKey } from '../relay/client/node-key.ts'
import { createRelayClient, type RelayClient } from '../relay/client/relay-client.ts'
import type { TakeVisitor } from '../relay/client/visitors.ts'
import type { Ground } from './ground.ts'

export type Relay = ReturnType<typeof openRelay>

/** Being reachable through relays. It begins with `start`, and nothing else waits for it. */
export function openRelay({
  config,
  stateDirectory,
  monotonic,
  log,
}: Pick<Ground, 'config' | 'stateDirectory' | 'monotonic' | 'log'>) {
  let client: RelayClient | null = null
  let named = (): void => {}
  let flaw: string | null = null
  let isStopped = false
  const isOn = config.current().relay.enable

  return {
    isOn,
    client: (): RelayClient | null => client,
    /** Why it cannot work at all. */
    flaw: (): string | null => flaw,
    /** Host names that point here through relays. */
    names: (): readonly string[] => client?.names() ?? [],
    /** Is called when they have changed. */
    whenNamed(changed: () => void): void {
      named = changed
    },
    /** Dials. Never throws: what is wrong is logged, and the network of the host is served all the same. */
    async start(take: TakeVisitor): Promise<void> {
      if (!isOn) return
      try {
        const identity = await nodeIdentity(openNodeKey(stateDirectory))
        if (isStopped) return
        client = createRelayClient(
          { identity, take, named: () => named(), now: monotonic, random: Math.random, log },
          config.current().relay,
        )
        client.start()
      } catch (error) {
        flaw = error instanceof Error ? error.message : String(error)
        log('error', 'the gateway is not reachable through relays', { error: flaw })
      }
    },
    apply: (next: Config): void => client?.apply(next.relay),
    drain: async (): Promise<void> => client?.drain(),
    async stop(): Promise<void> {
      isStopped = true
      await client?.stop()
    },
  }
}

import { send } from '../../pki/acme/request.ts'
import type { RelayStatus } from '../../schemas/admin-relay.ts'
import type { TlsStatus } from '../../schemas/admin-tls.ts'
import type { Config } from '../../schemas/config/config.ts'
import { inBackground } from '../../system/background.ts'
import { caaRecord } from '../relay/client/caa.ts'
import type { NodeIdentity } from '../relay/client/identity.ts'
import { createLogWatch, type LogWatchParts } from '../relay/client/log-watch.ts'
import { createRelayClient, type RelayClient } from '../relay/client/relay-client.ts'
import type { TakeVisitor } from '../relay/client/visitors.ts'
import type { Ground } from './ground.ts'

export type Relay = ReturnType<typeof openRelay>

type RelayGround = Pick<Ground, 'config' | 'stateDirectory' | 'monotonic' | 'now' | 'log' | 'alert'>

const NO_TLS: TlsStatus = { certificates: [] }

/** Being reachable through relays. It begins with `start`, and nothing else waits for it. */
export function openRelay(ground: RelayGround, identityOf: () => Promise<NodeIdentity>) {
  const { config, monotonic, now, log } = ground
  let client: RelayClient | null = null
  let watch: ReturnType<typeof createLogWatch> | null = null
  let tlsStatus = () => NO_TLS
  let named = (): void => {}
  let flaw: string | null = null
  let isStopped = false
  const isOn = config.current().relay.enable
  const names = (): readonly string[] => client?.names() ?? []

  /** Dials. @throws Error for a key that cannot be used */
  async function dial(take: TakeVisitor): Promise<void> {
    const identity = await identityOf()
    if (isStopped) return
    watch = createLogWatch({ ...logParts(ground), names, served: () => serialsIn(tlsStatus()) })
    const whenNamed = () => {
      named()
      inBackground(log, 'the logs of certificates were not looked at', () => watch?.ask())
    }
    const parts = { identity, take, named: whenNamed, now: monotonic, wall: now, random: Math.random, log }
    client = createRelayClient(parts, config.current().relay)
    client.start()
  }

  return {
    isOn,
    /** Host names that lead here through relays. */
    names,
    /** Is called when they have changed. */
    whenNamed(changed: () => void): void {
      named = changed
    },
    /** Begins. Never rejects: what is wrong is logged, and the network of the host is served all the same. */
    async start(take: TakeVisitor, statusOfTls: () => TlsStatus = () => NO_TLS): Promise<void> {
      if (!isOn) return
      tlsStatus = statusOfTls
      try {
        await dial(take)
      } catch (error) {
        flaw = error instanceof Error ? error.message : String(error)
        log('error', 'the gateway is not reachable through relays', { error: flaw })
      }
    },
    apply: (next: Config): void => client?.apply(next.relay),
    async status(): Promise<RelayStatus> {
      const backends = (await client?.backends()) ?? []
      return statusOf({ isOn, flaw, client, backends, logs: watch?.status() ?? null }, tlsStatus(), now())
    },
    drain: async (): Promise<void> => client?.drain(),
    async stop(): Promise<void> {
      isStopped = true
      watch?.stop()
      await client?.stop()
    },
  }
}

type Reachability = {
  readonly isOn: boolean
  readonly flaw: string | null
  readonly client: RelayClient | null
  readonly backends: Awaited<ReturnType<RelayClient['backends']>>
  readonly logs: ReturnType<ReturnType<typeof createLogWatch>['status']>
}

function statusOf(reachability: Reachability, { account }: TlsStatus, nowMs: number): RelayStatus {
  const { isOn, flaw, client, backends, logs } = reachability
  const at = (ms: number) => new Date(ms).toISOString()
  return {
    enabled: isOn,
    ...(flaw !== null && { flaw }),
    ...(client !== null && { node_id: client.nodeId }),
    names: [
      ...(client?.names() ?? []).map((name) => ({
        name,
        ...(account !== undefined && { caa: caaRecord(name, account) }),
      })),
      ...(client?.passed() ?? []).map((name) => ({
        name,
        backend: backends.find((backend) => backend.names.includes(name))?.address ?? '',
      })),
    ],
    backends: backends.map(({ names, address, proxy_protocol, error }) => ({
      names,
      address,
      proxy_protocol,
      ...(error !== undefined && { error }),
    })),
    refused: (client?.refused() ?? []).map(({ name, result, detail }) => ({
      name,
      result,
      ...(detail !== undefined && { detail }),
    })),
    tunnels: (client?.tunnels() ?? []).map(({ relay, relayId, forMs, rttMs, visitors }) => ({
      relay,
      relay_id: relayId,
      since: at(nowMs - forMs),
      ...(rttMs !== null && { rtt_ms: rttMs }),
      visitors,
    })),
    failed: (client?.failed() ?? []).map(({ relay, error, failures, againInMs }) => ({
      relay,
      error,
      attempts: failures,
      again_at: at(nowMs + againInMs),
    })),
    ...(logs !== null && {
      logs: {
        asked_at: at(logs.askedAtMs),
        ...(logs.error !== undefined && { error: logs.error }),
        unknown: logs.unknown,
      },
    }),
  }
}

const serialsIn = ({ certificates }: TlsStatus): string[] => certificates.flatMap(({ served }) => served?.serial ?? [])

function logParts({ config, stateDirectory, now, log, alert }: RelayGround): Omit<LogWatchParts, 'names' | 'served'> {
  return {
    stateDirectory,
    search: () => config.current().relay.ct_log,
    now,
    log,
    async fetch(url, signal) {
      const { status, text } = await send({ method: 'GET', url }, signal)
      if (status !== 200) throw new Error(`${new URL(url).host} answered with status ${status}`)
      return text
    },
    found(name, serial) {
      const message = `${name}: a log has certificate ${serial}, which this gateway did not get`
      log('error', 'a certificate that this gateway did not get', { domain: name, hash: serial })
      alert({
        event: 'certificate',
        subject: `${name} ${serial}`,
        state: 'once',
        level: '',
        severity: 'critical',
        message,
      })
    },
  }
}

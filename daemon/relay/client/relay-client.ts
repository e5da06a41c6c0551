import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../../../schemas/config/config.ts'
import { hostPort } from '../../../schemas/words/address.ts'
import type { Log } from '../../../schemas/words/log.ts'
import { inBackground } from '../../../system/background.ts'
import { codeOf } from '../../../system/error-code.ts'
import { createBackends } from './backends.ts'
import { createClaims } from './claims.ts'
import type { NodeIdentity } from './identity.ts'
import { domainsOf, ownNames } from './own-names.ts'
import { createRoom } from './room.ts'
import type { RelayTrust } from './trust.ts'
import { createTunnels, type TunnelsSettings } from './tunnels.ts'
import type { TakeVisitor } from './visitors.ts'

export type RelayClientParts = {
  readonly identity: NodeIdentity
  readonly take: TakeVisitor
  /** Called when the host names that lead here have changed. */
  readonly named: () => void
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** Unix milliseconds. */
  readonly wall: () => number
  /** 0 to 1. */
  readonly random: () => number
  readonly log: Log
}

export type RelayClient = ReturnType<typeof createRelayClient>

type Settings = Config['relay']

/** Names of others in one line of the log. */
const MOST_TOLD = 8

/** Makes the gateway reachable through relays: tunnels, and the names that lead into them. */
export function createRelayClient(parts: RelayClientParts, initial: Settings) {
  const { identity, log } = parts
  const backends = createBackends(parts.now, log)
  let names: readonly string[] = []
  let own: ReadonlySet<string> = new Set()
  let gathered = ' '
  let foreign = ''
  let dialled = ''
  const tunnels = createTunnels({
    ...parts,
    instanceId: randomUUID(),
    room: createRoom(),
    mayBeOwn: (name) => own.has(name),
    pass(stream, visit) {
      const backend = backends.of(visit.name)
      if (backend !== undefined) inBackground(log, 'a visitor is lost', () => backends.pass(stream, visit, backend))
      return backend !== undefined
    },
    opened: () => claims.look(),
    named: gather,
  })
  const claims = createClaims({ nodeId: identity.nodeId, open: tunnels.open, log })

  /** Notes the names that lead here now. */
  function gather(): void {
    noteForeign()
    const open = [...new Set(tunnels.open().flatMap((tunnel) => tunnel.names()))]
    // a relay that is lost for a while takes no name away
    const next = open.length === 0 ? names.filter((name) => own.has(name)) : open
    const ofGateway = next.filter((name) => backends.of(name) === undefined)
    const told = `${next.join()} ${ofGateway.join()}`
    if (told === gathered) return
    gathered = told
    names = next
    log('info', 'names that point here through relays', { domain: names.join(', ') })
    parts.named()
  }

  /** A relay is told of once, however often it changes what it says. */
  function noteForeign(): void {
    const all = new Set(tunnels.open().flatMap((tunnel) => tunnel.foreign()))
    if (all.size === 0 || foreign !== '') return
    foreign = [...all].slice(0, MOST_TOLD).join(', ')
    const reason = 'neither relay.custom_domain nor relay.names asks for them'
    log('warn', 'a relay says names that are not this gateway’s', { domain: foreign, reason })
  }

  function apply(next: Settings): void {
    const { addresses, domain, pins, ca, custom_domain, invite } = next
    backends.apply(next.backends)
    const hosts = [...new Set([...next.names, ...backends.names()])]
    const settings = { addresses, domain, customDomain: custom_domain, hosts }
    own = ownNames(identity.nodeId, settings)
    if (addresses.length > 0 && domainsOf(settings).length === 0)
      log('warn', 'no relay is dialled as relay.DOMAIN: set relay.domain', { path: 'relay.domain' })
    gather()
    claims.apply({ names: [...(custom_domain === undefined ? [] : [custom_domain]), ...hosts], invite })
    const dials = JSON.stringify([addresses, pins, ca])
    if (dials === dialled) return
    dialled = dials
    if (addresses.length === 0) log('warn', 'relay.enable is set, and no relay is named', { path: 'relay.addresses' })
    tunnels.start({ addresses, trust: trustOf(pins, ca, log) } satisfies TunnelsSettings)
  }

  return {
    nodeId: identity.nodeId,
    /** Host names that lead here and are the gateway's to serve, that of the key first. */
    names: (): readonly string[] => names.filter((name) => backends.of(name) === undefined),
    /** Host names that lead here, and are passed on. */
    passed: (): readonly string[] => names.filter((name) => backends.of(name) !== undefined),
    backends: backends.look,
    start: (): void => apply(initial),
    apply,
    drain: tunnels.drain,
    async stop(): Promise<void> {
      claims.stop()
      await tunnels.stop()
    },
    refused: claims.refused,
    /** Tunnels as they are. Times by the monotonic clock. */
    tunnels: () =>
      tunnels.open().map((tunnel) => ({
        relay: hostPort(tunnel.address.host, tunnel.address.port),
        relayId: tunnel.relayId,
        servername: tunnel.address.servername,
        forMs: parts.now() - tunnel.connectedAtMs,
        rttMs: tunnel.rttMs(),
        visitors: tunnel.visitors(),
      })),
    /** Relays that could not be reached. */
    failed: () =>
      tunnels.targets().flatMap(({ address, error, failures, notBeforeMs }) =>
        error === undefined
          ? []
          : [
              {
                relay: hostPort(address.host, address.port),
                error,
                failures,
                againInMs: Math.max(0, notBeforeMs - parts.now()),
              },
            ],
      ),
  }
}

/** A file that cannot be read leaves the CAs of Node, so that nothing is believed that should not be. */
function trustOf(pins: readonly string[], file: string | undefined, log: Log): RelayTrust {
  if (file === undefined) return { ca: undefined, pins }
  try {
    return { ca: readFileSync(file, 'utf8'), pins }
  } catch (error) {
    log('error', 'the CA of relays cannot be read', { path: 'relay.ca', file, error: codeOf(error) })
    return { ca: undefined, pins }
  }
}

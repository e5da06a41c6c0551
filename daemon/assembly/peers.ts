import { randomBytes } from 'node:crypto'
import type { PeersStatus } from '../../schemas/admin-peers.ts'
import type { Config } from '../../schemas/config/config.ts'
import type { Connection } from '../listener/connection.ts'
import { noteVia, type Via } from '../listener/via.ts'
import { type NodeIdentity, nodeIdentity } from '../relay/client/identity.ts'
import { openNodeKey } from '../relay/client/node-key.ts'
import type { Channel } from '../relay/peers/channel.ts'
import { openPeerChannel } from '../relay/peers/peer-channel.ts'
import type { Peer } from '../relay/peers/peer-dial.ts'
import { createPeerTls, type PeerTls } from '../relay/peers/peer-tls.ts'
import type { Ground } from './ground.ts'

export type Peers = ReturnType<typeof openPeers>

/** Other gateways whose models are used here, and that use those of this one. */
export function openPeers({
  config,
  stateDirectory,
  monotonic,
  log,
}: Pick<Ground, 'config' | 'stateDirectory' | 'monotonic' | 'log'>) {
  let identity: Promise<NodeIdentity> | null = null
  let nodeId: string | null = null
  let tls: PeerTls | null = null
  let listen: (() => Promise<string>) | null = null
  let url: string | null = null
  let beginning: Promise<void> | null = null

  const all = () => Object.values(config.current().peers)

  function whereIsNode(node: string): Peer | null {
    const known = all().filter((one) => one.node === node)
    if (known.length === 0) return null
    return {
      node,
      addresses: known.flatMap((peer) => peer.addresses),
      relays: known.flatMap((peer) => peer.relays),
    }
  }

  /** The key of this node, made at the first call. @throws Error for one that cannot be used */
  function ownIdentity(): Promise<NodeIdentity> {
    identity ??= load().catch((error: unknown) => {
      identity = null // it may be put right
      throw error
    })
    return identity
  }

  async function load(): Promise<NodeIdentity> {
    const found = await nodeIdentity(openNodeKey(stateDirectory))
    nodeId = found.nodeId
    const isPinned = (id: string) => all().some(({ node }) => node === id)
    tls = createPeerTls({ identity: found, isPinned, now: monotonic, log })
    return found
  }

  /** Begins once there is a peer; never rejects. */
  function begin(): Promise<void> {
    if (listen !== null && all().length > 0) beginning ??= listenForPeers(listen)
    return beginning ?? Promise.resolve()
  }

  async function listenForPeers(listens: () => Promise<string>): Promise<void> {
    try {
      await ownIdentity()
      url = await listens()
      log('info', 'listening for peers', { url })
    } catch (error) {
      log('error', 'peers reach this gateway through relays alone', { path: 'server.p2p_port', error: String(error) })
    }
  }

  return {
    identity: ownIdentity,
    nodeId: (): string | null => nodeId,
    /** Shakes hands with another gateway. */
    take(socket: Connection, via: Via, next: (channel: Connection, via: Via) => void): void {
      if (tls === null) socket.destroy()
      else tls.take(socket, via, (channel, by, isNew) => (isNew ? next(channel, by) : noteVia(channel, by)))
    },
    /** @throws Error that says why no way leads there */
    async dial(node: string, timeoutMs: number): Promise<Channel> {
      const whereIs = () => whereIsNode(node)
      if (whereIs() === null) throw new Error(`gate://${node} is not a peer: "gatectl peer accept" adds it`)
      const found = await ownIdentity()
      return await openPeerChannel({ identity: found, whereIs, random: randomBytes, now: monotonic }, timeoutMs)
    },
    /** @param listens begins to listen for other gateways, and says where */
    async start(listens: () => Promise<string>): Promise<void> {
      listen = listens
      await begin()
    },
    apply(_: Config): void {
      tls?.endUnpinned()
      void begin()
    },
    /** @throws Error for a key that cannot be used */
    async status(): Promise<PeersStatus> {
      const { nodeId: own } = await ownIdentity()
      await begin() // what is said is where it listens, not where it is about to
      const { peers, upstreams, server } = config.current()
      return {
        node_id: own,
        p2p_port: url === null ? server.p2p_port : Number(new URL(url).port),
        ...(url !== null && { listen: url }),
        peers: Object.entries(peers).map(([name, { node, addresses, relays }]) => ({
          name,
          node,
          addresses: [...addresses],
          relays: [...relays],
          upstreams: Object.entries(upstreams).flatMap(([upstream, { base_url: at }]) =>
            at?.startsWith(`gate://${node}`) === true ? [upstream] : [],
          ),
        })),
      }
    },
  }
}

import { connect, type TLSSocket } from 'node:tls'
import { parseHostPort } from '../../../schemas/words/address.ts'
import type { NodeIdentity } from '../client/identity.ts'
import { nodeOf, PEER_ALPN } from './protocol.ts'

/** Another gateway, and where it is. */
export type Peer = {
  readonly node: string
  /** `host:port` of its `server.p2p_port`. */
  readonly addresses: readonly string[]
  /** Its names at relays, `name:port`. */
  readonly relays: readonly string[]
}

/** A connection to it. */
export type Dialled = { readonly carrier: TLSSocket; readonly isRelayed: boolean }

/** A direct way has this long before the way through a relay is tried beside it. */
const HEAD_START_MS = 400
const DEFAULT_PORT = 443
/** @see daemon/upstream/passage-end.ts */
const NO_WAY = 'ERR_NO_WAY'

/**
 * Connects to another gateway: directly, or through a relay where that fails or takes long. Whichever is there first
 * counts; the direct way is tried anew for each connection.
 * @throws Error that says why no way leads there
 */
export async function dialPeer(
  identity: NodeIdentity,
  { node, addresses, relays }: Peer,
  timeoutMs: number,
): Promise<Dialled> {
  const giveUp = new AbortController()
  const timer = setTimeout(() => giveUp.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
  const begin = (isRelayed: boolean) => async (at: string) => ({
    carrier: await dialOne(identity, node, at, giveUp.signal),
    isRelayed,
  })
  const direct = addresses.map(begin(false))
  try {
    const relayed =
      relays.length === 0 ? [] : [afterAll(direct, HEAD_START_MS).then(() => firstOf(relays.map(begin(true))))]
    const ways = [...direct, ...relayed]
    const winner = await firstOf(ways)
    for (const way of ways)
      void way.then(
        (dialled) => dialled === winner || dialled.carrier.destroy(),
        () => {},
      )
    return winner
  } finally {
    clearTimeout(timer)
    giveUp.abort(new Error('another way was faster'))
  }
}

/** The first that comes about; sockets of the others are closed by their signal. @throws Error with the reasons of all */
async function firstOf(ways: readonly Promise<Dialled>[]): Promise<Dialled> {
  if (ways.length === 0)
    throw Object.assign(new Error('no address of it is known; set addresses or relays of the peer'), { code: NO_WAY })
  try {
    return await Promise.any(ways)
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors : [error]
    throw new Error(reasons.map((reason) => (reason instanceof Error ? reason.message : String(reason))).join('; '), {
      cause: error,
    })
  }
}

/** Resolves when all have failed, or after so long. */
function afterAll(ways: readonly Promise<unknown>[], limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs)
    void Promise.allSettled(ways).then(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function dialOne({ key, cert }: NodeIdentity, node: string, at: string, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port = DEFAULT_PORT } = parseHostPort(at)
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason)
      return
    }
    const isName = !/^[\d.]+$|:/.test(host)
    const socket = connect({
      host,
      port,
      key,
      cert,
      ...(isName && { servername: host }),
      minVersion: 'TLSv1.3',
      ALPNProtocols: [PEER_ALPN],
      rejectUnauthorized: false, // its key is known, and compared below
    })
    let isDone = false
    const fail = (error: Error) => {
      socket.destroy()
      reject(new Error(`${at}: ${error.message}`, { cause: error }))
    }
    const giveUp = () => {
      if (!isDone) fail(signal.reason instanceof Error ? signal.reason : new Error('given up'))
    }
    signal.addEventListener('abort', giveUp, { once: true })
    socket.setNoDelay(true)
    socket.on('error', (error) => {
      if (!isDone) fail(error)
    })
    socket.once('close', () => reject(new Error(`${at}: the connection was closed in the handshake`)))
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol !== PEER_ALPN || nodeOf(socket) !== node) {
        fail(new Error('another key answers there than that of the peer'))
        return
      }
      isDone = true
      signal.removeEventListener('abort', giveUp)
      resolve(socket)
    })
  })
}

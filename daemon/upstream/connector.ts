import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { GateError } from '../../schemas/words/errors.ts'
import { type HeldSocket, holdSocket } from '../../system/held-socket.ts'

/** Gate itself has no descriptor left for one more connection to an upstream. */
class NoDescriptorError extends Error {
  readonly code = 'EMFILE'
  constructor() {
    super('this process has no file descriptor left for another connection to an upstream')
    this.name = 'NoDescriptorError'
  }
}

/** Whether a connection could not be made because this process, or this host, has no descriptor for it. */
export function isOutOfDescriptors(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return code === 'EMFILE' || code === 'ENFILE' || isOutOfDescriptors(error.cause)
}

/** What a client is told then. */
export function noConnection(cause: Error): GateError {
  const message = 'Gate has no connection left for this request; try again shortly'
  return new GateError('OVERLOADED', message, { cause, retryAfterS: 1 })
}

type ConnectorOptions = buildConnector.BuildOptions & {
  readonly heldPath?: string
  /** The host is the id of another gateway. */
  readonly isPeer?: boolean
}

/** Connects to another gateway by its id. @throws Error that says why no way leads there */
export type DialPeer = (nodeId: string, timeoutMs: number) => Promise<Duplex & { readonly bytesRead: number }>

/** Makes connections to upstreams, no more than `most` at once, whichever upstream they lead to. */
export function boundedConnector(most: number, dialPeer: DialPeer = noPeer) {
  let open = 0
  return (options: ConnectorOptions): buildConnector.connector => {
    const connect = options.isPeer === true ? peerConnector(dialPeer, options.timeout) : connectorTo(options)
    return (to, callback) => {
      if (open >= most) return callback(new NoDescriptorError(), null)
      open += 1
      connect(to, (...[error, socket]) => {
        if (error !== null) {
          open -= 1
          return callback(explained(error), null)
        }
        socket.once('close', () => {
          open -= 1
        })
        callback(null, socket)
      })
    }
  }
}

function noPeer(nodeId: string): ReturnType<DialPeer> {
  return Promise.reject(new Error(`${nodeId} is not known here`))
}

function peerConnector(dialPeer: DialPeer, timeoutMs = 5_000): buildConnector.connector {
  return ({ hostname }, callback) => {
    dialPeer(hostname, timeoutMs).then(
      (channel) => callback(null, channel as unknown as Socket), // undici uses no more of it than that it is a Duplex
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    )
  }
}

/** @param options `heldPath`: as `socketPath`, in a directory that another account may own */
function connectorTo({ heldPath, isPeer: _, ...options }: ConnectorOptions): buildConnector.connector {
  if (heldPath === undefined) return buildConnector(options)
  return (to, callback) => {
    let held: HeldSocket
    try {
      held = holdSocket(heldPath)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      return callback(error, null)
    }
    try {
      buildConnector({ ...options, socketPath: held.at })(to, (...[error, socket]) => {
        if (error === null) return callback(null, socket)
        error.message = error.message.replace(held.at, heldPath)
        callback(error, null)
      })
    } finally {
      held.release()
    }
  }
}

/** What the rules of a deployed host answer (nftables, IPv4 and IPv6), and what a filter of the unit may. */
const FILTERED = new Set<unknown>(['EHOSTUNREACH', 'EACCES', 'EPERM'])

/** The error of a connection, with the key that may open the way. */
export function explained(error: Error): Error {
  const code = 'code' in error ? error.code : undefined
  if (!FILTERED.has(code)) return error
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  const message = first instanceof Error ? first.message : error.message
  const why = `${message}: no way leads there, or the spec does not open it (gate.network.allow)`
  return Object.assign(new Error(why, { cause: error }), { code })
}

/** A handler that wants to know the connection that its request goes over. */
export type OverConnection = Dispatcher.DispatchHandler & {
  /** Called before the request is sent. @param bytesRead how much came over the connection so far, for any request */
  overConnection?(bytesRead: () => number): void
}

/** A connection to another gateway emits it when its way is cut; it looks for another one unless it is destroyed. */
const DETACHED = 'detached'

/** One connection of a pool, which tells what came over it. */
class CountingClient extends Client {
  #socket: Socket | null = null
  readonly #bytesRead = () => this.#socket?.bytesRead ?? 0

  constructor(origin: URL, { connect, ...options }: Client.Options) {
    if (typeof connect !== 'function') throw new Error('a pool of Gate has a connector')
    super(origin, {
      ...options,
      connect: (to, callback) =>
        connect(to, (...result) => {
          const [, socket] = result
          this.#socket = socket
          // one that could go on over another connection, but has nothing to go on with
          socket?.on(DETACHED, () => {
            if (this.stats.size === 0) socket.destroy()
          })
          callback(...result)
        }),
    })
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: OverConnection): boolean {
    handler.overConnection?.(this.#bytesRead)
    return super.dispatch(request, handler)
  }
}

/** Makes the connections of a pool. */
export const countingClient = (origin: URL, options: Client.Options): Client => new CountingClient(origin, options)

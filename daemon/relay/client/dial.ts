import { connect, type TLSSocket } from 'node:tls'
import { ALPN } from '../protocol.ts'
import type { NodeIdentity } from './identity.ts'
import { certificateFlaw, dialOptions, pinFlaw, type RelayAddress, type RelayTrust } from './trust.ts'

/** For the connection with its handshake. */
const DIAL_MS = 10_000
const KEEP_ALIVE_MS = 30_000

/** Connects to a relay. @throws Error that says why it cannot be reached or believed */
export async function dial(
  identity: NodeIdentity,
  address: RelayAddress,
  trust: RelayTrust,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const socket = connect(dialOptions(identity, address, trust))
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  socket.setNoDelay(true)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  // later ones are the session's
  socket.on('error', (cause) => {
    const flaw = certificateFlaw(cause, address.servername)
    reject(flaw === undefined ? cause : new Error(flaw, { cause }))
  })
  socket.once('close', () => reject(new Error('the relay closed the connection in the handshake')))
  socket.once('secureConnect', () => {
    const flaw = pinFlaw(socket.getPeerX509Certificate(), trust.pins)
    if (flaw !== undefined) reject(new Error(flaw))
    else if (socket.alpnProtocol !== ALPN) reject(new Error(`it does not speak ${ALPN}`))
    else resolve(socket)
  })
  try {
    return await within(promise, DIAL_MS, signal, `no answer in ${DIAL_MS / 1_000} s`)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** @throws Error with `words` when it takes too long; the reason of `signal` when that aborts */
export async function within<T>(work: Promise<T>, limitMs: number, signal: AbortSignal, words: string): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const giveUp = () => reject(signal.reason)
  const timer = setTimeout(() => reject(new Error(words)), limitMs)
  signal.addEventListener('abort', giveUp, { once: true })
  if (signal.aborted) giveUp()
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
  }
}

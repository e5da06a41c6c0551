import { AsyncLocalStorage } from 'node:async_hooks'
import { constants } from 'node:crypto'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { Log } from '../../schemas/words/log.ts'
import { guarded } from '../../system/background.ts'
import type { Connection } from './connection.ts'
import type { Identities, Identity } from './identities.ts'
import { destroySoon } from './last-words.ts'
import { selectIdentity } from './selection.ts'

/** Forward secret and authenticated; what every client of the last ten years has. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
/** What clients of today offer first. Groups of finite fields cost the server far more than its clients. */
const GROUPS = ['X25519MLKEM768', 'X25519', 'P-256', 'P-384']
const HANDSHAKE_MS = 10_000
/** What a key of tickets has sealed can be read by who gets it later, so it is thrown away. */
const TICKET_KEY_MS = 12 * 3_600_000
const TICKET_S = 4 * 3_600
const TICKET_KEY_BYTES = 48

const OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS.join(':'),
  ecdhCurve: GROUPS.join(':'),
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
  handshakeTimeout: HANDSHAKE_MS,
} as const

/** Is told how each handshake ended, and what was agreed on. */
export type NoteHandshake = (outcome: 'done' | 'failed', agreed?: { version: string; alpn: string }) => void

type TlsParts = {
  readonly identities: Pick<Identities, 'current' | 'onChange' | 'challengeFor'>
  readonly noteHandshake: NoteHandshake
  readonly random: (bytes: number) => Buffer
  readonly log: Log
}

type Serving = { readonly names: readonly string[]; readonly identity: Identity; readonly server: Server }

/** Takes over a connection after its handshake. */
type Secured = (socket: TLSSocket, identity: Identity) => void

/**
 * The certificates as TLS servers, one for each: no context ever holds two keys. They are swapped whole when the
 * certificates change; connections keep what they began with, and a certificate that is still there its tickets.
 */
export function createTls({ identities, noteHandshake, random, log }: TlsParts) {
  // a server of TLS does not say which connection the one that it has secured was; over a Unix socket nothing else tells
  const handshakes = new AsyncLocalStorage<Secured>()
  let servings: readonly Serving[] = []

  function serve(identity: Identity): Serving | null {
    const known = servings.find(({ identity: { cert, key } }) => cert === identity.cert && key === identity.key)
    if (known !== undefined) return { ...known, identity, names: identity.names }
    try {
      const server = createServer({
        ...OPTIONS,
        cert: identity.cert,
        key: identity.key,
        ALPNProtocols: ['h2', 'http/1.1'],
        ticketKeys: random(TICKET_KEY_BYTES),
        sessionTimeout: TICKET_S,
      })
      server.on('secureConnection', (socket) => {
        noteHandshake('done', { version: socket.getProtocol() ?? '', alpn: socket.alpnProtocol || '' })
        handshakes.getStore()?.(socket, identity)
      })
      server.on('tlsClientError', (_, socket) => {
        noteHandshake('failed')
        socket.destroy()
      })
      return { names: identity.names, identity, server }
    } catch (error) {
      log('error', 'a certificate cannot be served', { error: `${identity.names.join(', ')}: ${String(error)}` })
      return servings.find(({ names }) => names.join() === identity.names.join()) ?? null
    }
  }

  const swap = () => {
    servings = identities.current().flatMap((identity) => serve(identity) ?? [])
  }
  swap()
  const stopListening = identities.onChange(swap)
  const changeTicketKeys = () => {
    for (const { server } of servings) server.setTicketKeys(random(TICKET_KEY_BYTES))
  }
  const rotation = setInterval(guarded(log, 'keys of TLS tickets stay', changeTicketKeys), TICKET_KEY_MS).unref()

  return {
    /**
     * @param name lower case; null: none
     * @returns what shakes hands over a connection; undefined: there is no certificate at all
     */
    handshakeFor(name: string | null): ((socket: Connection, secured: Secured) => void) | undefined {
      const server = selectIdentity(servings, name)?.server
      if (server === undefined) return undefined
      return (socket, secured) => void handshakes.run(secured, () => server.emit('connection', socket))
    },

    /**
     * What answers a challenge, and then closes: RFC 8737 section 3.
     * @returns undefined: none is pending for that name
     */
    challengeFor(name: string): ((socket: Connection) => void) | undefined {
      const identity = identities.challengeFor(name)
      if (identity === undefined) return undefined
      const { cert, key } = identity
      const server = createServer({ ...OPTIONS, cert, key, ALPNProtocols: ['acme-tls/1'] })
      server.on('secureConnection', (socket) => {
        log('info', 'answered a challenge of TLS-ALPN-01', { domain: name })
        socket.on('error', () => socket.destroy())
        socket.resume().end()
        destroySoon(socket)
      })
      server.on('tlsClientError', (_, socket) => socket.destroy())
      return (socket) => void server.emit('connection', socket)
    },

    close(): void {
      stopListening()
      clearInterval(rotation)
    },
  }
}

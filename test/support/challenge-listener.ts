import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import type { Identities } from '../../daemon/listener/identities.ts'

/** Answers a CA's challenges on the loopback, as the daemon's listeners do, and nothing else. */
export async function challengeListener(identities: () => Identities | undefined) {
  const tls = createTlsServer({
    ALPNCallback: ({ protocols }) => (protocols.includes('acme-tls/1') ? 'acme-tls/1' : undefined),
    SNICallback: (name, done) => {
      const found = identities()?.challengeFor(name)
      done(null, found === undefined ? undefined : createSecureContext({ cert: found.cert, key: found.key }))
    },
  })
  tls.on('tlsClientError', () => {})
  const http = createHttpServer(({ url = '', headers }, response) => {
    const token = /^\/\.well-known\/acme-challenge\/([\w-]+)$/.exec(url)?.[1] ?? ''
    const host = headers.host?.replace(/:\d+$/, '') ?? ''
    const answer = identities()?.httpChallenge(host, token)
    response.writeHead(answer === undefined ? 404 : 200).end(answer)
  })
  return {
    tlsPort: await listening(tls),
    httpPort: await listening(http),
    close: () => {
      tls.close()
      http.close()
    },
  }
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

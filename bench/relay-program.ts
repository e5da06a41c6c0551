// What `npm run bench -- relay` starts: `relay PORT`, `home RELAY_PORT SITE_PORT`, or `delay PORT TARGET MS`, each as its own process.
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { startNode, startRelay } from '../test/support/relay.ts'

/** What a visitor wants, as the last byte of what it says first. */
export const WANTS = { bulk: 0x42, short: 0x53, nothing: 0x49 } as const

/** Of the ClientHello, which is one record here. */
const RECORD_HEADER_BYTES = 5
const CHUNK = Buffer.alloc(65_536, 'x')
const SHORT = Buffer.alloc(1_024, 'x')

/** Serves a visitor, over TCP for nginx and over a stream for the relay. */
function serve(stream: Duplex): void {
  let said: Buffer = Buffer.alloc(0)
  stream.on('error', () => stream.destroy())
  stream.once('end', () => stream.end())
  stream.on('data', function listen(chunk: Buffer) {
    said = Buffer.concat([said, chunk])
    if (said.length <= RECORD_HEADER_BYTES || said.length <= RECORD_HEADER_BYTES + said.readUInt16BE(3)) return
    stream.off('data', listen).resume()
    const want = said.at(-1)
    if (want === WANTS.short) stream.end(SHORT)
    if (want === WANTS.bulk) flood(stream)
  })
}

function flood(stream: Duplex): void {
  const more = () => {
    while (!stream.destroyed && stream.writable && stream.write(CHUNK));
  }
  stream.on('drain', more)
  more()
}

async function runRelay(port: number): Promise<void> {
  const relay = await startRelay({ port })
  process.once('SIGTERM', () => void relay.stop().then(() => process.exit()))
  console.log('ready')
}

async function runHome(relayPort: number, sitePort: number): Promise<void> {
  const node = await startNode({
    port: relayPort,
    take(stream) {
      stream.respond({ ':status': 200 })
      serve(stream)
    },
  })
  createServer({ allowHalfOpen: true, noDelay: true }, serve).listen(sitePort, '127.0.0.1', () =>
    console.log(`ready ${node.host}`),
  )
}

/** Passes bytes on, each way after half of a round trip. */
function runDelay(port: number, target: number, roundTripMs: number): void {
  const late = (from: Socket, to: Socket) => {
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), roundTripMs / 2))
    from.on('error', () => to.destroy())
    from.on('close', () => setTimeout(() => to.destroy(), roundTripMs / 2))
  }
  createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true })
    late(client, upstream)
    late(upstream, client)
  }).listen(port, '127.0.0.1', () => console.log('ready'))
}

if (import.meta.main) {
  const [role, ...numbers] = process.argv.slice(2)
  const [first = 0, second = 0, third = 0] = numbers.map(Number)
  if (role === 'relay') await runRelay(first)
  else if (role === 'home') await runHome(first, second)
  else runDelay(first, second, third)
}

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { until } from '../support/daemon.ts'
import { makeIdentity } from '../support/identities.ts'
import { end, says } from '../support/pebble.ts'
import { canReadMemory, textsInMemory } from '../support/process-memory.ts'
import { hasProgram } from '../support/programs.ts'
import { DOMAIN, ed25519Identity, portOf, startNode } from '../support/relay.ts'
import { startRelayProgram } from '../support/relay-program.ts'

// of random bytes of each run, so that no file of the tests, which Node reads as well, has it
const CANARY = `canary-${crypto.randomUUID()}`
const canShow = canReadMemory && hasProgram('tcpdump') && hasProgram('curl')

/** What goes through a connection, both ways. */
type Tap = { readonly sent: Buffer[]; readonly got: Buffer[] }
const newTap = (): Tap => ({ sent: [], got: [] })
const hex = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('hex')
const sizes = (chunks: readonly Buffer[]) => chunks.reduce((sum, { length }) => sum + length, 0)

test.skipIf(!canShow)(
  'a relay passes on each byte as it came, and has no word of it: in memory, heap, log, or on the network (needs root, tcpdump)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gate-canary-'))
    const options = `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`
    const relay = await startRelayProgram({ NODE_OPTIONS: options, RELAY__LOG_LEVEL: 'debug' })
    const [capture, atClient, atHome] = [join(folder, 'packets'), newTap(), newTap()]
    const dump = spawn('tcpdump', [
      ...['-i', 'lo', '-U', '--immediate-mode', '-Z', 'root', '-w', capture],
      ...['tcp', 'port', String(relay.port)],
    ])
    const identity = await ed25519Identity()
    const asked: string[] = []
    const answered = Promise.withResolvers<void>()
    const site = createHttpsServer(makeIdentity([`${identity.id}.${DOMAIN}`]), (request, response) => {
      void text(request).then(async (body) => {
        asked.push(body)
        response.write(`answer ${CANARY} `)
        await answered.promise
        response.end('whole')
      })
    })
    const front = createServer((client) => tap(client, connect(relay.port, '127.0.0.1'), atClient))
    try {
      await says(dump, /listening on/)
      for (const server of [site, front]) await once(server.listen(0, '127.0.0.1'), 'listening')
      const node = await startNode({
        port: relay.port,
        identity,
        take(stream) {
          stream.respond({ ':status': 200 })
          tap(stream as unknown as Socket, connect(portOf(site), '127.0.0.1'), atHome)
        },
      })
      const curl = promisify(execFile)('curl', [
        ...['-sk', '--resolve', `${node.host}:${portOf(front)}:127.0.0.1`],
        ...['--data', `question ${CANARY}`, '-H', `x-secret: ${CANARY}`],
        `https://${node.host}:${portOf(front)}/${CANARY}`,
      ])
      await until(() => asked.length === 1 && atClient.got.length > 0)
      // the id of the node shows that what is there is found
      expect(textsInMemory(relay.pid, [node.id, CANARY])).toEqual([node.id])
      answered.resolve()
      expect([(await curl).stdout, asked]).toEqual([`answer ${CANARY} whole`, [`question ${CANARY}`]])
      expect(textsInMemory(relay.pid, [node.id, CANARY])).toEqual([node.id])
      process.kill(relay.pid, 'SIGUSR2')
      const written = () =>
        readdirSync(folder)
          .filter((name) => name.endsWith('.heapsnapshot'))
          .map((name) => readFileSync(join(folder, name), 'latin1'))[0] ?? ''
      await until(() => written().endsWith(']}'))
      expect([written().includes(node.id), written().includes(CANARY)]).toEqual([true, false])
      await until(() => sizes(atHome.sent) >= sizes(atClient.sent))
      expect(hex(atHome.sent)).toBe(hex(atClient.sent))
      // curl does not wait for the last words of TLS
      expect(hex(atHome.got).startsWith(hex(atClient.got))).toBe(true)
      expect(Math.min(sizes(atClient.sent), sizes(atClient.got))).toBeGreaterThan(500)
      node.stop()
      expect(await relay.stop()).toBe(0)
      expect(relay.output()).toContain(node.id)
      expect(relay.output()).not.toContain(CANARY)
      await end(dump)
      const packets = readFileSync(capture)
      expect([packets.includes(node.host), packets.includes(CANARY)]).toEqual([true, false])
    } finally {
      answered.resolve()
      dump.kill('SIGKILL')
      await relay.kill()
      relay.remove()
      front.close()
      site.close()
      site.closeAllConnections()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

/** Joins two sides, and keeps what they say. */
function tap(from: Socket, to: Socket, { sent, got }: Tap): void {
  from.on('data', (chunk) => sent.push(chunk))
  to.on('data', (chunk) => got.push(chunk))
  for (const side of [from, to]) side.on('error', () => side.destroy())
  from.pipe(to).pipe(from)
}

import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { captureHello, inRecords, withName } from '../support/client-hello.ts'
import { sampled } from '../support/effort.ts'
import { below, broken, createRandom, pick } from '../support/fuzz.ts'
import { sendRaw } from '../support/raw-http.ts'
import { startTlsDaemon, type TlsDaemon } from '../support/tls-daemon.ts'

const HELLOS = sampled(2_000, 200_000)
const AT_ONCE = 16

let gate: TlsDaemon
let sound: readonly Buffer[]
beforeAll(async () => {
  gate = await startTlsDaemon({ GATE_SERVER__HEADERS_TIMEOUT: '2s' })
  const hello = await captureHello({ ALPNProtocols: ['h2', 'http/1.1'] })
  sound = [
    hello,
    inRecords(hello, 64),
    withName(hello, 'gate.test'),
    withName(hello, `${'a'.repeat(63)}.wild.test`),
    await captureHello({ ALPNProtocols: ['acme-tls/1'] }),
    await captureHello({ maxVersion: 'TLSv1.2' }),
    Buffer.concat([hello, Buffer.from('GET /health HTTP/1.1\r\n\r\n')]),
  ]
})
afterAll(async () => {
  await gate?.stop()
  gate?.remove()
})

test(`${HELLOS} hellos that are broken, or sound and cut in odd places, take nothing down`, async () => {
  const before = await health()
  let left = HELLOS
  const workers = Array.from({ length: AT_ONCE }, async (_, i) => {
    const random = createRandom(i)
    while (left-- > 0) {
      const hello = pick(random, sound)
      await send(changed(hello, random), random)
    }
  })
  await Promise.all(workers)
  expect(await health()).toBe(before)
  expect(gate.process.exitCode).toBeNull()
  expect(gate.output()).not.toMatch(/uncaught|unhandled|TypeError|RangeError/i)
})

/** Mostly with some bytes that are others, so that lengths lie; else torn, or as it was. */
function changed(hello: Buffer, random: () => number): Buffer {
  if (random() < 0.1) return hello
  if (random() < 0.3) return broken(random, hello)
  const bytes = Buffer.from(hello)
  for (let left = 1 + below(random, 4); left > 0; left -= 1) bytes[below(random, bytes.length)] = below(random, 256)
  return bytes
}

const health = async () =>
  (
    await sendRaw(gate.https, 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', {
      isSecure: true,
    })
  ).length

/** Sends bytes in up to three pieces, says that nothing more will come or goes away, and waits for the end. */
function send(bytes: Buffer, random: () => number): Promise<void> {
  const { hostname, port } = new URL(gate.https)
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
    const [first = 0, second = 0] = [below(random, bytes.length + 1), below(random, bytes.length + 1)].sort(
      (a, b) => a - b,
    )
    socket.write(bytes.subarray(0, first))
    socket.write(bytes.subarray(first, second))
    setImmediate(() => (random() < 0.5 ? socket.end(bytes.subarray(second)) : leave(socket, bytes.subarray(second))))
  })
}

const leave = (socket: ReturnType<typeof connect>, bytes: Buffer) => void socket.write(bytes, () => socket.destroy())

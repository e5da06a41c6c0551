import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect as connectPlain, createServer, type Socket } from 'node:net'
import { connect } from 'node:tls'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTls } from '../../../../daemon/listener/tls.ts'
import { makeIdentity, swappableIdentities } from '../../../support/identities.ts'

const HALF_A_DAY_MS = 12 * 3_600_000
const names = ['ai.example.org']
const first = makeIdentity(names)
const other = makeIdentity(['b.example.net'])

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }))
afterEach(() => void vi.useRealTimers())

/** A listener that shakes hands and no more. */
async function open() {
  const { identities, swap } = swappableIdentities([first], { 'ai.example.org': other })
  const lines: string[] = []
  const tls = createTls({
    identities,
    noteHandshake: () => {},
    random: randomBytes,
    log: (level, message) => void lines.push(`${level}: ${message}`),
  })
  const challenges = createServer({ allowHalfOpen: true }, (socket) => tls.challengeFor('ai.example.org')?.(socket))
  await new Promise<void>((resolve) => challenges.listen(0, '127.0.0.1', resolve))
  /** A client that stays. @returns the other end of its connection, and when it was told of the end */
  const shakeChallenge = async () => {
    const accepted = once(challenges, 'connection')
    const socket = connect({
      socket: connectPlain({ port: (challenges.address() as AddressInfo).port, allowHalfOpen: true }),
      rejectUnauthorized: false,
      ALPNProtocols: ['acme-tls/1'],
    }).on('error', () => {})
    const ended = once(socket.resume(), 'end')
    const [raw] = (await accepted) as [Socket]
    return { raw, ended }
  }
  const server = createServer((socket) => {
    const handshake = tls.handshakeFor('ai.example.org')
    if (handshake === undefined) socket.destroy()
    else handshake(socket, (secured) => secured.on('error', () => {}).end('x'))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  /** @returns whether the session was resumed, and what to resume it by */
  const shake = async (session?: Buffer) => {
    const options = { port, rejectUnauthorized: false, maxVersion: 'TLSv1.2', ...(session && { session }) } as const
    const socket = connect(options)
    await once(socket, 'secureConnect')
    const isReused = socket.isSessionReused()
    const resumable = socket.getSession()
    socket.resume()
    await once(socket, 'close')
    return { isReused, session: resumable }
  }
  const close = () => {
    tls.close()
    server.close()
    challenges.close()
  }
  return { shake, shakeChallenge, swap, lines, close }
}

test('a session is resumed until the key of its ticket is thrown away', async () => {
  const { shake, close } = await open()
  const { session } = await shake()
  expect((await shake(session)).isReused).toBe(true)
  vi.advanceTimersByTime(HALF_A_DAY_MS)
  expect((await shake(session)).isReused).toBe(false)
  close()
})

test('a certificate that stays keeps its tickets, whatever else changes', async () => {
  const { shake, swap, close } = await open()
  const { session } = await shake()
  swap([other, { ...first }])
  expect((await shake(session)).isReused).toBe(true)
  close()
})

test('a certificate that cannot be used is not served; the one before goes on, and the log says so', async () => {
  const { shake, swap, lines, close } = await open()
  swap([{ names, cert: first.cert, key: other.key }])
  await shake()
  expect(lines).toEqual(['error: a certificate cannot be served'])
  swap([])
  await expect(shake()).rejects.toThrow()
  close()
})

test('what answered a challenge is cut off a second later, whether or not its client closes', async () => {
  const { shakeChallenge, close } = await open()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { raw, ended } = await shakeChallenge()
  await ended
  expect(raw.destroyed).toBe(false)
  vi.advanceTimersByTime(1_000)
  await once(raw, 'close')
  close()
})

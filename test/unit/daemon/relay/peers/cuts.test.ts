// Whenever a way between two gateways is cut, a request is answered whole, and was made once.
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer, type Server as TcpServer } from 'node:net'
import type { Client } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Channel } from '../../../../../daemon/relay/peers/channel.ts'
import { openPeerChannel } from '../../../../../daemon/relay/peers/peer-channel.ts'
import { createPeerTls } from '../../../../../daemon/relay/peers/peer-tls.ts'
import { countingClient } from '../../../../../daemon/upstream/connector.ts'
import { until } from '../../../../support/daemon.ts'
import { isLong } from '../../../../support/effort.ts'
import { ed25519Identity, portOf } from '../../../../support/relay.ts'
import { startWay, type Way } from '../../../../support/way.ts'

const ANSWER = randomBytes(3 * 2 ** 20)
const QUESTION = randomBytes(2 ** 21)
const FIRST = Buffer.from('first')
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

let requests = 0
let lender: Server
let port: TcpServer
let identities: { own: Awaited<ReturnType<typeof identity>>; other: Awaited<ReturnType<typeof identity>> }
let direct: Way
let relayed: Way

async function identity() {
  const { key, cert, id } = await ed25519Identity()
  return { key, cert, nodeId: id, sign: () => Buffer.alloc(0) }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  requests += 1
  const hash = createHash('sha256')
  for await (const chunk of request) hash.update(chunk as Buffer)
  response.setHeader('x-hash', hash.digest('hex'))
  response.write(FIRST)
  response.end(ANSWER)
}

beforeAll(async () => {
  identities = { own: await identity(), other: await identity() }
  lender = createHttpServer((request, response) => void answer(request, response))
  const tls = createPeerTls({ identity: identities.other, isPinned: () => true, now: () => 0, log: () => {} })
  port = createServer((socket) =>
    tls.take(socket, { peer: '127.0.0.1', secured: null }, (channel, _, isNew) => {
      if (isNew) lender.emit('connection', channel)
    }),
  )
  port.listen(0, '127.0.0.1')
  await once(port, 'listening')
  direct = await startWay(portOf(port))
  relayed = await startWay(portOf(port))
})
afterAll(async () => {
  await direct.cut()
  await relayed.cut()
  lender.closeAllConnections()
  port.close()
})

/** A pool's connection to the lender. @param opened is told of its channel */
function connection(opened: (channel: Channel) => void = () => {}) {
  return countingClient(new URL('http://peer.test'), {
    allowH2: false,
    connect: (_, callback) => {
      const where = {
        node: identities.other.nodeId,
        addresses: [`127.0.0.1:${direct.port}`],
        relays: [`127.0.0.1:${relayed.port}`],
      }
      const parts = {
        identity: identities.own,
        whereIs: () => where,
        random: randomBytes,
        now: () => performance.now(),
      }
      openPeerChannel(parts, 5_000).then(
        (channel) => {
          opened(channel)
          callback(null, channel as never)
        },
        (error) => callback(error, null),
      )
    },
  })
}

async function askOver(client: Client): Promise<{ status: number; isWhole: boolean }> {
  const { statusCode, headers, body } = await client.request({ method: 'POST', path: '/', body: QUESTION })
  const got = Buffer.from(await body.arrayBuffer())
  const isWhole = headers['x-hash'] === hashOf(QUESTION) && hashOf(got) === hashOf(Buffer.concat([FIRST, ANSWER]))
  return { status: statusCode, isWhole }
}

/** One request over a channel of its own. */
async function ask() {
  const client = connection()
  try {
    return await askOver(client)
  } finally {
    await client.destroy()
  }
}

const [IN, OUT] = [QUESTION.length, ANSWER.length]
test.each<{ when: string; isOver: Way['isOver'] }>([
  { when: 'as the first byte comes', isOver: ({ pieces }) => pieces === 1 },
  ...Array.from({ length: 12 }, (_, n) => ({
    when: `at piece ${n + 2}`,
    isOver: ({ pieces }: Way) => pieces === n + 2,
  })),
  { when: 'at the head of the request', isOver: ({ bytesIn }) => bytesIn > 2_000 },
  { when: 'in its body', isOver: ({ bytesIn }) => bytesIn > IN / 3 },
  { when: 'near the end of its body', isOver: ({ bytesIn }) => bytesIn > IN },
  { when: 'at the first byte of the answer', isOver: ({ bytesIn, bytesOut }) => bytesIn > IN && bytesOut > 4_000 },
  { when: 'in the answer', isOver: ({ bytesOut }) => bytesOut > OUT / 3 },
  { when: 'near the end of the answer', isOver: ({ bytesOut }) => bytesOut > OUT },
])('cut $when, the client gets all of its answer, and the request was made once', async ({ isOver }) => {
  Object.assign(direct, { pieces: 0, bytesIn: 0, bytesOut: 0, isOver })
  const [before, through] = [requests, relayed.passed]
  expect(await ask()).toEqual({ status: 200, isWhole: true })
  expect(requests - before).toBe(1)
  expect(relayed.passed).toBeGreaterThan(through)
  await direct.mend()
})

test('cut again and again it goes on, each time by the way that works', async () => {
  let cuts = 0
  for (const [way, other] of [
    [direct, relayed],
    [relayed, direct],
  ] as const)
    Object.assign(way, {
      bytesOut: 0,
      isOver: ({ bytesOut }: Way) => {
        if (bytesOut < OUT / 8) return false
        cuts += 1
        way.bytesOut = 0
        void other.cut().catch(() => {})
        queueMicrotask(
          () =>
            void way
              .mend()
              .then(() => other.mend())
              .catch(() => {}),
        )
        return true
      },
    })
  const before = requests
  expect(await ask()).toEqual({ status: 200, isWhole: true })
  expect([requests - before, cuts > 0]).toEqual([1, true])
})

test('cut while nothing is asked, it is given up at once: the next request looks for a way itself', async () => {
  const channels: Channel[] = []
  const client = connection((channel) => channels.push(channel))
  await askOver(client)
  const closed = once(channels[0] as Channel, 'close')
  await direct.cut()
  await relayed.cut()
  await closed
  await expect(askOver(client)).rejects.toThrow('ECONNREFUSED')
  await Promise.all([direct.mend(), relayed.mend()])
  expect(await askOver(client)).toEqual({ status: 200, isWhole: true })
  await client.destroy()
})

test.skipIf(!isLong)(
  'a way that goes silent is left within 30 s (needs a long run)',
  async () => {
    const before = requests
    const isOver = (way: Way) => {
      way.isSilent ||= way.bytesOut > OUT / 3
      return false
    }
    Object.assign(direct, { bytesOut: 0, isOver })
    const asked = ask()
    await until(() => direct.isSilent)
    expect(await asked).toEqual({ status: 200, isWhole: true })
    expect(requests - before).toBe(1)
    await direct.cut()
    await direct.mend()
  },
  60_000,
)

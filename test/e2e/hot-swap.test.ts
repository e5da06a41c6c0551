import { X509Certificate } from 'node:crypto'
import { Agent } from 'node:https'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Identity } from '../../daemon/listener/identities.ts'
import { upToConnections } from '../support/client-connections.ts'
import { until } from '../support/daemon.ts'
import { KEY, startDataPlane } from '../support/data-plane.ts'
import { sampled } from '../support/effort.ts'
import {
  completion,
  DONE,
  type FakeUpstream,
  frame,
  STREAM_HEADERS,
  sendJson,
  startFakeUpstream,
} from '../support/fake-upstream.ts'
import { makeIdentity, swappableIdentities } from '../support/identities.ts'
import { type Answered, type Asking, ask1, ask2, openHttp2, shakeHands } from '../support/tls-clients.ts'

// Certificates change a hundred times while clients ask, over connections that stay and over new ones: nothing fails,
// no stream is cut, and who connects after a change is shown the new certificate.

const SWAPS = sampled(25, 100)
const STREAMS_OF_EACH = 10
/** Requests that must have been answered between two swaps. */
const BETWEEN = 10
const KINDS = ['ec', 'rsa', 'ec', 'rsa'] as const
const certificates = KINDS.map((kind) => makeIdentity(['ai.example.org'], kind))
const [first = expect.unreachable('there are certificates')] = certificates
const served = swappableIdentities([first])
const fingerprint = ({ cert }: Identity) => new X509Certificate(cert).fingerprint256

let hasSwapped = false
let upstream: FakeUpstream
let gate: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  upstream = await startFakeUpstream((request, response) => {
    if (JSON.parse(request.body).stream !== true) return sendJson(response, 200, completion('whole'))
    response.writeHead(200, STREAM_HEADERS)
    let next = 0
    const timer = setInterval(() => {
      response.write(frame({ content: `#${next} ` }))
      next += 1
      if (!hasSwapped) return
      clearInterval(timer)
      response.end(frame({ content: `=${next}` }, 'stop') + DONE)
    }, 20)
    response.on('close', () => clearInterval(timer))
  })
  const upstreams = { mock: { provider: 'custom', base_url: upstream.url, api_key: 'key', models: ['mock'] } }
  gate = await startDataPlane(
    { upstreams },
    { identities: served.identities, limits: { connections: upToConnections(1_000) } },
  )
  await gate.refresh()
})
afterAll(async () => {
  await gate?.stop()
  await upstream?.close()
})

const chat = (stream: boolean): Asking => ({
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'mock', stream, messages: [{ role: 'user', content: 'hello' }] }),
})

test(`${SWAPS} swaps under load: nothing fails, no stream is cut`, async () => {
  const kept = new Agent({ keepAlive: true, maxSockets: 4 })
  const sessions = [await openHttp2(gate.url), await openHttp2(gate.url)]
  const [session = expect.unreachable('there are sessions')] = sessions
  const failures: unknown[] = []
  let answered = 0
  const load = async (ask: () => Promise<Answered>) => {
    while (!hasSwapped) {
      await ask().then(
        ({ status }) => {
          answered += 1
          if (status !== 200) failures.push(status)
        },
        (error: unknown) => failures.push(error),
      )
    }
  }
  const overNewHttp2 = async () => {
    const own = await openHttp2(gate.url)
    try {
      return await ask2(own, chat(false))
    } finally {
      own.close()
    }
  }
  const loads = [
    ...Array.from({ length: 4 }, () => load(() => ask1(gate.url, chat(false), kept))),
    ...sessions.flatMap((one) => [load(() => ask2(one, chat(false))), load(() => ask2(one, chat(false)))]),
    load(() => ask1(gate.url, chat(false))),
    load(overNewHttp2),
  ]
  const streams = Array.from({ length: STREAMS_OF_EACH }, () => [
    ask1(gate.url, chat(true)),
    ask2(session, chat(true)),
  ]).flat()

  const shown: boolean[] = []
  for (let swap = 1; swap <= SWAPS; swap += 1) {
    const identity = certificates[swap % certificates.length] ?? first
    served.swap([identity])
    const socket = await shakeHands(gate.url)
    shown.push(socket.getPeerX509Certificate()?.fingerprint256 === fingerprint(identity))
    socket.destroy()
    const enough = answered + BETWEEN
    await until(() => answered >= enough || failures.length > 0)
  }
  hasSwapped = true
  await Promise.all(loads)
  const whole = await Promise.all(streams)

  expect(failures).toEqual([])
  expect(shown.filter((isNew) => !isNew)).toEqual([])
  expect(answered).toBeGreaterThanOrEqual(SWAPS * BETWEEN)
  expect(whole.filter((answer) => !isWhole(answer))).toEqual([])
  expect(sessions.every((one) => !one.closed && !one.destroyed)).toBe(true)
  for (const one of sessions) one.destroy()
  kept.destroy()
})

/** Whether every number of a stream came, in order, as many as its end says, and then its end. */
function isWhole({ status, text }: Answered): boolean {
  const numbers = Array.from(text.matchAll(/#(\d+) /g), ([, number]) => Number(number))
  const count = Number(/=(\d+)/.exec(text)?.[1])
  return (
    status === 200 &&
    count > 0 &&
    numbers.length === count &&
    numbers.every((n, i) => n === i) &&
    text.includes(DONE.trim())
  )
}

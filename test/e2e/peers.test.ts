import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import { readInvitation } from '../../ctl/commands/peer/invitation.ts'
import type { usageReport } from '../../schemas/admin-usage.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { gatectl } from '../support/gatectl.ts'
import { type Fleet, type RelayedDaemon, startFleet, startRelayedDaemon } from '../support/relayed-daemon.ts'
import { startWay, type Way } from '../support/way.ts'

const PART = { id: 'x', created: 1, model: 'mock' }
const WHOLE = { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'lent' } }
const USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }

/** A request has come to the engine; it goes on when the test says so. */
let arrived = Promise.withResolvers<void>()
/** The client has the first bytes of its answer. */
let begun = Promise.withResolvers<void>()
let go: Promise<void> = Promise.resolve()
let goOn: Promise<void> = Promise.resolve()

async function streamTo(response: ServerResponse): Promise<void> {
  const say = (delta: object, more: object = {}) =>
    response.write(
      `data: ${JSON.stringify({ ...PART, object: 'chat.completion.chunk', choices: [{ index: 0, delta }], ...more })}\n\n`,
    )
  response.setHeader('content-type', 'text/event-stream')
  say({ role: 'assistant', content: 'le' })
  await goOn
  say({ content: 'nt' })
  say({}, { usage: USAGE })
  response.end('data: [DONE]\n\n')
}

let fleet: Fleet
let lender: RelayedDaemon
let borrower: Daemon
let engine: FakeUpstream
let way: Way
const at = ({ stateDirectory }: Daemon) => ({ env: { GATE_ADMIN_SOCKET: join(stateDirectory, 'admin.sock') } })
const ctl = async (daemon: Daemon, args: string, stdin?: string) => {
  const run = await gatectl(args.split(' '), { ...at(daemon), ...(stdin !== undefined && { stdin }) })
  if (run.code !== 0) throw new Error(`gatectl ${args}: ${run.stderr}`)
  return run.stdout
}
const nodeOf = async (daemon: Daemon) => JSON.parse(await ctl(daemon, 'peer list --json')).node_id as string
const portIn = (daemon: Daemon) =>
  Number(/"message":"listening for peers","url":"[^"]*:(\d+)"/.exec(daemon.output())?.[1])
const ask = (daemon: Pick<Daemon, 'url' | 'key'>, model: string, { text = 'hi', stream = false } = {}) =>
  fetch(`${daemon.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model,
      messages: [{ role: 'user', content: text }],
      ...(stream && { stream, stream_options: { include_usage: true } }),
    }),
  })

beforeAll(async () => {
  fleet = await startFleet(1)
  engine = await startFakeUpstream(async ({ body }, response) => {
    arrived.resolve()
    await go
    if ((JSON.parse(body) as { stream?: boolean }).stream === true) await streamTo(response)
    else sendJson(response, 200, { ...PART, object: 'chat.completion', choices: [WHOLE], usage: USAGE })
  })
  lender = await startRelayedDaemon(fleet, {
    GATE_SERVER__P2P_PORT: '0',
    GATE_UPSTREAMS__ENGINE__PROVIDER: 'vllm',
    GATE_UPSTREAMS__ENGINE__BASE_URL: engine.url,
    GATE_BUDGETS__LENT: '{"limit":"1 USD","window":"day","scope":"attached"}',
  })
  const names = join(import.meta.dirname, '../support/loopback-names.ts')
  borrower = await startDaemon({ GATE_SERVER__P2P_PORT: '0', NODE_OPTIONS: `--import=${names}` })
})
afterAll(async () => {
  expect(await borrower.stop()).toBe(0)
  expect(await lender.stop()).toBe(0)
  borrower.remove()
  lender.remove()
  await way.cut()
  await engine.close()
  await fleet.stop()
})

test('an invitation lets one gateway use another, and no key is in the arguments', async () => {
  await ctl(lender, `peer invite laptop ${await nodeOf(borrower)}`)
  await until(() => portIn(lender) > 0)
  way = await startWay(portIn(lender))
  await ctl(lender, 'peer remove laptop')
  const invitation = await ctl(
    lender,
    `peer invite laptop ${await nodeOf(borrower)} --budgets lent --address 127.0.0.1:${way.port}`,
  )
  expect(await ctl(borrower, 'peer accept home', invitation)).toContain('home/MODEL')
  const answer = await ask(borrower, 'home/engine/mock')
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'lent' } }] })
  expect(way.passed).toBeGreaterThan(0)
  const { key } = readInvitation(invitation)
  const stolen = await ask({ ...lender, key }, 'engine/mock')
  expect([stolen.status, await stolen.text()]).toEqual([403, expect.stringContaining('only by the gateway')])
})

test('when the direct way is cut it goes through the relay, and directly again when that works: no request fails', async () => {
  const statuses: number[] = []
  const many = async (count: number) => {
    for (let i = 0; i < count; i++) statuses.push((await ask(borrower, 'home/engine/mock')).status)
  }
  await many(5)
  const direct = way.passed
  await way.cut()
  await many(5)
  expect(way.passed).toBe(direct)
  await way.mend()
  await until(async () => {
    await many(1)
    return way.passed > direct
  })
  await many(5)
  expect(new Set(statuses), borrower.output()).toEqual(new Set([200]))
})

/** How many connections go through the relay. */
const visitors = () =>
  fleet.relays.flatMap(({ relay }) => relay.status()).reduce((sum, tunnel) => sum + tunnel.visitors, 0)

/** Begins a request, and cuts the direct way when `at` says so. @returns what the client got */
async function cutWhile(at: () => Promise<unknown>, asked: Parameters<typeof ask>[2] = {}): Promise<string> {
  const [before, through] = [way.passed, engine.seen.length]
  const answer = ask(borrower, 'home/engine/mock', asked).then(async ({ status, body }) => {
    let text = `${status} `
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      begun.resolve()
      text += chunk
    }
    return text
  })
  await at()
  await way.cut()
  release()
  const got = await answer
  expect(engine.seen.length - through).toBe(1)
  await way.mend()
  await until(() => way.passed > before && visitors() === 0, 10_000) // it goes directly again by itself
  return got
}
let release = () => {}
function hold(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  release = resolve
  arrived = Promise.withResolvers()
  begun = Promise.withResolvers()
  return promise
}

test('cut before the first byte of an answer, the client gets the answer, which was made once', async () => {
  go = hold()
  expect(await cutWhile(() => arrived.promise)).toMatch(/^200 .*"lent"/)
})

test('cut in a stream, the client gets the rest of it', async () => {
  goOn = hold()
  expect(await cutWhile(() => begun.promise, { stream: true })).toMatch(/^200 .*"le".*"nt".*\[DONE\]/s)
})

test('cut in a long body, the client gets the answer, which was made once', async () => {
  const bytes = way.bytesIn
  const half = Promise.withResolvers<void>()
  release = () => {}
  way.isOver = ({ bytesIn }) => {
    if (bytesIn - bytes > 2 ** 21) half.resolve()
    return false
  }
  expect(await cutWhile(() => half.promise, { text: 'x'.repeat(2 ** 22) })).toMatch(/^200 .*"lent"/)
})

test('both ledgers say the same', async () => {
  const used = async (daemon: Daemon) => {
    const { total } = JSON.parse(await ctl(daemon, 'usage --json')) as z.output<typeof usageReport>
    return [total.requests, total.input_tokens, total.output_tokens]
  }
  await until(async () => JSON.stringify(await used(borrower)) === JSON.stringify(await used(lender)), 10_000)
  const [requests = 0, input, output] = await used(lender)
  expect(requests).toBeGreaterThan(15)
  expect([input, output]).toEqual([requests * 11, requests * 7])
})

test('two that use each other do not send a request in a circle', async () => {
  const invitation = await ctl(borrower, `peer invite back ${lender.nodeId} --address 127.0.0.1:${portIn(borrower)}`)
  await ctl(lender, 'peer accept back', invitation)
  const answer = await ask(borrower, 'home/back/home/engine/mock')
  expect(answer.status).toBeGreaterThanOrEqual(400)
  expect(JSON.stringify(await answer.json())).not.toContain('lent')
  expect(borrower.output()).toContain('"status":508')
  const told = await fetch(`${lender.url}/v1/models`, { headers: { authorization: `Bearer ${lender.key}` } })
  const { data } = (await told.json()) as { data: readonly { id: string }[] }
  expect(data.map(({ id }) => id).filter((id) => /back.*home|home.*back/.test(id))).toEqual([])
})

test('a gateway whose key is not known is not let in', async () => {
  await ctl(lender, 'peer remove laptop')
  await ctl(lender, 'peer remove back')
  const answer = await ask(borrower, 'home/engine/mock')
  expect(answer.status).toBeGreaterThanOrEqual(400)
  await until(() => lender.output().includes('a gateway whose key is not known here was refused'))
})

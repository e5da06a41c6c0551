import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'
import { readInvitation } from '../../ctl/commands/peer/invitation.ts'
import type { usageReport } from '../../schemas/admin-usage.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { gatectl } from '../support/gatectl.ts'
import { portOf } from '../support/relay.ts'
import { type Fleet, type RelayedDaemon, startFleet, startRelayedDaemon } from '../support/relayed-daemon.ts'

/** The direct way between two gateways, which a test can cut. */
type Way = { readonly port: number; passed: number; cut: () => Promise<void>; mend: () => Promise<void> }

async function startWay(target: number): Promise<Way> {
  const sockets = new Set<Socket>()
  const way = { port: 0, passed: 0, cut, mend }
  const server: Server = createServer((socket) => {
    way.passed += 1
    const other = connectTcp(target, '127.0.0.1')
    for (const one of [socket, other]) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => {
        sockets.delete(one)
        socket.destroy()
        other.destroy()
      })
    }
    socket.pipe(other).pipe(socket)
  })
  function mend(): Promise<void> {
    return new Promise((resolve) => server.listen(way.port, '127.0.0.1', resolve))
  }
  async function cut(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await mend()
  way.port = portOf(server)
  return way
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
const ask = (daemon: Daemon, model: string, text = 'hi') =>
  fetch(`${daemon.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${daemon.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: text }] }),
  })

beforeAll(async () => {
  fleet = await startFleet(1)
  engine = await startFakeUpstream((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        id: 'x',
        object: 'chat.completion',
        created: 1,
        model: 'mock',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'lent' } }],
        usage: { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 },
      }),
    )
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
  const invitation = await ctl(lender, `peer invite laptop ${await nodeOf(borrower)} --address 127.0.0.1:${way.port}`)
  expect(await ctl(borrower, 'peer accept home', invitation)).toContain('home/MODEL')
  const answer = await ask(borrower, 'home/engine/mock')
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'lent' } }] })
  expect(way.passed).toBeGreaterThan(0)
  const { key } = readInvitation(invitation)
  const stolen = await ask({ ...lender, key }, 'engine/mock')
  expect([stolen.status, await stolen.text()]).toEqual([403, expect.stringContaining('by the gateway alone')])
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

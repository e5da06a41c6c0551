import { afterAll, beforeAll, expect, test } from 'vitest'
import { broken, startCloudflareApi, type Trouble, tooOften } from '../support/cloudflare-api.ts'
import { until } from '../support/daemon.ts'
import { isLong } from '../support/effort.ts'
import { DOMAIN, type TestNode } from '../support/relay.ts'
import { type RelayProgram, startAnsweringNode, startRelayProgram } from '../support/relay-program.ts'

const TOKEN = 'token-of-the-zone'
const DIGEST = 'x'.repeat(43)

let api: Awaited<ReturnType<typeof startCloudflareApi>>
let relay: RelayProgram
let nodes: readonly [TestNode, TestNode]
/** What the API does instead of its work; the time of each call. */
let trouble: (call: string, text: string) => Trouble = () => undefined
const times: number[] = []

beforeAll(async () => {
  const dns = { set: async () => {}, clear: async () => {} }
  api = await startCloudflareApi(DOMAIN, TOKEN, dns, (call, text) => {
    times.push(performance.now())
    return trouble(call, text)
  })
  relay = await startRelayProgram({
    RELAY__DNS__PROVIDER: 'cloudflare',
    RELAY__DNS__CLOUDFLARE__API: api.api,
    RELAY__DNS__CLOUDFLARE__API_TOKEN: TOKEN,
  })
  nodes = [await startAnsweringNode(relay, 'one'), await startAnsweringNode(relay, 'two')]
})
afterAll(async () => {
  for (const node of nodes ?? []) node.stop()
  await relay?.stop()
  relay?.remove()
  api?.close()
})

const setting = (node: TestNode, value = DIGEST) => node.ask({ type: 'txt-set', host: node.host, value })
const removing = (node: TestNode, value = DIGEST) => node.ask({ type: 'txt-remove', host: node.host, value })
const isMaking = (call: string) => call.startsWith('POST ')

/** Once, at the first record that is made. */
function once(instead: Trouble): void {
  trouble = (call) => {
    if (!isMaking(call)) return undefined
    trouble = () => undefined
    return instead
  }
}

test('a record comes and goes', async () => {
  const [node] = nodes
  expect(await setting(node)).toMatchObject({ result: 'ok' })
  expect(api.records()).toMatchObject([{ name: `_acme-challenge.${node.host}`, content: `"${DIGEST}"` }])
  expect(await removing(node)).toMatchObject({ result: 'ok' })
  expect(api.records()).toEqual([])
})

test('429: the API is left alone for as long as it says, by all nodes, which all get their records', async () => {
  once(tooOften(1))
  const before = api.calls.filter(isMaking).length
  const asked = nodes.map((node) => setting(node))
  await until(() => api.calls.filter(isMaking).length > before)
  const limitedAt = times.at(-1) ?? 0
  const callsThen = api.calls.length
  expect((await Promise.all(asked)).map(({ result }) => result)).toEqual(['ok', 'ok'])
  // what was on its way by then may still arrive; what came after that has waited
  const later = times.slice(callsThen).filter((at) => at - limitedAt > 900)
  expect(later.length).toBeGreaterThan(0)
  for (const at of later) expect(at - limitedAt).toBeGreaterThan(990)
  for (const node of nodes) expect(await removing(node)).toMatchObject({ result: 'ok' })
})

test('500: asked again', async () => {
  const [node] = nodes
  once(broken)
  expect(await setting(node)).toMatchObject({ result: 'ok' })
  expect(await removing(node)).toMatchObject({ result: 'ok' })
})

test('no answer for one node: the others go on meanwhile', async () => {
  const [slow, quick] = nodes
  trouble = (call, text) => (isMaking(call) && text.includes(slow.id) ? 'silent' : undefined)
  const before = api.calls.filter(isMaking).length
  const waiting = setting(slow)
  await until(() => api.calls.filter(isMaking).length > before)
  for (const value of ['a', 'b', 'c'].map((letter) => letter.repeat(43))) {
    expect(await setting(quick, value)).toMatchObject({ result: 'ok' })
    expect(await removing(quick, value)).toMatchObject({ result: 'ok' })
  }
  api.cut()
  expect(await waiting).toMatchObject({ result: 'dns-failed' })
  trouble = () => undefined
})

// half a minute, and the next sweep
test.skipIf(!isLong)(
  'no answer at all: the node is told after 30 s, and a record that may be there is removed',
  async () => {
    const [node] = nodes
    const value = 'd'.repeat(43)
    // it does its work, and its answer is lost
    trouble = (call, text) => (isMaking(call) && text.includes(value) ? 'silent' : undefined)
    api.add(`_acme-challenge.${node.host}`, value)
    node.say({ type: 'txt-set', id: 77, host: node.host, value })
    const isAnswer = (message: (typeof node.heard)[number]) => message.type === 'answer' && message.id === 77
    await until(() => node.heard.some(isAnswer), 45_000)
    expect(node.heard.find(isAnswer)).toMatchObject({ result: 'dns-failed' })
    trouble = () => undefined
    await until(() => api.records().length === 0, 75_000)
  },
  130_000,
)

test('429 for minutes: nodes are told at once, and the API is not asked until then', async () => {
  const [one, two] = nodes
  once(tooOften(300))
  expect(await setting(one)).toMatchObject({ result: 'busy' })
  const calls = api.calls.length
  expect(await setting(two)).toMatchObject({ result: 'busy' })
  expect(api.calls).toHaveLength(calls)
  expect(relay.output()).not.toContain(TOKEN)
})

test('a node that sets many records is told to wait, and another is not', async () => {
  const [one, two] = nodes
  const results = []
  for (let i = 0; i < 14; i++) results.push((await setting(one)).detail ?? '')
  expect(results.at(-1)).toBe('this node has set many records: try again later')
  expect((await setting(two)).detail).not.toBe('this node has set many records: try again later')
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../support/chat.ts'
import { type Daemon, startDaemon, until } from '../support/daemon.ts'
import { gatectl } from '../support/gatectl-process.ts'
import { readMetrics, startCollector } from '../support/otlp.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const TOKEN = 'a-system-token-for-tests'
const PROMPT = 'prompt-canary-4711'
const TRACE = 'ab'.repeat(16)
const PARENT = 'cd'.repeat(8)

let place: ReturnType<typeof temporaryDirectory>
let collector: Awaited<ReturnType<typeof startCollector>>
let gate: Daemon
const heard: (string | undefined)[] = []
const upstream = createServer((request, response) => {
  heard.push(request.headers['traceparent']?.toString())
  const usage = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 }
  const message = { role: 'assistant', content: 'answer-canary-4711' }
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(
    JSON.stringify({ id: 'x', object: 'chat.completion', model: 'gpt', usage, choices: [{ index: 0, message }] }),
  )
})

beforeAll(async () => {
  place = temporaryDirectory()
  collector = await startCollector()
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  const own = { provider: 'custom', base_url: `http://127.0.0.1:${port}/v1`, models: ['gpt'] }
  place.write('declared.json', JSON.stringify({ upstreams: { own }, telemetry: { interval: '1s' } }))
  const env = { GATE_AUTH__TOKEN: TOKEN, GATE_TELEMETRY__HEADERS: 'authorization=Bearer%20collector-key,x-scope=a' }
  gate = await startDaemon({ ...env, GATE_TELEMETRY__ENDPOINT: collector.url }, place.path)
}, 30_000)
afterAll(async () => {
  await gate.stop()
  await collector.close()
  upstream.close()
  place.remove()
})

const ask = (more: Record<string, string> = {}, body = chatBody(PROMPT, { model: 'own/gpt' })) =>
  fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...more },
    body,
  }).then((response) => response.text())

test('a trace goes from the client through Gate to the upstream, and no word of the prompt is in it', async () => {
  await ask({ traceparent: `00-${TRACE}-${PARENT}-01` })
  await until(() => collector.spans().length >= 5)
  const spans = collector.spans()
  const own = spans.find(({ kind }) => kind === 'SPAN_KIND_SERVER')
  expect(own).toMatchObject({
    name: 'POST /v1/chat/completions',
    traceId: TRACE,
    parentSpanId: PARENT,
    attributes: { 'http.response.status_code': 200, 'http.route': '/v1/chat/completions' },
  })
  expect(spans.filter((span) => span !== own).map(({ name }) => name)).toEqual([
    'authenticate',
    'admit',
    'route',
    'chat gpt',
  ])
  const attempt = spans.find(({ kind }) => kind === 'SPAN_KIND_CLIENT')
  expect(attempt).toMatchObject({
    traceId: TRACE,
    parentSpanId: own?.spanId,
    attributes: { 'gen_ai.usage.input_tokens': 12, 'gen_ai.usage.output_tokens': 3, 'gen_ai.request.model': 'gpt' },
  })
  expect(heard.at(-1)).toBe(`00-${TRACE}-${attempt?.spanId}-01`)
  const [post] = collector.posts
  expect(post).toMatchObject({ path: '/v1/traces', headers: { authorization: 'Bearer collector-key', 'x-scope': 'a' } })
  for (const { body } of collector.posts) {
    for (const word of [PROMPT, 'answer-canary', TOKEN, 'collector-key']) expect(body.includes(word)).toBe(false)
  }
})

test('a client that does not want to be traced is not, and its own header goes on', async () => {
  const before = collector.spans().length
  await ask({ traceparent: `00-${TRACE}-${PARENT}-00` })
  expect(heard.at(-1)).toBe(`00-${TRACE}-${PARENT}-00`)
  await ask({ traceparent: `00-${'ef'.repeat(16)}-${PARENT}-01` })
  await until(() => collector.spans().length > before)
  expect(
    collector
      .spans()
      .slice(before)
      .every(({ traceId }) => traceId === 'ef'.repeat(16)),
  ).toBe(true)
})

test('the trace of a client counts once it has shown who it is', async () => {
  const before = collector.spans().length
  const [anonymous, known] = ['12'.repeat(16), '34'.repeat(16)]
  await ask({ traceparent: `00-${anonymous}-${PARENT}-01`, authorization: 'Bearer wrong' })
  await ask({ traceparent: `00-${known}-${PARENT}-01` })
  await until(() => collector.spans().some(({ traceId }) => traceId === known))
  expect(
    new Set(
      collector
        .spans()
        .slice(before)
        .map(({ traceId }) => traceId),
    ),
  ).toEqual(new Set([known]))
})

test('the metrics are those of /metrics, under the names of the conventions', async () => {
  const ofMetrics = () => collector.posts.filter(({ path }) => path === '/v1/metrics')
  const names = () => ofMetrics().flatMap(({ body }) => readMetrics(body).map(({ name }) => name))
  await until(() => names().includes('gen_ai.client.token.usage'))
  const latest = readMetrics(ofMetrics().at(-1)?.body ?? Buffer.alloc(0))
  for (const name of ['gen_ai.client.operation.duration', 'gen_ai.server.request.duration', 'gate_requests_total'])
    expect(latest.map((metric) => metric.name)).toContain(name)
  const { dataPoints: [input] = [] } = latest.find(({ name }) => name === 'gen_ai.client.token.usage')?.histogram ?? {}
  expect(input?.bucketCounts?.reduce((a, b) => a + b)).toBe(input?.count)
})

test('a collector that is down holds no request up, and is switched off while the daemon runs', async () => {
  collector.answer(...Array.from({ length: 50 }, () => ({ status: 503, headers: { 'retry-after': '1' } })))
  for (let i = 0; i < 20; i += 1) expect(await ask()).toContain('answer-canary')
  const admin = ['--socket', place.file('admin.sock')]
  const set = await gatectl(['config', 'set', 'telemetry.traces', 'false', ...admin])
  expect(set.code).toBe(0)
  await ask({ traceparent: `00-${TRACE}-${PARENT}-01` })
  expect(heard.at(-1)).toBe(`00-${TRACE}-${PARENT}-01`)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { chatBody } from '../../../support/chat.ts'
import { KEY, startDataPlane } from '../../../support/data-plane.ts'
import { DONE, type FakeUpstream, frame, STREAM_HEADERS, startFakeUpstream } from '../../../support/fake-upstream.ts'

const REPORT = `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 11, completion_tokens: 5 } })}\n\n`

let upstream: FakeUpstream
let plane: Awaited<ReturnType<typeof startDataPlane>>
beforeAll(async () => {
  // as engines do: reports when it is asked to
  upstream = await startFakeUpstream(({ body }, response) => {
    const asked = JSON.parse(body).stream_options?.include_usage === true
    response.writeHead(200, STREAM_HEADERS)
    response.write(frame({ content: 'a' }) + frame({ content: 'b' }))
    response.end(frame({}, 'stop') + (asked ? REPORT : '') + DONE)
  })
  const at = (provider: string) => ({ provider, base_url: upstream.url, models: [`of-${provider}`] })
  plane = await startDataPlane({ upstreams: { vllm: at('vllm'), custom: at('custom') } })
})
afterAll(async () => {
  await plane.stop()
  await upstream.close()
})

test.each([
  { name: 'asks nothing', provider: 'vllm', options: {}, reported: true, shown: false },
  { name: 'asks', provider: 'vllm', options: { stream_options: { include_usage: true } }, reported: true, shown: true },
  { name: 'asks nothing', provider: 'custom', options: {}, reported: false, shown: false },
])('B10: a client of $provider that $name (report shown: $shown)', async ({ provider, options, reported, shown }) => {
  plane.rows.length = 0
  const answer = await fetch(`${plane.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: chatBody('hi', { model: `of-${provider}`, stream: true, ...options }),
  })
  const text = await answer.text()
  expect(text).toBe(
    frame({ content: 'a' }) + frame({ content: 'b' }) + frame({}, 'stop') + (shown ? REPORT : '') + DONE,
  )
  const counted = reported
    ? { inputTokens: 11, outputTokens: 5, estimated: false }
    : { outputTokens: 2, estimated: true }
  expect(plane.rows).toMatchObject([counted])
})

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDataPlane } from './data-plane.ts'
import { completion, sendJson } from './fake-upstream.ts'
import { stall, startStallMeter } from './stall-meter.ts'

// A data plane in a process of its own, in front of an upstream that reads nothing of what it is sent. Says where it
// listens, then answers each message with what happened since the last one.

/** A stall that a test asks for, to see that it is noticed. */
const PLANTED_MS = 150

const upstream = createServer((request, response) => {
  request.resume()
  request.on('end', () => sendJson(response, 200, completion('ok')))
})
await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
const base_url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`
const plane = await startDataPlane({
  upstreams: { mock: { provider: 'custom', base_url, models: ['m', 'n'] } },
  models: { other: { targets: [{ upstream: 'mock', model: 'n' }] } },
})

const meter = startStallMeter()

process.on('message', (order: 'measure' | 'stall') => {
  if (order === 'stall') {
    stall(PLANTED_MS)
    return
  }
  const longestStallMs = meter.take()
  globalThis.gc?.()
  plane.rows.length = 0
  plane.lines.length = 0
  process.send?.({ longestStallMs, rssBytes: process.memoryUsage.rss() })
  meter.begin() // the collection just asked for is none of what is measured
})
process.once('disconnect', () => process.exit())
process.send?.({ url: plane.url })

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startDataPlane } from './data-plane.ts'
import { completion, sendJson } from './fake-upstream.ts'

// A data plane in a process of its own, in front of an upstream that reads nothing of what it is sent. Says where it
// listens, then answers each message with what happened since the last one.

const LOOK_MS = 5

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

let longestStallMs = 0
let last = performance.now()
let cpu = process.threadCpuUsage()
setInterval(() => {
  const now = performance.now()
  const { user, system } = process.threadCpuUsage(cpu)
  // what this thread itself worked: time that the machine gave to others is no stall of ours
  longestStallMs = Math.max(longestStallMs, Math.min(now - last, (user + system) / 1_000))
  last = now
  cpu = process.threadCpuUsage()
}, LOOK_MS)

process.on('message', () => {
  globalThis.gc?.()
  plane.rows.length = 0
  plane.lines.length = 0
  process.send?.({ longestStallMs, rssBytes: process.memoryUsage.rss() })
  longestStallMs = 0
  // the collection just asked for is none of what is measured
  last = performance.now()
  cpu = process.threadCpuUsage()
})
process.once('disconnect', () => process.exit())
process.send?.({ url: plane.url })

// Load for the lab, run inside it by the Node under test: node load.ts URL TOKEN. Some clients keep their connection
// and never pause, some open one per request, many keep it and pause, which is when a server that stops may close it
// under them. It runs until its input closes, then prints one line of JSON and exits.
import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout } from 'node:timers/promises'

export type LoadResult = {
  readonly requests: number
  /** What went wrong -> how often. Nothing is retried. */
  readonly failures: Readonly<Record<string, number>>
  readonly connections: number
  readonly slowestMs: number
}

const KINDS = [
  { clients: 4, keepAlive: true, longestPauseMs: 0 },
  { clients: 4, keepAlive: false, longestPauseMs: 0 },
  { clients: 100, keepAlive: true, longestPauseMs: 2_000 },
]

const [url = '', token = ''] = process.argv.slice(2)
const failures: Record<string, number> = {}
const { Agent, request } = url.startsWith('https:') ? https : http
let requests = 0
let connections = 0
let slowestMs = 0
let running = true

function get(agent: http.Agent | false): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onResponse = (response: http.IncomingMessage) => {
    response.resume()
    response.on('error', reject)
    response.on('close', () => {
      if (!response.complete) reject(new Error('response cut off'))
      else if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
      else resolve()
    })
  }
  const sent = request(url, { agent, headers: { authorization: `Bearer ${token}` } }, onResponse)
  sent.on('socket', (socket) => {
    if (socket.connecting) connections++
  })
  sent.on('error', reject)
  sent.end()
  return promise
}

async function client(keepAlive: boolean, longestPauseMs: number): Promise<void> {
  const agent = keepAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false
  while (running) {
    const startMs = performance.now()
    requests++
    await get(agent).catch((error: NodeJS.ErrnoException) => {
      const name = error.code ?? error.message
      failures[name] = (failures[name] ?? 0) + 1
    })
    slowestMs = Math.max(slowestMs, performance.now() - startMs)
    if (longestPauseMs > 0) await setTimeout(Math.random() * longestPauseMs)
  }
  if (agent !== false) agent.destroy()
}

process.stdin.resume().on('end', () => {
  running = false
})
await Promise.all(
  KINDS.flatMap(({ clients, keepAlive, longestPauseMs }) =>
    Array.from({ length: clients }, () => client(keepAlive, longestPauseMs)),
  ),
)
console.log(JSON.stringify({ requests, failures, connections, slowestMs: Math.round(slowestMs) } satisfies LoadResult))

// Load for the lab, run inside it by the Node under test: node load.ts URL CLIENTS. Half of the clients keep their connection,
// half open one per request. It runs until its input closes, then prints one line of JSON and exits.
import { Agent, type IncomingMessage, request } from 'node:http'

export type LoadResult = {
  readonly requests: number
  /** What went wrong -> how often. Nothing is retried. */
  readonly failures: Readonly<Record<string, number>>
  readonly connections: number
  readonly slowestMs: number
}

const [url = '', clients = '8', token = ''] = process.argv.slice(2)
const failures: Record<string, number> = {}
let requests = 0
let connections = 0
let slowestMs = 0
let running = true

function get(agent: Agent | false): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onResponse = (response: IncomingMessage) => {
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

async function client(keepsConnection: boolean): Promise<void> {
  const agent = keepsConnection ? new Agent({ keepAlive: true, maxSockets: 1 }) : false
  while (running) {
    const startMs = performance.now()
    requests++
    await get(agent).catch((error: NodeJS.ErrnoException) => {
      const name = error.code ?? error.message
      failures[name] = (failures[name] ?? 0) + 1
    })
    slowestMs = Math.max(slowestMs, performance.now() - startMs)
  }
  if (agent !== false) agent.destroy()
}

process.stdin.resume().on('end', () => {
  running = false
})
await Promise.all(Array.from({ length: Number(clients) }, (_, i) => client(i % 2 === 0)))
console.log(JSON.stringify({ requests, failures, connections, slowestMs: Math.round(slowestMs) } satisfies LoadResult))

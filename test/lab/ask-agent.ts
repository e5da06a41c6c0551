// Runs in a lab: asks a gate-agent as the daemon would, with the installed client. node ask-agent.ts SOCKET METHOD
// [JSON]... Writes each answer as a line of JSON; a refusal as {"code","message"} with exit code 1. SIGTERM gives up.
import type { AgentClient } from '../../daemon/backends/agent-client.ts'

const CLIENT = '/usr/lib/gate/dist/daemon/backends/agent-client.js'

async function main(socket: string, method: string, args: readonly string[]): Promise<void> {
  const { agentClient } = (await import(CLIENT)) as { agentClient: (socket: string) => AgentClient }
  const client = agentClient(socket)
  const giveUp = new AbortController()
  process.on('SIGTERM', () => giveUp.abort())
  const { signal } = giveUp
  const [first, second] = args.map((arg) => JSON.parse(arg))
  switch (method) {
    case 'status':
      return print(await client.status(signal))
    case 'start':
    case 'stop':
    case 'restart':
      return print((await client[method](signal, first)) ?? 'done')
    case 'gc':
      return print(await client.gc(signal, first))
    case 'pull':
      for await (const line of client.pull(signal, first)) print(line)
      return
    case 'logs':
    case 'events':
      for await (const entry of client[method](first, signal)) print(entry)
      return
    default:
      throw new Error(`no method ${method} ${second}`)
  }
}

function print(value: unknown): void {
  console.log(JSON.stringify(value))
}

const [socket = '', method = '', ...args] = process.argv.slice(2)
await main(socket, method, args).catch((error) => {
  print({ code: error.code, message: error.message })
  process.exitCode = 1
})

import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { AgentError, agentClient } from '../../daemon/backends/agent-client.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

const never = new AbortController().signal

function socketPath(): string {
  const { file, remove } = temporaryDirectory()
  onTestFinished(remove)
  return file('agent.sock')
}

/** An agent that is not what it should be. @returns the path of its socket and the connections made to it */
function dishonestAgent(behave: (socket: Socket) => void) {
  const path = socketPath()
  const connections: Socket[] = []
  const server = createServer((socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.resume()
    behave(socket)
  })
  server.listen(path)
  onTestFinished(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return { path, connections }
}

const UNIT =
  '{"type":"unit","unit":"a.service","load":"loaded","active":"active","sub":"running","result":"success","exit_status":0,"restarts":0}\n'

test.each([
  { name: 'no JSON', says: 'hello\n', code: 'BAD_ANSWER' },
  { name: 'another shape', says: '{"type":"unit","unit":1}\n', code: 'BAD_ANSWER' },
  { name: 'the answer to something else', says: '{"type":"exit","code":0}\n', code: 'BAD_ANSWER' },
  { name: 'answers without end', says: UNIT.repeat(1000), code: 'BAD_ANSWER' },
  { name: 'a line without end', says: 'x'.repeat(200_000), code: 'BAD_ANSWER' },
  { name: 'a code that does not exist', says: '{"type":"error","code":"X","message":""}\n', code: 'BAD_ANSWER' },
  { name: 'its own refusal', says: '{"type":"error","code":"FAILED","message":"no such unit"}\n', code: 'FAILED' },
])('an agent that answers with $name', async ({ says, code }) => {
  const { path, connections } = dishonestAgent((socket) => socket.write(says))
  await expect(agentClient(path).status(never)).rejects.toMatchObject({ name: 'AgentError', code })
  await vi.waitUntil(() => connections.every((socket) => socket.destroyed))
})

test('an agent that dies in the middle of its answer', async () => {
  const { path } = dishonestAgent((socket) => socket.write(UNIT, () => socket.destroy()))
  await expect(agentClient(path).status(never)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
})

test('an agent that is not there', async () => {
  const client = agentClient(socketPath())
  await expect(client.start(never)).rejects.toBeInstanceOf(AgentError)
  await expect(client.start(never)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
})

test('a caller that gives up hears its own reason, and the connection is closed', async () => {
  const { path, connections } = dishonestAgent(() => {})
  const caller = new AbortController()
  const waiting = agentClient(path).start(caller.signal)
  await vi.waitUntil(() => connections.length === 1)
  caller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await vi.waitUntil(() => connections[0]?.destroyed)
})

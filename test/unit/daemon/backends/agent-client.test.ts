import { expect, onTestFinished, test, vi } from 'vitest'
import { agentClient } from '../../../../daemon/backends/agent-client.ts'
import { AgentError } from '../../../../schemas/agent-error.ts'
import { scriptedAgent, UNIT_LINE } from '../../../support/scripted-agent.ts'
import { temporaryDirectory } from '../../../support/temporary-directory.ts'

const never = new AbortController().signal

test.each([
  { name: 'no JSON', says: 'hello\n', code: 'BAD_ANSWER' },
  { name: 'another shape', says: '{"type":"unit","unit":1}\n', code: 'BAD_ANSWER' },
  { name: 'the answer to something else', says: '{"type":"exit","code":0}\n', code: 'BAD_ANSWER' },
  { name: 'answers without end', says: UNIT_LINE.repeat(1000), code: 'BAD_ANSWER' },
  { name: 'a line without end', says: 'x'.repeat(200_000), code: 'BAD_ANSWER' },
  { name: 'a code that does not exist', says: '{"type":"error","code":"X","message":""}\n', code: 'BAD_ANSWER' },
  { name: 'its own refusal', says: '{"type":"error","code":"FAILED","message":"no such unit"}\n', code: 'FAILED' },
])('an agent that answers with $name', async ({ says, code }) => {
  const { path, connections } = scriptedAgent((socket) => socket.write(says))
  await expect(agentClient(path).status(never)).rejects.toMatchObject({ name: 'AgentError', code })
  await vi.waitUntil(() => connections.every((socket) => socket.destroyed), { timeout: 15_000 })
})

test('an agent that dies in the middle of its answer', async () => {
  const { path } = scriptedAgent((socket) => socket.write(UNIT_LINE, () => socket.destroy()))
  await expect(agentClient(path).status(never)).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
})

test('an agent that is not there', async () => {
  const { file, remove } = temporaryDirectory()
  onTestFinished(remove)
  const client = agentClient(file('none.sock'))
  await expect(client.start(never)).rejects.toBeInstanceOf(AgentError)
  await expect(client.start(never)).rejects.toMatchObject({ code: 'AGENT_UNREACHABLE' })
})

test('a caller that gives up hears its own reason, and the connection is closed', async () => {
  const { path, connections } = scriptedAgent(() => {})
  const caller = new AbortController()
  const waiting = agentClient(path).start(caller.signal)
  await vi.waitUntil(() => connections.length === 1, { timeout: 15_000 })
  caller.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await vi.waitUntil(() => connections[0]?.destroyed, { timeout: 15_000 })
})

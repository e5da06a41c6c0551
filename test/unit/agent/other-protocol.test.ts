import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { runAgent } from '../../../agent/agent.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const ALLOW = { service: 'gate-a.service', onDemand: undefined, container: 'gate-a', images: [], archive: undefined }

test('after a line that is no JSON nothing is done: the body of an HTTP request gives no orders', async () => {
  const body = '{"model":"x","messages":[\n{"op":"gc","dry_run":true}\n]}\n'
  const { answers, logged } = await answersTo(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n${body}`, 'waits')
  expect(answers).toMatchObject([{ type: 'error', code: 'BAD_REQUEST' }])
  expect(logged).toEqual([])
})

// its account put a link to this socket in place of its own: the gateway means the other backend
test.each([
  { op: 'stop', backend: 'b' },
  { op: 'shell', into: 'container', rows: 24, columns: 80, backend: 'b' },
  { op: 'status', backend: 'a.service' },
])('what is meant for the agent of another backend is not done: $op for $backend', async (request) => {
  const { answers, logged } = await answersTo(`${JSON.stringify(request)}\n`)
  expect(answers).toMatchObject([{ type: 'error', code: 'NOT_ALLOWED' }])
  expect(logged).toEqual([])
})

test('a request that names this backend gets as far as its allow-list', async () => {
  const { answers } = await answersTo('{"op":"stop","unit":"gate-b.service","backend":"a"}\n')
  expect(answers).toMatchObject([{ code: 'NOT_ALLOWED', message: 'this agent may not touch gate-b.service' }])
})

/** What an agent answers to these bytes until it hangs up, and what it logs. A caller that waits does not end first. */
async function answersTo(bytes: string, then: 'ends' | 'waits' = 'ends') {
  const directory = temporaryDirectory()
  const server = createServer().listen(directory.file('agent.sock'))
  await once(server, 'listening')
  const logged: string[] = []
  try {
    const caller = connect(directory.file('agent.sock'))
    const [socket] = (await once(server, 'connection')) as [Socket] // as node:net documents it
    caller.write(bytes)
    if (then === 'ends') caller.end()
    const answer = text(caller)
    const log = (line: string) => void logged.push(line)
    await runAgent({ socket, allow: ALLOW, instance: '1-2-0', gatewayAccount: 'gate', log })
    const lines = (await answer).trim().split('\n')
    return { answers: lines.map((line): unknown => JSON.parse(line)), logged }
  } finally {
    server.close()
    directory.remove()
  }
}

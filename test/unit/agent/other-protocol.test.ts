import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { runAgent } from '../../../agent/agent.ts'
import { serveShell } from '../../../agent/shell-connection.ts'
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

const SHELL = { op: 'shell', into: 'container', rows: 24, columns: 80 }

// its account put a link to this socket in place of its own: the admin means the other backend
test.each([
  { request: { ...SHELL, backend: 'b' }, code: 'NOT_ALLOWED' },
  { request: SHELL, code: 'BAD_REQUEST' },
  { request: { op: 'stop', backend: 'a' }, code: 'UNKNOWN_OP' },
])('opens no shell for $request', async ({ request, code }) => {
  const { answers, logged } = await answersTo(`${JSON.stringify(request)}\n`, 'ends', '1-2-0', 'shell')
  expect(answers).toMatchObject([{ type: 'error', code }])
  expect(logged).toEqual([])
})

test('an agent gives no orders on its shell socket, and opens no shell on the other', async () => {
  const { answers } = await answersTo(`${JSON.stringify({ ...SHELL, backend: 'a' })}\n`)
  expect(answers).toMatchObject([{ code: 'UNKNOWN_OP' }])
})

test('a peer that the kernel does not name opens no shell, and the journal says so', async () => {
  const { answers, logged } = await answersTo('', 'ends', '1-unknown', 'shell')
  expect(answers).toMatchObject([{ code: 'PEER_REFUSED' }])
  expect(logged).toEqual(['refused a shell to user unknown: no shell: it cannot be determined who asks'])
})

/** What an agent answers to these bytes until it hangs up, and what it logs. A caller that waits does not end first. */
async function answersTo(
  bytes: string,
  then: 'ends' | 'waits' = 'ends',
  instance = '1-2-0',
  serves: 'orders' | 'shell' = 'orders',
) {
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
    const connection = { socket, allow: ALLOW, instance, log }
    if (serves === 'orders') await runAgent({ ...connection, gatewayAccount: 'gate' })
    else await serveShell({ ...connection, accounts: { gateway: 'gate', admins: 'gate-admin' } })
    const lines = (await answer).trim().split('\n')
    return { answers: lines.map((line): unknown => JSON.parse(line)), logged }
  } finally {
    server.close()
    directory.remove()
  }
}

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { runAgent } from '../../../agent/agent.ts'
import { temporaryDirectory } from '../../support/temporary-directory.ts'

const ALLOW = { service: 'gate-a.service', onDemand: undefined, container: 'gate-a', images: [], archive: undefined }

test('after a line that is no JSON nothing is done: the body of an HTTP request gives no orders', async () => {
  const directory = temporaryDirectory()
  const server = createServer().listen(directory.file('agent.sock'))
  await once(server, 'listening')
  const logged: string[] = []
  try {
    const caller = connect(directory.file('agent.sock'))
    const [socket] = (await once(server, 'connection')) as [Socket] // as node:net documents it
    const body = '{"model":"x","messages":[\n{"op":"gc","dry_run":true}\n]}\n'
    caller.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n\r\n${body}`)
    const answer = text(caller)
    await runAgent({
      socket,
      allow: ALLOW,
      instance: '1-2-0',
      gatewayAccount: 'gate',
      log: (line) => logged.push(line),
    })
    expect(JSON.parse(await answer)).toMatchObject({ type: 'error', code: 'BAD_REQUEST' })
    expect(logged).toEqual([])
  } finally {
    server.close()
    directory.remove()
  }
})

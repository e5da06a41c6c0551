import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * A peer on a Unix socket that behaves as the test says: what no real gate-agent does, or what one says that has units.
 * The real one, with systemd and podman, is in test/lab/agent.test.ts.
 */
export function scriptedAgent(behave: (socket: Socket) => void) {
  const { file, remove } = temporaryDirectory()
  const path = file('agent.sock')
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
    remove()
  })
  return { path, connections }
}

export const UNIT_LINE =
  '{"type":"unit","unit":"a.service","load":"loaded","active":"active","sub":"running","result":"success","exit_status":0,"restarts":0}\n'
export const DONE_LINE = '{"type":"done"}\n'

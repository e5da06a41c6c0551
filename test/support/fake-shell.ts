import { chmodSync, mkdirSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { runGatectl } from '../../ctl/gatectl.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** What a shell of the backend `own` says line by line. */
export const OPENED = '{"type":"opened"}\n'
export const outputLine = (said: string) =>
  `${JSON.stringify({ type: 'output', data: Buffer.from(said).toString('base64') })}\n`
export const exitLine = (code: number) => `{"type":"exit","code":${code}}\n`

/**
 * A directory of shell sockets as a host has it, with one backend, `own`, whose shell behaves as the test says: what
 * its account may put there. The real one is in test/e2e/protocols.test.ts and the lab.
 */
export function fakeShell(behave: (socket: Socket) => void) {
  const directory = temporaryDirectory()
  const shells = directory.file('shells')
  mkdirSync(join(shells, 'own'), { recursive: true })
  chmodSync(shells, 0o755)
  const connections = new Set<Socket>()
  const server = createServer((socket) => {
    connections.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => connections.delete(socket))
    behave(socket)
  }).listen(join(shells, 'own', 'shell.sock'))
  return {
    /** As `--socket` names it; no daemon listens there. */
    admin: directory.file('admin.sock'),
    shells,
    stop: () => {
      for (const socket of connections) socket.destroy()
      server.close()
      directory.remove()
    },
  }
}

/** `gatectl backend shell` on a terminal. */
export function shellOnTerminal(admin: string, ...args: readonly string[]) {
  const raw: boolean[] = []
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (isRaw: boolean) => void raw.push(isRaw) })
  const stdout = Object.assign(new PassThrough(), { isTTY: true, rows: 30, columns: 100 })
  const stderr = new PassThrough()
  const written = Promise.all([text(stdout), text(stderr)])
  const env = { HOME: '/nowhere', TERM: 'xterm' }
  const ran = runGatectl(['backend', 'shell', '--socket', admin, ...args], {
    env,
    stdin,
    stdout,
    stderr,
    isRoot: false,
  })
  const ended = ran.then(async (code) => {
    stdout.end()
    stderr.end()
    const [screen, said] = await written
    return { code, screen, said, raw }
  })
  return { stdin, stdout, ended }
}

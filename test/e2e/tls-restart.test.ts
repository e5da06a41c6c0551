import { spawn } from 'node:child_process'
import type { ClientHttp2Session } from 'node:http2'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMPILE_CACHE, until } from '../support/daemon.ts'
import { isLong, sampled } from '../support/effort.ts'
import { makeIdentity } from '../support/identities.ts'
import { hasProgram } from '../support/programs.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'
import { type Answered, type Asking, ask1, ask2, openHttp2 } from '../support/tls-clients.ts'

// As under systemd: the sockets stay, the process is replaced, and clients over TLS notice nothing.

const RESTARTS = sampled(1, 20)
const KEY = 'a-system-token-for-tests'
const root = join(import.meta.dirname, '../..')

/** Holds the sockets, and starts the daemon again whenever it has ended; says its pid and the ports. */
const SUPERVISOR = `
import os, signal, socket, subprocess, sys
sockets = []
for _ in range(2):
    each = socket.socket()
    each.bind(('127.0.0.1', 0))
    each.listen(1024)
    sockets.append(each)
print('ports', *[each.getsockname()[1] for each in sockets], flush=True)
def pass_on():
    high = [os.dup(each.fileno()) for each in sockets]
    high = [__import__('fcntl').fcntl(fd, __import__('fcntl').F_DUPFD, 20) for fd in high]
    os.dup2(high[0], 3)
    os.dup2(high[1], 4)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='gateway:https')
    os.execv(sys.argv[1], sys.argv[1:])
ends = []
signal.signal(signal.SIGTERM, lambda *_: ends.append(True))
while not ends:
    child = os.fork()
    if child == 0:
        pass_on()
    print('pid', child, flush=True)
    while True:
        try:
            _, status = os.waitpid(child, 0)
            break
        except InterruptedError:
            pass
    print('exit', os.waitstatus_to_exitcode(status), flush=True)
`

test.skipIf(!isLong || !hasProgram('python3'))(
  `${RESTARTS} restarts under load over TLS: no request fails`,
  async () => {
    const folder = temporaryDirectory()
    const { cert, key } = makeIdentity(['ai.example.org'])
    folder.write('cert.pem', cert)
    folder.write('key.pem', key)
    const command = [process.execPath, join(root, 'bin/gate-daemon.ts'), '--declared', folder.file('declared.json')]
    const supervisor = spawn('python3', ['-c', SUPERVISOR, ...command], {
      env: {
        PATH: process.env['PATH'],
        HOME: folder.path,
        STATE_DIRECTORY: folder.path,
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        GATE_AUTH__TOKEN: KEY,
        GATE_DISCOVERY__ENABLED: 'false',
        GATE_TLS__FILES__CERT: folder.file('cert.pem'),
        GATE_TLS__FILES__KEY: folder.file('key.pem'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    supervisor.stdout.on('data', (chunk) => {
      output += chunk
    })
    const pids = () => Array.from(output.matchAll(/^pid (\d+)/gm), ([, pid]) => Number(pid))
    const readies = () => output.split('"message":"ready"').length - 1
    try {
      await until(() => readies() === 1, 20_000)
      const url = `https://127.0.0.1:${/^ports \d+ (\d+)/m.exec(output)?.[1]}`
      const failures: unknown[] = []
      let answered = 0
      let isOver = false
      const load = async (ask: () => Promise<Answered>) => {
        while (!isOver) {
          await ask().then(
            ({ status }) => {
              answered += 1
              if (status !== 200) failures.push(status)
            },
            (error: unknown) => failures.push(error),
          )
        }
      }
      const kept = new Agent({ keepAlive: true, maxSockets: 2 })
      const loads = [
        load(() => ask1(url, chat(), kept)),
        load(() => ask1(url, chat(), kept)),
        load(() => ask1(url, chat())),
        load(overHttp2(url)),
        load(overHttp2(url)),
        load(manyOverHttp2(url)),
      ]
      for (let restart = 1; restart <= RESTARTS; restart += 1) {
        const enough = answered + 100
        await until(() => answered >= enough, 20_000)
        process.kill(pids().at(-1) ?? 0, 'SIGTERM')
        await until(() => readies() === restart + 1, 60_000)
      }
      const enough = answered + 100
      await until(() => answered >= enough, 20_000)
      isOver = true
      await Promise.all(loads)
      kept.destroy()
      expect(failures).toEqual([])
      expect(output.match(/^exit (?!0).*/gm)).toBeNull()
    } finally {
      supervisor.kill('SIGTERM')
      const last = pids().at(-1)
      if (last !== undefined) process.kill(last, 'SIGTERM')
      await new Promise((resolve) => supervisor.once('exit', resolve))
      folder.remove()
    }
  },
  600_000,
)

const chat = (): Asking => ({
  method: 'POST',
  path: '/v1/chat/completions',
  headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
  body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] }),
})

/** Gives the connection to ask over, another one when the server has said that it goes away. */
function sessions(url: string): () => Promise<ClientHttp2Session> {
  let opening: Promise<ClientHttp2Session> | null = null
  return async () => {
    const session = opening === null ? null : await opening
    if (session === null || session.closed || session.destroyed) opening = openHttp2(url)
    return opening as Promise<ClientHttp2Session>
  }
}

/** Asks one thing after the other over one connection. */
function overHttp2(url: string): () => Promise<Answered> {
  const next = sessions(url)
  return async () => ask2(await next(), chat())
}

/**
 * Asks four things at once over one connection. One of them may cross the GOAWAY: it was not served then, and is asked
 * again, as RFC 9113 section 8.7 has it.
 */
function manyOverHttp2(url: string): () => Promise<Answered> {
  const next = sessions(url)
  const ask = async (): Promise<Answered> => {
    try {
      return await ask2(await next(), chat())
    } catch (error) {
      if (!String(error).includes('REFUSED_STREAM')) throw error
      return await ask2(await next(), chat())
    }
  }
  return async () => {
    const all = await Promise.all([ask(), ask(), ask(), ask()])
    return all.find(({ status }) => status !== 200) ?? all[0]
  }
}

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openDatabase } from '../../store/sqlite/database.ts'
import { chatBody } from '../support/chat.ts'
import { runDaemonToEnd, startDaemon, until } from '../support/daemon.ts'
import { completion, sendJson, startFakeUpstream } from '../support/fake-upstream.ts'
import { canMount, fill, mountSmall } from '../support/full-disk.ts'
import { gatectl, startGatectl } from '../support/gatectl-process.ts'
import { sendRaw } from '../support/raw-http.ts'
import { temporaryDirectory } from '../support/temporary-directory.ts'

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory()
})
afterEach(() => place.remove())

const body = chatBody('Hello from Gate')
function ask(url: string, key: string): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...(key !== '' && { authorization: `Bearer ${key}` }) }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body })
}

test('prints a key once, and it keeps working after a restart', async () => {
  const first = await startDaemon({}, place.path)
  expect(first.key).toMatch(/^gate_/)
  expect((await ask(first.url, first.key)).status).toBe(200)
  expect(await first.stop()).toBe(0)

  const second = await startDaemon({}, place.path)
  expect(second.key).toBe('')
  expect((await ask(second.url, first.key)).status).toBe(200)
  await second.stop()
  expect(first.output().split(first.key).length - 1).toBe(2) // as the key, and in the command to paste
  expect(readFileSync(place.file('gate.db'), 'latin1')).not.toContain(first.key)
})

test('under systemd no key is made, for it would stand in the journal', async () => {
  const gate = await startDaemon({ JOURNAL_STREAM: '8:1' }, place.path)
  expect(gate.output()).not.toContain('gate_')
  expect((await ask(gate.url, 'x')).status).toBe(401)
  await gate.stop()
  expect(
    gate
      .output()
      .split('\n')
      .filter((line) => line !== '' && !/^<[3467]>\{/.test(line)),
  ).toEqual([])
})

test('state is for its owner only', async () => {
  const gate = await startDaemon({}, place.path)
  for (const name of ['gate.db', 'gate.db-wal']) expect(statSync(place.file(name)).mode & 0o777).toBe(0o600)
  await gate.stop()
})

test('auth.mode none serves without a key, on loopback names only', async () => {
  const gate = await startDaemon({ GATE_AUTH__MODE: 'none' }, place.path)
  expect((await ask(gate.url, '')).status).toBe(200)
  expect((await ask(gate.url.replace('127.0.0.1', 'localhost'), '')).status).toBe(200)
  // a page of a site whose name was made to lead to 127.0.0.1
  const rebound = await sendRaw(gate.url, 'GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n')
  expect(rebound).toMatch(/^HTTP\/1\.1 421 /)
  await gate.stop()
})

// as systemd does for a socket unit: any address, whatever server.host says
const ACTIVATE = `
import os, socket, sys
s = socket.socket()
s.bind(('0.0.0.0', 0))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='gateway')
os.execv(sys.argv[1], sys.argv[1:])
`
const others = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
const outside = others.find(({ family, internal }) => family === 'IPv4' && !internal)?.address

test('sockets for TLS beside that of the gateway say nothing of server.port', async () => {
  const both = `
import os, socket, sys
sockets = [socket.socket() for _ in range(2)]
for each in sockets:
    each.bind(('127.0.0.1', 0))
    each.listen()
print('ports', *[each.getsockname()[1] for each in sockets], flush=True)
high = [os.dup2(each.fileno(), 10 + i) for i, each in enumerate(sockets)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='gateway:https')
os.execv(sys.argv[1], sys.argv[1:])
`
  const daemon = join(import.meta.dirname, '../../bin/gate-daemon.ts')
  const child = spawn('python3', ['-c', both, process.execPath, daemon], {
    env: { ...process.env, STATE_DIRECTORY: place.path, GATE_DISCOVERY__ENABLED: 'false' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  try {
    await until(() => output.includes('token by token.'), 20_000)
    const port = Number(/^ports (\d+)/m.exec(output)?.[1])
    const explained = ['config', 'explain', 'server.port', '--json', '--socket', place.file('admin.sock')]
    expect(JSON.parse((await gatectl(explained)).stdout)).toMatchObject({ value: port, winner: 'socket' })
  } finally {
    child.kill('SIGKILL')
  }
})

test.skipIf(outside === undefined)(
  'auth.mode none serves no other host, whatever socket is passed on (needs an address other than loopback)',
  async () => {
    const child = spawn(
      'python3',
      ['-c', ACTIVATE, process.execPath, join(import.meta.dirname, '../../bin/gate-daemon.ts')],
      {
        env: { ...process.env, STATE_DIRECTORY: place.path, GATE_AUTH__MODE: 'none', GATE_DISCOVERY__ENABLED: 'false' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    try {
      await until(() => output.includes('token by token.'), 20_000)
      const port = /Gate listens on http:\/\/0\.0\.0\.0:(\d+)/.exec(output)?.[1]
      const get = (host: string) =>
        sendRaw(`http://${host}:${port}`, 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
      expect(await get('127.0.0.1')).toContain('HTTP/1.1 200')
      expect(await get(outside ?? '')).toContain('HTTP/1.1 403')
    } finally {
      child.kill('SIGKILL')
    }
  },
)

test.each([
  {
    name: 'a mistyped variable',
    env: { GATE_UPSTREAM__OPENAI__API_KEY: 'CANARY-1' },
    says: 'GATE_UPSTREAMS__OPENAI__API_KEY',
  },
  { name: 'a port that is none', env: { GATE_SERVER__PORT: 'http' }, says: 'GATE_SERVER__PORT' },
  {
    name: 'no keys on every address',
    env: { GATE_AUTH__MODE: 'none', GATE_SERVER__HOST: '0.0.0.0' },
    says: 'auth.mode',
  },
  { name: 'a short token', env: { GATE_AUTH__TOKEN: 'CANARY-2' }, says: 'GATE_AUTH__TOKEN' },
  {
    name: 'an address of somebody else',
    env: { GATE_SERVER__HOST: '192.0.2.1' },
    says: 'not an address of this machine',
  },
])('refuses to start with $name, and says what to do', async ({ env, says }) => {
  const { code, output } = await runDaemonToEnd(env as Record<string, string>, place.path)
  expect(code).toBe(1)
  expect(output).toContain(says)
  expect(output).not.toContain('CANARY')
})

test.each([
  { file: 'mine.toml', text: '[server]\nport = 0\n[log]\nlevel = "warn"\n', layer: 'runtime' },
  { file: 'mine.json', text: '{ "server": { "port": 0 }, "log": { "level": "warn" } }', layer: 'declared' },
])('gatectl gateway start runs the daemon with the file that is named: $file', async ({ file, text, layer }) => {
  place.write(file, text)
  const state = place.file('state')
  const env = { GATE_DISCOVERY__ENABLED: 'false', LISTEN_PID: '1', LISTEN_FDS: '1' }
  const child = startGatectl(['gateway', 'start', '--config', place.file(file), '--state-directory', state], { env })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  try {
    await until(() => output.includes('token by token.'), 20_000)
    const ctl = (args: string) => gatectl([...args.split(' '), '--json'], { env: { STATE_DIRECTORY: state } })
    expect(JSON.parse((await ctl('status')).stdout)).toMatchObject({ pid: child.pid, state: 'ready' })
    expect(JSON.parse((await ctl('config explain log.level')).stdout)).toMatchObject({ winner: layer, value: 'warn' })
    child.kill('SIGTERM')
    expect(await exited).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})

test('gatectl gateway start names a file that is not there', async () => {
  const run = await gatectl(['gateway', 'start', '--config', place.file('none.toml')])
  expect(run).toMatchObject({ code: 1, stdout: '' })
  expect(run.stderr).toMatch(/none\.toml: not there\n {2}name a file/)
})

test('a port that is taken is named', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  const { code, output } = await runDaemonToEnd({ GATE_SERVER__PORT: String(port) }, place.path)
  expect(code).toBe(1)
  expect(output).toContain(`127.0.0.1 port ${port} is taken`)
  other.close()
})

test('an unknown flag is a usage error', async () => {
  const { code, output } = await runDaemonToEnd({}, place.path, ['--prot', '80'])
  expect(code).toBe(2)
  expect(output).toContain('Usage: gate-daemon')
})

test('a damaged database stops the start and is left alone', async () => {
  place.write('gate.db', 'not a database, but long enough to look like one with a header of its own')
  const { code, output } = await runDaemonToEnd({}, place.path)
  expect(code).toBe(1)
  expect(output).toContain('gate.db')
  expect(place.read('gate.db')).toMatch(/^not a database/)
})

test('an engine that answers on its usual loopback port is found, used, and given up when it stays away', async () => {
  const engine = await startEngine()
  const gate = await startDaemon({ GATE_DISCOVERY__ENABLED: 'true', GATE_DISCOVERY__INTERVAL: '1s' }, place.path)
  const models = async () => {
    const response = await fetch(`${gate.url}/v1/models`, { headers: { authorization: `Bearer ${gate.key}` } })
    return response.text()
  }
  await until(async () => (await models()).includes('tinyllama'))
  const answer = await fetch(`${gate.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gate.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'tinyllama', messages: [] }),
  })
  expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'from the engine' } }] })
  await engine.close()
  await until(async () => !(await models()).includes('tinyllama'), 20_000)
  await gate.stop()
})

/** An engine on the first of the usual ports that is free on this machine. */
async function startEngine() {
  for (const port of [11_434, 1_234, 8_000, 8_080]) {
    try {
      return await startFakeUpstream(
        (_, response) => sendJson(response, 200, completion('from the engine')),
        ['tinyllama'],
        port,
      )
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
  throw new Error('every usual port is taken')
}

test('the model list answers while every upstream is down, or never answers', async () => {
  const open: Socket[] = []
  const mute = createServer((socket) => void open.push(socket))
  await once(mute.listen(0, '127.0.0.1'), 'listening')
  const { port } = mute.address() as AddressInfo
  const env = {
    GATE_UPSTREAMS__OPENAI__BASE_URL: 'http://127.0.0.1:9/v1',
    GATE_UPSTREAMS__MUTE__PROVIDER: 'vllm',
    GATE_UPSTREAMS__MUTE__BASE_URL: `http://127.0.0.1:${port}/v1`,
    GATE_UPSTREAMS__MUTE__MODELS: '["qwen"]',
  }
  const gate = await startDaemon(env, place.path)
  await until(() => open.length > 0) // it is asked for its models, and does not say them
  const response = await fetch(`${gate.url}/v1/models`, { headers: { authorization: `Bearer ${gate.key}` } })
  const { data } = (await response.json()) as { data: { id: string }[] }
  expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(['echo', 'qwen']))
  await gate.stop()
  for (const socket of open) socket.destroy()
  mute.close()
})

test('relays that are switched on and not named are missed, and nothing waits for them', async () => {
  const gate = await startDaemon({ GATE_RELAY__ENABLE: 'true' }, place.path)
  await until(() => gate.output().includes('"path":"relay.addresses"'))
  expect((await fetch(`${gate.url}/health`)).status).toBe(200)
  await gate.stop()
})

test('a reader of the log that goes away does not take the daemon with it', async () => {
  const gate = await startDaemon({}, place.path)
  gate.process.stdout?.destroy()
  for (let i = 0; i < 5; i += 1) expect((await ask(gate.url, gate.key)).status).toBe(200)
  await gate.stop()
})

test('a FIFO in place of the runtime file is refused, not waited for', async () => {
  const gate = await startDaemon({}, place.path)
  execFileSync('mkfifo', [place.file('config.toml')])
  gate.process.kill('SIGHUP')
  await until(() => gate.output().includes('EINVAL'))
  expect((await ask(gate.url, gate.key)).status).toBe(200)
  await gate.stop()
})

test.skipIf(!canMount)(
  'a full disk: it starts, says so and goes on when there is room (needs root, for a small tmpfs)',
  async () => {
    const own = temporaryDirectory()
    const unmount = mountSmall(own.path)
    onTestFinished(() => {
      unmount()
      own.remove()
    })
    const filler = fill(own.path)
    const gate = await startDaemon({ GATE_AUTH__TOKEN: 'a-system-token-for-tests' }, own.path)
    try {
      expect((await fetch(`${gate.url}/health`)).status).toBe(200)
      const ready = await fetch(`${gate.url}/ready`)
      expect(ready.status).toBe(503)
      expect(await ready.json()).toMatchObject({ reason: expect.stringContaining('the disk of the state directory') })
      expect((await ask(gate.url, gate.key)).status).toBe(507)
      expect(gate.output()).toContain('the disk of the state directory is full')
      const models = await fetch(`${gate.url}/v1/models`, { headers: { authorization: `Bearer ${gate.key}` } })
      expect(models.status).toBe(200)
      rmSync(filler)
      await until(() => gate.output().includes('there is room on the disk of the state directory again'))
      expect((await ask(gate.url, gate.key)).status).toBe(200)
      expect((await fetch(`${gate.url}/ready`)).status).toBe(200)
      expect(await gate.stop()).toBe(0)
      const database = openDatabase(own.file('gate.db'))
      expect(database.prepare('SELECT count(*) FROM usage').pluck().get()).toBe(1)
      database.close()
    } finally {
      gate.process.kill('SIGKILL')
    }
  },
)

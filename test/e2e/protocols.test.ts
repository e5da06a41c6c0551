import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { agentClient } from '../../daemon/backends/agent-client.ts'
import { adminProblem } from '../../schemas/admin.ts'
import { agentAnswer, agentRequest, LONGEST_LINE_BYTES } from '../../schemas/agent.ts'
import { AgentError } from '../../schemas/agent-error.ts'
import { API_ANSWERS } from '../../schemas/api/answers.ts'
import { shellAnswer } from '../../schemas/shell.ts'
import { COMPILE_CACHE } from '../support/daemon.ts'
import { sampled } from '../support/effort.ts'
import { exitLine, fakeShell, OPENED, outputLine, shellOnTerminal } from '../support/fake-shell.ts'
import { below, broken, createRandom, mutated, pick } from '../support/fuzz.ts'
import { hasTerminals } from '../support/programs.ts'
import { scriptedAgent } from '../support/scripted-agent.ts'

const AGENT_MESSAGES = sampled(1_000, 50_000)
const SHELL_MESSAGES = sampled(300, 15_000)
const ADMIN_MESSAGES = sampled(300, 20_000)
const CLIENT_MESSAGES = sampled(300, 13_000)
const TERMINAL_MESSAGES = sampled(40, 2_000)
/** Above what a child of this kind has at its start (about 120 MB). */
const MOST_RSS_BYTES = 512 * 2 ** 20
const AT_ONCE = 8

let child: ChildProcess
let paths: { readonly agent: string; readonly shell: string; readonly admin: string }
beforeAll(async () => {
  child = fork(join(import.meta.dirname, '../support/protocols-child.ts'), {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  })
  ;[paths] = await once(child, 'message')
})
afterAll(() => child.disconnect())

type State = {
  readonly open: number
  readonly unforeseen: readonly string[]
  readonly calls: readonly string[]
  readonly rssBytes: number
}

async function stateOfChild(): Promise<State> {
  child.send({})
  return ((await once(child, 'message')) as [State])[0]
}

/**
 * After an attack: nothing is left open, nothing but what is allowed was done, and there is room for the next.
 * @returns how often a program of the host was called
 */
async function expectUnharmed(): Promise<number> {
  const done: string[] = []
  await vi.waitUntil(
    async () => {
      const { open, calls } = await stateOfChild()
      done.push(...calls)
      return open === 0
    },
    { timeout: 60_000, interval: 50 },
  )
  const { rssBytes, unforeseen, calls } = await stateOfChild()
  expect([...done, ...calls].filter((call) => !ALLOWED.some((allowed) => allowed.test(call)))).toEqual([])
  expect(unforeseen).toEqual([])
  expect(rssBytes).toBeLessThan(MOST_RSS_BYTES)
  return done.length + calls.length
}

const UNIT = 'gate-own(?:\\.service|\\.socket|-proxy\\.service)'
const ALLOWED = [
  `systemctl --user --no-pager (?:show --timestamp=unix --property=[A-Za-z,]+ --|start|stop|reset-failed)(?: ${UNIT})+`,
  'podman (?:image inspect --format=\\{\\{\\.Id\\}\\}|pull) -- example\\.org/own@sha256:1',
  'podman (?:container|image) ls [a-z= .-]+',
  'podman exec --interactive --tty --env=TERM=[A-Za-z0-9._+-]+ gate-own sh -c if command .*',
  `journalctl --quiet --no-pager --all --output=json --output-fields=[A-Z_,]+ --lines=\\d+(?: --follow)?(?: --user-unit=${UNIT})+`,
  'journalctl --quiet --no-pager --all --output=json --output-fields=[A-Z_,]+ --lines=\\d+(?: --follow)? USER_UNIT=gate-own\\.service .*',
  `journalctl --quiet --pager-end(?: --user-unit=${UNIT})+`,
].map((pattern) => new RegExp(`^${pattern}$`))

/** What a caller does with the connection after it was opened. */
const HABITS = ['waits', 'waits', 'waits', 'drips', 'cuts', 'half-closes', 'never reads'] as const
type Habit = (typeof HABITS)[number]

/**
 * Sends bytes on a connection and reads until the other side closes it, or `isEnough`.
 * @returns what came back; undefined from a caller that does not read or does not stay
 */
async function exchange(
  path: string,
  bytes: Buffer,
  { habit, random, isEnough }: { habit: Habit; random: () => number; isEnough: (text: string) => boolean },
): Promise<string | undefined> {
  const socket = connect({ path })
  socket.on('error', () => {})
  const closed = closing(socket)
  if (habit === 'never reads') {
    socket.write(bytes)
    socket.pause()
    await new Promise(setImmediate)
    socket.destroy()
    return undefined
  }
  let text = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk: string) => {
    text += chunk
    if (isEnough(text)) socket.destroy()
  })
  if (habit === 'cuts') {
    socket.write(bytes.subarray(0, below(random, bytes.length)), () => socket.destroy())
    await closed
    return undefined
  }
  if (habit === 'drips') await drip(socket, bytes, random)
  else if (habit === 'half-closes') socket.end(bytes)
  else socket.write(bytes)
  await closed
  const isTooSlow = habit === 'drips' && text === '' // for the patience that an agent has with a first request
  return habit === 'half-closes' || isTooSlow ? undefined : text
}

/** Whatever ends it. */
const closing = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

async function drip(socket: Socket, bytes: Buffer, random: () => number): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; ) {
    const end = at + 1 + below(random, Math.max(40, bytes.length / 20))
    socket.write(bytes.subarray(at, end))
    at = end
    await new Promise(setImmediate)
  }
}

/** Does the work until so many messages were sent, for several connections at a time. */
async function flood(messages: number, seed: number, work: (random: () => number) => Promise<number>): Promise<void> {
  let left = messages
  const workers = Array.from({ length: AT_ONCE }, async (_, i) => {
    const random = createRandom(seed * 1_000 + i)
    while (left > 0) {
      const sent = await work(random)
      left -= sent // read after the wait: the others have sent meanwhile
    }
  })
  await Promise.all(workers)
}

const lines = (text: string): unknown[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      expect(line.length).toBeLessThanOrEqual(LONGEST_LINE_BYTES)
      return JSON.parse(line)
    })

const ORDERS = [
  { op: 'status' },
  { op: 'status', backend: 'own' },
  { op: 'start', timeout_seconds: 5 },
  { op: 'stop', unit: 'gate-own.service', backend: 'own' },
  { op: 'restart', backend: 'own' },
  { op: 'logs', lines: 5, follow: false },
  { op: 'events', lines: 5, backend: 'own' },
  { op: 'pull', image: 'example.org/own@sha256:1' },
  { op: 'gc', dry_run: true },
  { op: 'shell', backend: 'own', into: 'container', rows: 24, columns: 80 },
]

/** Mostly one that is refused: each of the others starts programs. */
function mutatedOrder(random: () => number): unknown {
  for (;;) {
    const order = mutated(random, pick(random, ORDERS))
    if (random() < 0.05 || !agentRequest.safeParse(order).success) return order
  }
}

/** How many answers an agent ends these bytes with, and whether it hangs up then. */
function expectedEnds(bytes: Buffer): { ends: number; hangsUp: boolean } {
  let ends = 0
  for (const line of splitLines(bytes)) {
    ends++
    if (line.length > LONGEST_LINE_BYTES || !isJson(line.toString('utf8'))) return { ends, hangsUp: true }
  }
  return { ends, hangsUp: false }
}

function splitLines(bytes: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0, end = bytes.indexOf(10); end !== -1; at = end + 1, end = bytes.indexOf(10, at))
    found.push(bytes.subarray(at, end))
  return found
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const line = (message: unknown) => Buffer.from(`${JSON.stringify(message)}\n`)
const newline = Buffer.from('\n')

test(`an agent: ${AGENT_MESSAGES} messages of code in the daemon`, async () => {
  await flood(AGENT_MESSAGES, 1, async (random) => {
    const messages = Array.from({ length: 1 + below(random, 25) }, () =>
      line(random() < 0.02 ? pick(random, ORDERS) : mutatedOrder(random)),
    )
    if (random() < 0.6) messages.push(Buffer.concat([broken(random, line(pick(random, ORDERS))), newline]))
    const bytes = Buffer.concat(messages)
    const { ends, hangsUp } = expectedEnds(bytes)
    const isEnd = (answer: string) => /^\{"type":"(?:done|error)"/.test(answer)
    const endsOf = (text: string) => text.split('\n').filter(isEnd).length
    const isEnough = (text: string) => !hangsUp && text.endsWith('\n') && endsOf(text) >= ends
    const text = await exchange(paths.agent, bytes, { habit: pick(random, HABITS), random, isEnough })
    if (text !== undefined) {
      for (const answer of lines(text)) expect(agentAnswer.safeParse(answer).error).toBeUndefined()
      expect(endsOf(text), bytes.toString('latin1').slice(0, 3_000)).toBe(ends)
    }
    return messages.length
  })
  expect(await expectUnharmed()).toBeGreaterThan(AGENT_MESSAGES / 100)
  const isEnough = (text: string) => text.includes('"done"')
  const random = createRandom(0)
  expect(
    lines((await exchange(paths.agent, line(ORDERS[0]), { habit: 'waits', random, isEnough })) ?? ''),
  ).toMatchObject([{ type: 'unit', unit: 'gate-own.service', active: 'active' }, { type: 'done' }])
})

const SHELL = { op: 'shell', backend: 'own', into: 'container', rows: 24, columns: 80, term: 'xterm' }
const INPUTS = [
  { type: 'input', data: Buffer.from('hello\r').toString('base64') },
  { type: 'input', data: Buffer.from('\u001b[A').toString('base64') },
  { type: 'resize', rows: 50, columns: 132 },
]

test(`a shell: ${SHELL_MESSAGES} messages of an admin's program`, async () => {
  await flood(SHELL_MESSAGES, 2, async (random) => {
    const opens = hasTerminals && random() < 0.3
    const request =
      random() < 0.8 ? line(mutated(random, SHELL)) : Buffer.concat([broken(random, line(SHELL)), newline])
    const messages = [opens ? line(SHELL) : request]
    if (opens) {
      for (let i = below(random, 60); i > 0; i--) messages.push(line(pick(random, INPUTS)))
      const last = line(random() < 0.5 ? mutated(random, pick(random, INPUTS)) : { type: 'input', data: 'BA==' })
      messages.push(random() < 0.3 ? Buffer.concat([broken(random, last), newline]) : last)
    }
    messages.push(line({ type: 'no input, so it hangs up' })) // a request may still be right
    const bytes = Buffer.concat(messages)
    const habit = pick(random, HABITS)
    const text = await exchange(paths.shell, bytes, { habit, random, isEnough: () => false })
    if (text !== undefined) {
      const answers = lines(text).map((answer) => shellAnswer.parse(answer))
      const ends = answers.filter(({ type }) => type === 'exit' || type === 'error')
      expect(ends.length, text.slice(0, 2_000)).toBe(1)
      expect(answers.at(-1)).toBe(ends[0])
      if (opens) expect(answers[0]).toEqual({ type: 'opened' })
    }
    return messages.length
  })
  await expectUnharmed()
  const answers = lines(
    (await exchange(paths.shell, line({ ...SHELL, into: 'journal' }), {
      habit: 'waits',
      random: createRandom(0),
      isEnough: () => false,
    })) ?? '',
  )
  if (hasTerminals) expect(answers.at(-1)).toEqual({ type: 'exit', code: 0 })
})

const JOBS = [
  { method: 'GET', path: '/v1/status' },
  { method: 'POST', path: '/v1/reload' },
  { method: 'GET', path: '/v1/tokens' },
  {
    method: 'POST',
    path: '/v1/tokens',
    body: { name: 'ci', scopes: ['chat:read'], expires_at: '2030-01-01T00:00:00Z' },
  },
  { method: 'DELETE', path: '/v1/tokens/x' },
  { method: 'GET', path: '/v1/config' },
  { method: 'GET', path: '/v1/config/diff' },
  { method: 'GET', path: '/v1/config/promote' },
  { method: 'POST', path: '/v1/config/validate', body: { text: '[server]\nport = 1\n' } },
  { method: 'GET', path: '/v1/config/keys/log.level' },
  { method: 'PUT', path: '/v1/config/keys/log.level', body: { value: 'debug' } },
  { method: 'DELETE', path: '/v1/config/keys/log.level' },
  { method: 'GET', path: '/v1/usage?since=24h' },
  { method: 'GET', path: '/v1/backends/own' },
  { method: 'GET', path: '/v1/backends/logs/own?n=5' },
  { method: 'GET', path: '/v1/logs?n=5' },
] as const
const PATHS = [
  '/',
  '//',
  '/v1',
  '/v1/logs?n=-1',
  '/v1/config/keys/__proto__',
  '/v1/backends/%ff',
  '/v1/tokens/%00',
  '*',
  'x',
]

function httpText(
  { method, path, body }: { method: string; path: string; body?: unknown },
  random: () => number,
): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body)
  const length = random() < 0.9 ? Buffer.byteLength(text) : below(random, 10_000)
  const upgrade = random() < 0.05 ? 'connection: upgrade\r\nupgrade: gate-shell\r\n' : 'connection: close\r\n'
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: admin\r\n${upgrade}content-length: ${length}\r\n\r\n${text}`)
}

test(`the admin API: ${ADMIN_MESSAGES} messages of an admin's program`, async () => {
  await flood(ADMIN_MESSAGES, 3, async (random) => {
    const job: { method: string; path: string; body?: unknown } = pick(random, JOBS)
    const other = {
      ...job,
      ...(random() < 0.5 ? { body: mutated(random, job.body ?? {}) } : { path: pick(random, PATHS) }),
    }
    const whole = random() < 0.1 ? job : other
    const isWhole = random() < 0.7
    const bytes = isWhole ? httpText(whole, random) : broken(random, httpText(whole, random))
    const habit = pick(random, HABITS)
    const socket = connect({ path: paths.admin })
    socket.on('error', () => {})
    const closed = closing(socket)
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    if (habit === 'cuts') socket.write(bytes.subarray(0, below(random, bytes.length)), () => socket.destroy())
    else if (habit === 'never reads') socket.pause().write(bytes, () => socket.destroy())
    else if (habit === 'drips') await drip(socket, bytes, random).then(() => socket.end())
    else socket.end(bytes)
    await closed
    const answer = Buffer.concat(received).toString('utf8')
    if (answer !== '') expectAnswer(answer, whole)
    return 1
  })
  await expectUnharmed()
  const response = await fetchStatus()
  expect(API_ANSWERS['GET /api/admin/system'].safeParse(JSON.parse(response)).error).toBeUndefined()
})

function expectAnswer(answer: string, { method, path }: { method: string; path: string }): void {
  const [, code, head = '', body = ''] = /^HTTP\/1\.1 (\d{3}) .*\r\n([\s\S]*?)\r\n\r\n([\s\S]*)$/.exec(answer) ?? []
  expect(code, answer.slice(0, 500)).toBeDefined()
  if (!/^content-type: application\/(?:problem\+)?json/im.test(head) || /^transfer-encoding/im.test(head)) return
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1])
  if (Buffer.byteLength(body) !== length) return // cut, or several answers
  const value = JSON.parse(body)
  const shape = Object.entries(API_ANSWERS).find(([route]) => route === `${method} ${path.split('?')[0]}`)?.[1]
  if (code !== '200') expect(adminProblem.safeParse(value).error, body).toBeUndefined()
  else if (shape !== undefined) expect(shape.safeParse(value).error, body).toBeUndefined()
}

async function fetchStatus(): Promise<string> {
  const socket = connect({ path: paths.admin })
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.end('GET /v1/status HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n')
  await closing(socket)
  return text.split('\r\n\r\n')[1] ?? ''
}

const ANSWERS = [
  {
    type: 'unit',
    unit: 'a.service',
    load: 'loaded',
    active: 'active',
    sub: 'running',
    result: 'success',
    exit_status: 0,
    restarts: 0,
  },
  { type: 'log', time: '2026-11-20T12:00:00.000Z', unit: 'a.service', priority: 6, message: 'hi' },
  { type: 'event', time: '2026-11-20T12:00:00.000Z', event: 'ready' },
  { type: 'progress', message: 'half' },
  { type: 'removed', what: 'image', name: 'x' },
  { type: 'error', code: 'FAILED', message: 'no' },
  { type: 'done' },
]

test(`the daemon: ${CLIENT_MESSAGES} answers of a hostile agent`, async () => {
  let bytes: Buffer = Buffer.of()
  const agent = scriptedAgent((socket) => socket.end(bytes))
  const client = agentClient(agent.path, 'own')
  const random = createRandom(4)
  const { signal } = new AbortController()
  const all = async (entries: AsyncIterable<unknown>) => {
    for await (const _ of entries);
  }
  const calls = [
    () => client.status(signal),
    () => client.start(signal, { timeoutSeconds: 1 }),
    () => client.gc(signal),
    () => all(client.logs({ lines: 5, follow: random() < 0.5 }, signal)),
    () => all(client.events({ lines: 5, follow: false }, signal)),
    () => all(client.pull(signal)),
  ]
  for (let sent = 0; sent < CLIENT_MESSAGES; ) {
    const messages: Buffer[] = Array.from({ length: 1 + below(random, 6) }, () => {
      const answer = pick(random, ANSWERS)
      return random() < 0.5 ? line(answer) : line(mutated(random, answer))
    })
    if (random() < 0.5) messages.push(broken(random, line(pick(random, ANSWERS))))
    bytes = Buffer.concat(messages)
    sent += messages.length
    const outcome = await pick(random, calls)().catch((error: unknown) => error)
    if (outcome instanceof Error) expect(outcome, bytes.toString('latin1').slice(0, 2_000)).toBeInstanceOf(AgentError)
  }
})

test('the daemon: an agent whose answer never ends is left, and no more of it is read than is taken', async () => {
  let written = 0
  const chunk = Buffer.from(`${JSON.stringify(ANSWERS[1])}\n`.repeat(500))
  const agent = scriptedAgent((socket) => {
    const pour = () => {
      while (!socket.destroyed && written < 256 * 2 ** 20 && socket.write(chunk)) written += chunk.length
    }
    socket.on('drain', pour)
    pour()
  })
  const client = agentClient(agent.path)
  const { signal } = new AbortController()
  await expect(client.status(signal)).rejects.toMatchObject({ code: 'BAD_ANSWER' })
  let taken = 0
  for await (const _ of client.logs({ lines: 5, follow: true }, signal)) if (++taken === 2_000) break
  expect(written).toBeLessThan(64 * 2 ** 20)
})

test(`gatectl: ${TERMINAL_MESSAGES} answers of a hostile shell`, async () => {
  let bytes: Buffer = Buffer.of()
  const place = fakeShell((socket) => socket.once('data', () => socket.end(bytes)))
  const random = createRandom(5)
  const answers = [OPENED, outputLine('$ '), exitLine(0), '{"type":"error","code":"FAILED","message":"\\u001b[31m"}\n']
  try {
    for (let sent = 0; sent < TERMINAL_MESSAGES; ) {
      const messages: Buffer[] = Array.from({ length: 1 + below(random, 6) }, () => {
        const answer = pick(random, answers)
        return random() < 0.6 ? Buffer.from(answer) : line(mutated(random, JSON.parse(answer)))
      })
      if (random() < 0.7) messages.unshift(Buffer.from(OPENED))
      if (random() < 0.5) messages.push(broken(random, Buffer.from(pick(random, answers))))
      bytes = Buffer.concat(messages)
      sent += messages.length
      const { stdin, ended } = shellOnTerminal(place.admin, 'own')
      stdin.write('typed')
      const { code, said, raw } = await ended
      expect([0, 1]).toContain(code)
      expect(said).not.toContain('\u001b[31m')
      expect(raw).toEqual(raw.length === 0 ? [] : [true, false])
    }
  } finally {
    place.stop()
  }
})

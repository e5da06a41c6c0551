import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, freePort, LOAD_CORE, SERVER_CORE, startChild } from './children.ts'
import { nginxAnswers, nginxProxy } from './nginx.ts'

export const SERVERS = ['mock', 'nginx', 'bare', 'portkey', 'gate'] as const
export type ServerName = (typeof SERVERS)[number]

/** Where a request goes and what it carries; the host is 127.0.0.1. */
export type Target = {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A server that has answered its first request. */
export type Running = AsyncDisposable & {
  readonly target: Target
  readonly child: Child
  /** From starting the process to its first correct answer. */
  readonly firstAnswerMs: number
}

const PATH = '/v1/chat/completions'
const KEY = 'sk-bench-0123456789abcdef'
const PROMPT_BYTES = 300
const MESSAGES = [{ role: 'user', content: 'Tell me. '.repeat(PROMPT_BYTES).slice(0, PROMPT_BYTES) }]
export const REQUEST = { model: 'mock', messages: MESSAGES }
/** Time between two tokens of one stream: 50 tokens/s. */
export const TOKEN_INTERVAL_MS = 20

/** What a command line is made from: `directory` is the server's own and empty, `upstreamPort` is the mock's. */
type Place = { readonly directory: string; readonly port: number; readonly upstreamPort: number }
type Recipe = {
  readonly argv: (place: Place) => readonly string[]
  readonly env?: (place: Place) => Readonly<Record<string, string>>
  readonly headers?: (place: Place) => Readonly<Record<string, string>>
}

const RECIPES: Readonly<Record<Exclude<ServerName, 'mock'>, Recipe>> = {
  nginx: { argv: nginxProxy },
  bare: { argv: ({ port, upstreamPort }) => [process.execPath, script('bare.ts'), String(port), String(upstreamPort)] },
  portkey: {
    argv: ({ port }) => [
      process.execPath,
      script('peers/node_modules/@portkey-ai/gateway/build/start-server.js'),
      `--port=${port}`,
      '--headless',
    ],
    headers: ({ upstreamPort }) => ({
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstreamPort}/v1`,
    }),
  },
  gate: {
    argv: () => [process.execPath, '--disable-warning=ExperimentalWarning', script('../bin/gate-daemon.ts')],
    env: ({ directory, port, upstreamPort }) => ({
      STATE_DIRECTORY: directory,
      GATE_SERVER__PORT: String(port),
      GATE_AUTH__TOKEN: KEY,
      GATE_UPSTREAMS__BENCH__PROVIDER: 'custom',
      GATE_UPSTREAMS__BENCH__BASE_URL: `http://127.0.0.1:${upstreamPort}/v1`,
      GATE_UPSTREAMS__BENCH__MODELS: JSON.stringify([REQUEST.model]),
      GATE_DISCOVERY__ENABLED: 'false',
    }),
  },
}

/** Starts the mock of that kind: whole answers by nginx, streams by stream-mock.ts. */
export async function startMock(kind: 'answers' | 'streams', directory: string): Promise<Running> {
  const place = { directory: emptyFolder(directory, `mock-${kind}`), port: await freePort(), upstreamPort: 0 }
  const argv =
    kind === 'answers'
      ? nginxAnswers(place)
      : [process.execPath, script('stream-mock.ts'), String(place.port), String(TOKEN_INTERVAL_MS)]
  return whenAnswering(
    { name: `mock-${kind}`, core: LOAD_CORE, argv, directory: place.directory },
    targetOf(place.port),
    kind,
  )
}

/** Starts a server under test in front of `mock`. @throws Error when it does not answer in time */
export async function startServer(
  name: Exclude<ServerName, 'mock'>,
  kind: 'answers' | 'streams',
  mock: Running,
  directory: string,
): Promise<Running> {
  const recipe = RECIPES[name]
  const place = {
    directory: emptyFolder(directory, `${name}-${kind}`),
    port: await freePort(),
    upstreamPort: mock.target.port,
  }
  const env = { ...recipe.env?.(place) }
  const command = { name, core: SERVER_CORE, argv: recipe.argv(place), env, directory: place.directory }
  return whenAnswering(command, targetOf(place.port, recipe.headers?.(place)), kind)
}

const script = (path: string) => join(import.meta.dirname, path)

const targetOf = (port: number, headers: Readonly<Record<string, string>> = {}): Target => ({
  port,
  path: PATH,
  headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
  body: JSON.stringify(REQUEST),
})

function emptyFolder(directory: string, name: string): string {
  const path = join(directory, `${name}-${process.hrtime.bigint()}`)
  mkdirSync(path)
  return path
}

const START_MS = 20_000
const ASK_EVERY_MS = 2

async function whenAnswering(
  command: Parameters<typeof startChild>[0],
  target: Target,
  kind: 'answers' | 'streams',
): Promise<Running> {
  const child = startChild(command)
  try {
    for (;;) {
      if (await answersRightly(target, kind)) break
      child.assertRunning()
      if (performance.now() - child.startedMs > START_MS)
        throw new Error(`${command.name} did not answer in ${START_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
    }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
  const firstAnswerMs = performance.now() - child.startedMs
  return { target, child, firstAnswerMs, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** @returns false while nobody answers; @throws Error when the answer is not the mock's */
async function answersRightly({ port, path, headers, body }: Target, kind: 'answers' | 'streams'): Promise<boolean> {
  const asked = kind === 'answers' ? body : JSON.stringify({ ...REQUEST, stream: true, max_tokens: 1 })
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers, body: asked }).catch(
    () => undefined,
  )
  if (response === undefined || response.status === 503) return false
  const text = await response.text()
  const right = kind === 'answers' ? text.includes('how may I help you') : text.includes('[DONE]')
  if (response.status !== 200 || !right)
    throw new Error(`port ${port} answered ${response.status}: ${text.slice(0, 500)}`)
  return true
}

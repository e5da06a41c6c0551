import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, freePort, LOAD_CORE, SERVER_CORE, startChild } from './children.ts'
import { DIALECTS, type DialectName } from './dialects.ts'
import { BIFROST, LITELLM } from './install.ts'
import { nginxAnswers, nginxProxy, type TlsPlace } from './nginx.ts'

export const SERVERS = ['mock', 'nginx', 'bare', 'portkey', 'litellm', 'bifrost', 'before', 'gate'] as const
export type ServerName = (typeof SERVERS)[number]

/** Where a request goes and what it carries; the host is 127.0.0.1. */
export type Target = {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  readonly body: string
}

/** `responses` is spoken with OpenAI's own dialect for agents, `chat` with its older one, `messages` with Anthropic's. */
export const GATE_MODELS: Readonly<Record<DialectName, string>> = {
  chat: 'mock',
  messages: 'mock-messages',
  responses: 'mock-responses',
}

/** A server that has answered its first request. */
export type Running = AsyncDisposable & {
  readonly target: Target
  readonly child: Child
  /** From starting the process to its first correct answer. */
  readonly firstAnswerMs: number
}

export const KEY = 'sk-bench-0123456789abcdef'
/** Of this one the mock answers with errors only. */
export const FAILING_MODEL = 'failing'
const PROMPT_BYTES = 300
const MESSAGES = [{ role: 'user', content: 'Tell me. '.repeat(PROMPT_BYTES).slice(0, PROMPT_BYTES) }]
export const REQUEST = { model: 'mock', messages: MESSAGES }
/** Time between two tokens of one stream: 50 tokens/s. */
export const TOKEN_INTERVAL_MS = 20

/** What a command line is made from: `directory` is the server's own and empty, `upstreamPort` is the mock's. */
type Place = {
  readonly directory: string
  readonly port: number
  readonly upstreamPort: number
  readonly tls?: TlsPlace | undefined
}
type Recipe = {
  readonly argv: (place: Place) => readonly string[]
  readonly env?: (place: Place) => Readonly<Record<string, string>>
  readonly headers?: (place: Place) => Readonly<Record<string, string>>
  /** How it calls the mock's model; left out: as the mock does. */
  readonly model?: string
  /** Where Anthropic's clients go; left out: where they would. */
  readonly messagesPath?: string
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
  // its table of prices would be fetched at every start
  litellm: { argv: litellm, env: () => ({ LITELLM_LOCAL_MODEL_COST_MAP: 'True' }) },
  bifrost: { argv: bifrost, model: 'openai/mock', messagesPath: '/anthropic/v1/messages' },
  before: { argv: () => gateIn(beforeFolder()), env: gateEnvironment },
  gate: { argv: () => gateIn(script('..')), env: gateEnvironment },
}

let folderBefore = ''
/** Where the sources of the Gate are that `before` runs. */
export const setBeforeFolder = (path: string): void => {
  folderBefore = path
}

function beforeFolder(): string {
  if (folderBefore === '') throw new Error('which Gate is "before"? gateway takes --before COMMIT')
  return folderBefore
}

function gateIn(folder: string): readonly string[] {
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(folder, 'bin/gate-daemon.ts')]
}

/** Configures an upstream of each dialect, all of them the mock. */
export function gateEnvironment({ directory, port, upstreamPort, tls }: Place): Readonly<Record<string, string>> {
  const upstream = (name: string, provider: string, model: string) => ({
    [`GATE_UPSTREAMS__${name}__PROVIDER`]: provider,
    [`GATE_UPSTREAMS__${name}__BASE_URL`]: `http://127.0.0.1:${upstreamPort}/v1`,
    [`GATE_UPSTREAMS__${name}__MODELS`]: JSON.stringify([model]),
  })
  return {
    STATE_DIRECTORY: directory,
    GATE_SERVER__PORT: String(port),
    GATE_AUTH__TOKEN: KEY,
    GATE_DISCOVERY__ENABLED: 'false',
    ...(tls !== undefined && {
      GATE_TLS__HTTPS_PORT: String(tls.port),
      GATE_TLS__FILES__CERT: tls.cert,
      GATE_TLS__FILES__KEY: tls.key,
    }),
    ...upstream('BENCH', 'custom', GATE_MODELS.chat),
    ...upstream('MESSAGES', 'anthropic', GATE_MODELS.messages),
    ...upstream('RESPONSES', 'openai', GATE_MODELS.responses),
    ...upstream('FAILING', 'custom', FAILING_MODEL),
  }
}

function litellm({ directory, port, upstreamPort }: Place): readonly string[] {
  const upstream = { model: 'openai/mock', api_base: `http://127.0.0.1:${upstreamPort}/v1`, api_key: 'none' }
  const config = {
    model_list: [{ model_name: REQUEST.model, litellm_params: upstream }],
    general_settings: { master_key: KEY },
    // else an effort is refused, and clients of Anthropic's API are translated to OpenAI's Responses
    litellm_settings: { drop_params: true, use_chat_completions_url_for_anthropic_messages: true, telemetry: false },
  }
  writeFileSync(join(directory, 'config.yaml'), JSON.stringify(config)) // JSON is YAML
  return [LITELLM, '--config', 'config.yaml', '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1']
}

function bifrost({ directory, port, upstreamPort }: Place): readonly string[] {
  const key = { name: 'bench', value: 'none', models: [REQUEST.model], weight: 1 }
  const network = { base_url: `http://127.0.0.1:${upstreamPort}` }
  const config = { providers: { openai: { keys: [key], network_config: network } } }
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config))
  return [BIFROST, '-app-dir', directory, '-host', '127.0.0.1', '-port', String(port)]
}

/** Starts the mock of that kind: whole answers by nginx, streams by stream-mock.ts. @param intervalMs between tokens */
export async function startMock(
  kind: 'answers' | 'streams',
  directory: string,
  intervalMs = TOKEN_INTERVAL_MS,
): Promise<Running> {
  const place = { directory: emptyFolder(directory, `mock-${kind}`), port: await freePort(), upstreamPort: 0 }
  const argv =
    kind === 'answers'
      ? nginxAnswers(place)
      : [process.execPath, script('stream-mock.ts'), String(place.port), String(intervalMs)]
  return whenAnswering(
    { name: `mock-${kind}`, core: LOAD_CORE, argv, directory: place.directory },
    targetOf(place.port, {}),
    kind,
  )
}

/**
 * Starts a server under test in front of `mock`.
 * @param environment besides what it needs
 * @param tls for nginx and Gate
 * @throws Error when it does not answer in time
 */
export async function startServer(
  name: Exclude<ServerName, 'mock'>,
  kind: 'answers' | 'streams',
  mock: Running,
  directory: string,
  environment: Readonly<Record<string, string>> = {},
  tls?: TlsPlace,
): Promise<Running> {
  const recipe = RECIPES[name]
  const place = {
    directory: emptyFolder(directory, `${name}-${kind}`),
    port: await freePort(),
    upstreamPort: mock.target.port,
    tls,
  }
  const env = { ...recipe.env?.(place), ...environment }
  const command = { name, core: SERVER_CORE, argv: recipe.argv(place), env, directory: place.directory }
  return whenAnswering(command, targetOf(place.port, { ...recipe, headers: recipe.headers?.(place) ?? {} }), kind)
}

/** The same; null where a server is not there that others made, which is no reason to measure nothing. */
export async function startPeer(...asked: Parameters<typeof startServer>): Promise<Running | null> {
  const [name] = asked
  try {
    return await startServer(...asked)
  } catch (error) {
    if (name !== 'litellm' && name !== 'bifrost' && name !== 'portkey') throw error
    console.error(`bench: without ${name}: ${String(error)}`)
    return null
  }
}

const script = (path: string) => join(import.meta.dirname, path)

const targetOf = (
  port: number,
  {
    headers = {},
    model = REQUEST.model,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly model?: string },
): Target => ({
  port,
  path: DIALECTS.chat.path,
  headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}`, ...headers },
  model,
  body: JSON.stringify({ ...REQUEST, model }),
})

/** Where clients of a dialect find a server. */
export function pathAt(name: Exclude<ServerName, 'mock'>, dialect: DialectName): string {
  const { messagesPath } = RECIPES[name]
  return dialect === 'messages' && messagesPath !== undefined ? messagesPath : DIALECTS[dialect].path
}

function emptyFolder(directory: string, name: string): string {
  const path = join(directory, `${name}-${process.hrtime.bigint()}`)
  mkdirSync(path)
  return path
}

const START_MS = 240_000
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
async function answersRightly(
  { port, path, headers, model, body }: Target,
  kind: 'answers' | 'streams',
): Promise<boolean> {
  const asked = kind === 'answers' ? body : JSON.stringify({ ...REQUEST, model, stream: true, max_tokens: 1 })
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

// The test engine: a small OpenAI-compatible server that misbehaves when told to. It runs on Node alone, as a process
// (node engine.ts --listen PATH_OR_PORT …) and in the image that image.ts packs. `--help` lists what it can do; every
// option is also an environment variable: --start-delay-ms is ENGINE_START_DELAY_MS.
import { unlinkSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { parseArgs } from 'node:util'
import { answer, type Behaviour } from './answer.ts'

const OPTIONS = {
  listen: 'path of a Unix socket, or a TCP port (on all addresses)',
  model: 'name of its model (test-model)',
  'start-delay-ms': 'listens only after so long (0)',
  'start-exit-code': 'ends with this code instead of listening, after the delay',
  'crash-after': 'ends with code 70 when the chat request after so many comes',
  'hang-after': 'never answers chat requests after so many',
  'unhealthy-after': '/health says 503 after so many chat requests',
  'token-delay-ms': 'pause before each token (0)',
  tokens: 'how many tokens an answer has when the request has no max_tokens; 0: the words of the last message (0)',
  'stop-delay-ms': 'ends only so long after SIGTERM (0)',
  check: 'instead: asks the engine at this path or port for /health, ends with 0 when it is well',
} as const

type Option = keyof typeof OPTIONS
type Settings = (name: Option) => string | undefined

function main(): void {
  const names = Object.keys(OPTIONS) as Option[]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }] as const))
  const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } })
  const flags: Readonly<Record<string, string | boolean | undefined>> = values
  const settings: Settings = (name) => {
    const flag = flags[name]
    return typeof flag === 'string' ? flag : process.env[`ENGINE_${name.replaceAll('-', '_').toUpperCase()}`]
  }
  const check = settings('check')
  if (flags['help'] === true)
    console.log(names.map((name) => `--${name}${' '.repeat(18 - name.length)}${OPTIONS[name]}`).join('\n'))
  else if (check !== undefined) checkHealth(place(check))
  else serve(settings)
}

function serve(settings: Settings): void {
  const number = (name: Option): number | undefined => {
    const text = settings(name)
    if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text)
    throw new Error(`--${name} ${text}: write a whole number`)
  }
  const behaviour: Behaviour = {
    model: settings('model') ?? 'test-model',
    crashAfter: number('crash-after'),
    hangAfter: number('hang-after'),
    unhealthyAfter: number('unhealthy-after'),
    tokenDelayMs: number('token-delay-ms') ?? 0,
    tokens: number('tokens') ?? 0,
  }
  const listen = settings('listen')
  if (listen === undefined) throw new Error('say where: --listen PATH or --listen PORT')
  const exitCode = number('start-exit-code')
  console.log(`engine: starting ${behaviour.model}`)
  setTimeout(() => {
    if (exitCode !== undefined) {
      console.error('engine: cannot start, as told')
      process.exit(exitCode)
    }
    open(createServer(answer(behaviour)), place(listen), number('stop-delay-ms') ?? 0)
  }, number('start-delay-ms') ?? 0)
}

/** Opens the server; a signal ends it. Without this PID 1 of a container would ignore SIGTERM. */
function open(server: Server, where: Place, stopDelayMs: number): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      console.log(`engine: ${signal}`)
      setTimeout(() => process.exit(0), stopDelayMs)
    })
  if ('path' in where) removeSocket(where.path)
  server.keepAliveTimeout = 60_000
  server.listen('path' in where ? where : { ...where, host: '0.0.0.0' }, () => console.log('engine: ready'))
}

type Place = { readonly path: string } | { readonly port: number }

const place = (text: string): Place => (/^\d+$/.test(text) ? { port: Number(text) } : { path: text })

// what a killed engine left
function removeSocket(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}

function checkHealth(where: Place): void {
  const target = 'path' in where ? { socketPath: where.path } : where
  const asked = request({ ...target, path: '/health', timeout: 5_000 }, (response) => {
    process.exitCode = response.statusCode === 200 ? 0 : 1
    response.resume()
  })
  asked.on('timeout', () => asked.destroy(new Error('no answer within 5 s')))
  asked.on('error', (error) => {
    console.error(`engine: ${error.message}`)
    process.exitCode = 1
  })
  asked.end()
}

main()

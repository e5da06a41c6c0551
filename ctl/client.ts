import type { IncomingMessage } from 'node:http'
import type { AdminProblem } from '../schemas/admin.ts'
import type { ApiAnswers, ApiRouteName } from '../schemas/api/answers.ts'
import { Failure, failure } from './failure.ts'

const TIMEOUT_MS = 30_000

type Ask = {
  /** Replaces the one `{name}` of the route, or the `:` at its end. */
  readonly parameter?: string
  /** Replaces each `{name}` of the route. */
  readonly parameters?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Gives up sooner. */
  readonly signal?: AbortSignal
  /** Longest wait for the answer; 30 s when absent. */
  readonly timeoutMs?: number
}

/**
 * Speaks the admin API of schemas/admin.ts. Every method fails with Failure: no daemon, no permission, or a refusal.
 */
export type AdminClient = {
  ask<R extends ApiRouteName>(route: R, ask?: Ask): Promise<ApiAnswers[R]>
  /** The lines of an answer of newline-delimited JSON, as they arrive. */
  lines(path: string, query: Readonly<Record<string, string>>): AsyncIterable<string>
}

/** @param paths sockets to try, in order */
export function createClient(paths: readonly string[]): AdminClient {
  return {
    ask: async <R extends ApiRouteName>(route: R, { parameter = '', parameters = {}, query, ...wanted }: Ask = {}) => {
      const [method = '', pattern = ''] = route.split(' ')
      const filled = pattern.replace(/\{(\w+)\}|:$/g, (_, name: string) =>
        encodeURIComponent(parameters[name] ?? parameter),
      )
      const path = filled + queryText(query)
      const response = await send(paths, { ...wanted, method, path })
      const answer = await readJson(response)
      if (isSuccess(response)) return answer as ApiAnswers[R] // the daemon's test checks every answer's shape
      throw refusal(response, answer)
    },
    lines: async function* (path, query) {
      const response = await send(paths, { method: 'GET', path: path + queryText(query) })
      if (response.statusCode !== 200) throw refusal(response, await readJson(response))
      let rest = ''
      for await (const chunk of chunksOf(response)) {
        const lines = (rest + chunk).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    },
  }
}

const isSuccess = ({ statusCode = 0 }: IncomingMessage): boolean => statusCode >= 200 && statusCode < 300

function queryText(query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(query).toString()
  return text === '' ? '' : `?${text}`
}

type Attempt = { readonly path: string; readonly code: string }

type Request = {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

async function send(paths: readonly string[], request: Request): Promise<IncomingMessage> {
  const attempts: Attempt[] = []
  for (const socketPath of paths) {
    try {
      return await sendTo(socketPath, request)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (!UNREACHABLE.has(code)) throw lost(socketPath, error)
      attempts.push({ path: socketPath, code })
    }
  }
  throw noDaemonAnswers(attempts)
}

/** Errors of connect(2) that say that no daemon can be reached at this path. */
const UNREACHABLE = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'EPERM', 'ENOTDIR', 'ENOTSOCK'])

async function sendTo(socketPath: string, wanted: Request): Promise<IncomingMessage> {
  const { request } = await import('node:http') // not loaded by the commands that ask nothing
  const { method, path, body, signal, timeoutMs = TIMEOUT_MS } = wanted
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    const stop = signal === undefined ? {} : { signal }
    const sent = request({ socketPath, method, path, headers, agent: false, ...stop })
    const timeout = setTimeout(() => sent.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)), timeoutMs)
    sent.once('response', (response) => {
      clearTimeout(timeout)
      resolve(response)
    })
    sent.once('error', (error) => {
      clearTimeout(timeout)
      reject(error)
    })
    sent.end(text)
  })
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of chunksOf(response)) text += chunk
  if (!/^application\/(problem\+)?json\b/.test(response.headers['content-type'] ?? ''))
    throw refusal(response, undefined)
  try {
    return JSON.parse(text)
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    throw refusal(response, undefined)
  }
}

async function* chunksOf(response: IncomingMessage): AsyncIterable<string> {
  response.setEncoding('utf8')
  try {
    yield* response as AsyncIterable<string>
  } catch (cause) {
    throw lost('the admin socket', cause)
  }
}

function refusal(response: IncomingMessage, answer: unknown): Failure {
  if (typeof answer === 'object' && answer !== null && 'detail' in answer && 'code' in answer) {
    return new Failure(answer as AdminProblem) // the members that are read are there
  }
  const detail = `the socket answered ${response.statusCode}, but not as gate-daemon does`
  return failure('BAD_ANSWER', detail, { hint: 'check --socket' })
}

function lost(path: string, cause: unknown): Failure {
  const what = cause instanceof Error ? cause.message : String(cause)
  const hint = 'gatectl status shows whether the daemon is still running'
  return failure('CONNECTION_LOST', `${path}: ${what}`, { hint, cause })
}

function noDaemonAnswers(attempts: readonly Attempt[]): Failure {
  const tried = attempts.map(({ path, code }) => `${path} (${REASONS[code] ?? code})`)
  const detail = `no gate-daemon answers; tried ${tried.join(', ')}`
  const denied = attempts.find(({ code }) => code === 'EACCES' || code === 'EPERM')
  if (denied === undefined) return failure('NO_DAEMON', detail, { hint: START_HINT })
  return failure('NO_PERMISSION', detail, { hint: GROUP_HINT })
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'not there',
  ENOTDIR: 'not there',
  ECONNREFUSED: 'no program listens',
  ENOTSOCK: 'not a socket',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
}

const START_HINT =
  'start it: systemctl start gate-daemon.socket (as a service), or npm start (in a clone);\n' +
  'or name its socket: gatectl --socket PATH, or GATE_ADMIN_SOCKET'

const GROUP_HINT =
  'only members of the group gate-admin may use the socket: sudo usermod -aG gate-admin "$USER", then log in again'

import type { IncomingMessage } from 'node:http'
import { type Failure, failure } from './failure.ts'
import { ANSWER_TIMEOUT_MS, type DaemonRequest, type Transport } from './transport.ts'

/** Says who this user is, as an Authorization header; undefined: nothing does. @param ask asks the same daemon */
export type Naming = (ask: (path: string) => Promise<IncomingMessage>) => Promise<string | undefined>

/**
 * The daemon of this host, by its admin socket.
 * @param paths sockets to try, in order
 * @param naming of this user, for the audit of what is changed
 */
export function socketTransport(paths: readonly string[], naming: Naming = async () => undefined): Transport {
  return {
    to: 'the admin socket',
    remedy: 'check --socket',
    async send(request) {
      const isNoted = request.method !== 'GET'
      const named = isNoted ? await naming((path) => send(paths, { method: 'GET', path })) : undefined
      return send(paths, request, named)
    },
  }
}

type Attempt = { readonly path: string; readonly code: string }

async function send(
  paths: readonly string[],
  request: DaemonRequest,
  authorization?: string,
): Promise<IncomingMessage> {
  const attempts: Attempt[] = []
  for (const socketPath of paths) {
    try {
      return await sendTo(socketPath, request, authorization)
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

async function sendTo(
  socketPath: string,
  wanted: DaemonRequest,
  authorization: string | undefined,
): Promise<IncomingMessage> {
  const { request } = await import('node:http') // not loaded by the commands that ask nothing
  const { method, path, body, signal, timeoutMs = ANSWER_TIMEOUT_MS } = wanted
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = {
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    }
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

export function lost(path: string, cause: unknown): Failure {
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

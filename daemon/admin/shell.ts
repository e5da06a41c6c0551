import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { backendShellQuery } from '../../schemas/admin.ts'
import { type AgentAnswer, LONGEST_LINE_BYTES, shellInput } from '../../schemas/agent.ts'
import { AgentError } from '../../schemas/agent-error.ts'
import type { Log } from '../../schemas/words/log.ts'
import { LineReader, LineTooLongError } from '../../wire/line-reader.ts'
import { pacedWrite } from '../../wire/paced-write.ts'
import type { Shell } from '../backends/agent-client.ts'
import { AdminError, parseRequest, problemOf } from './error.ts'
import { type AdminBackends, agentOf } from './routes/backends.ts'

const PREFIX = '/v1/backends/shell/'
const PROTOCOL = 'gate-shell'
/** With the followers of logs below what one agent takes (16 connections), so that orders always get through. */
const MOST_SHELLS = 4
/** For the last line to go out. */
const LAST_WORDS_MS = 2_000
/** A caller that reads nothing for so long is cut off. */
const STALLED_MS = 60_000

export type ShellServer = {
  /** Takes over a connection that asks for an upgrade. Never rejects. */
  serve(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void>
}

/**
 * Shells in backends, over upgraded connections of the admin socket; the protocol is at `backendShellQuery`. Who opened
 * one and how long it lasted is logged, never what was said in it.
 * @param options.signal ends all of them
 */
export function createShellServer(options: {
  readonly backends: AdminBackends
  readonly log: Log
  readonly signal: AbortSignal
}): ShellServer {
  const { backends, log, signal } = options
  let open = 0

  async function serve(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on('error', () => {}) // 'close' follows
    let shell: Shell
    let name: string
    const left = new AbortController()
    socket.once('close', () => left.abort())
    const within = AbortSignal.any([left.signal, signal])
    open++ // before the agent is asked, so that all that ask at once are counted
    try {
      const wanted = readRequest(request)
      name = wanted.name
      if (open > MOST_SHELLS)
        throw new AdminError('TOO_MANY_SHELLS', `${MOST_SHELLS} shells are already open`, { hint: 'close one' })
      shell = await agentOf(backends, name).shell(wanted.options, within)
    } catch (error) {
      open--
      refuse(socket, error)
      return
    }
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${PROTOCOL}\r\n\r\n`)
    if (head.length > 0) socket.unshift(head)
    const startedAt = performance.now()
    log('info', 'admin opened a shell', { upstream: name })
    try {
      await carry(shell, socket, within)
    } finally {
      open--
      shell.close()
      log('info', 'admin closed a shell', { upstream: name, duration_ms: Math.round(performance.now() - startedAt) })
      setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
      socket.destroySoon()
    }
  }
  return { serve }
}

/** @throws AdminError */
function readRequest({ method, url = '', headers }: IncomingMessage) {
  const target = URL.parse(url, 'http://admin')
  const isShell = target?.pathname.startsWith(PREFIX) && method === 'GET'
  if (target === null || !isShell || headers.upgrade?.toLowerCase() !== PROTOCOL)
    throw new AdminError('BAD_REQUEST', `only ${PREFIX}NAME can be upgraded, to ${PROTOCOL}`)
  const options = parseRequest(backendShellQuery, Object.fromEntries(target.searchParams))
  return { name: decode(target.pathname.slice(PREFIX.length)), options }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw new AdminError('BAD_REQUEST', 'the path is not valid percent-encoding', { cause })
  }
}

function refuse(socket: Socket, error: unknown): void {
  const problem = problemOf(error)
  const body = `${JSON.stringify(problem)}\n`
  const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\ncontent-type: application/problem+json\r\n`
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}

/** Both directions, until the shell ends or the caller leaves. */
async function carry(shell: Shell, socket: Socket, signal: AbortSignal): Promise<void> {
  const lines = new LineReader(socket, LONGEST_LINE_BYTES)
  const over = new AbortController()
  const typing = passInput(lines, shell, over.signal)
  try {
    for (;;) {
      const next = await shell.output.next()
      if (next.done === true) {
        await send(socket, { type: 'exit', code: next.value })
        return
      }
      await send(socket, { type: 'output', data: next.value.toString('base64') })
    }
  } catch (error) {
    if (!signal.aborted) await send(socket, errorLine(error))
  } finally {
    over.abort()
    await typing
  }
}

/** Anything but input hangs up; the output then ends on its own. */
async function passInput(lines: LineReader, shell: Shell, over: AbortSignal): Promise<void> {
  try {
    for (let line = await lines.next(over); line !== undefined; line = await lines.next(over)) {
      const input = readInput(line)
      if (input === undefined) break
      await shell.send(input)
    }
  } catch (error) {
    if (!(error instanceof LineTooLongError)) throw error
  } finally {
    shell.close()
  }
}

function readInput(line: string) {
  try {
    return shellInput.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}

function errorLine(error: unknown): AgentAnswer {
  if (!(error instanceof AgentError))
    return { type: 'error', code: 'INTERNAL', message: 'the daemon failed to handle this shell' }
  const { code, message, hint } = error
  const known = code === 'AGENT_UNREACHABLE' || code === 'CONNECTION_LOST' || code === 'BAD_ANSWER' ? 'INTERNAL' : code
  return { type: 'error', code: known, message, ...(hint === undefined ? {} : { hint }) }
}

function send(socket: Socket, line: AgentAnswer): Promise<void> {
  return pacedWrite(socket, `${JSON.stringify(line)}\n`, STALLED_MS)
}

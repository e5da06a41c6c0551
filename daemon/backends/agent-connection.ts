import { connect, type Socket } from 'node:net'
import { type AgentAnswer, type AgentRequestInput, agentAnswer, LONGEST_LINE_BYTES } from '../../schemas/agent.ts'
import { AgentError } from '../../schemas/agent-error.ts'
import { type HeldSocket, holdSocket } from '../../system/held-socket.ts'
import { LineReader, LineTooLongError } from '../../wire/line-reader.ts'

/** How long an answer is waited for. */
export type Wait = {
  readonly signal: AbortSignal
  /** Longest silence of the agent. */
  readonly quietMs: number
}

/** Sends one request on a separate connection. @returns the answers before `done` */
export async function* ask(
  socketPath: string,
  request: AgentRequestInput,
  wait: Wait,
): AsyncGenerator<AgentAnswer, void> {
  const socket = await openAgent(socketPath, wait.signal)
  try {
    const lines = new LineReader(socket, LONGEST_LINE_BYTES)
    socket.write(`${JSON.stringify(request)}\n`)
    for (;;) {
      const answer = await nextAnswer(lines, wait)
      if (answer.type === 'done') return
      yield answer
    }
  } finally {
    socket.destroy()
  }
}

/** @throws AgentError AGENT_UNREACHABLE */
function openAgent(path: string, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const refuse = (cause: NodeJS.ErrnoException, message = cause.message) =>
      reject(new AgentError('AGENT_UNREACHABLE', `${path}: ${message}`, unreachableHint(cause.code), { cause }))
    let held: HeldSocket
    try {
      held = holdSocket(path)
    } catch (error) {
      if (!(error instanceof Error)) throw error
      refuse(error)
      return
    }
    const socket = connect({ path: held.at })
    held.release()
    const settle = () => {
      signal.removeEventListener('abort', giveUp)
      socket.off('error', fail)
      socket.off('connect', succeed)
    }
    const fail = (cause: NodeJS.ErrnoException) => {
      settle()
      refuse(cause, cause.message.replace(held.at, path))
    }
    const giveUp = () => {
      settle()
      socket.destroy()
      reject(signal.reason)
    }
    const succeed = () => {
      settle()
      resolve(socket)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    socket.on('error', fail)
    socket.on('connect', succeed)
  })
}

function unreachableHint(code: string | undefined): string {
  if (code === 'EACCES') return 'the daemon must run as the account that the backends were deployed for'
  return "gate-agent.socket of the backend's user does not exist: is its user manager running, and was the spec applied?"
}

/** @throws AgentError for an `error`, an answer that is none, silence and the end of the connection */
async function nextAnswer(lines: LineReader, { signal, quietMs }: Wait): Promise<AgentAnswer> {
  const silence = new AbortController()
  const timer = Number.isFinite(quietMs) ? setTimeout(() => silence.abort(), quietMs) : undefined
  let line: string | undefined
  try {
    line = await lines.next(AbortSignal.any([signal, silence.signal]))
  } catch (error) {
    if (!(error instanceof LineTooLongError)) throw error
    throw new AgentError('BAD_ANSWER', `the agent's answer: ${error.message}`, undefined, { cause: error })
  } finally {
    clearTimeout(timer)
  }
  if (line !== undefined) return parseAnswer(line)
  signal.throwIfAborted()
  if (silence.signal.aborted) throw new AgentError('TIMEOUT', `no answer from the agent within ${quietMs / 1000} s`)
  throw new AgentError('CONNECTION_LOST', 'the agent closed the connection before its answer was complete', LOST_HINT)
}

const LOST_HINT = 'journalctl -t gate-agent may say why; connections over its limit are closed without a message'

function parseAnswer(line: string): AgentAnswer {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new AgentError('BAD_ANSWER', "the agent's answer is not valid JSON", undefined, { cause })
  }
  const result = agentAnswer.safeParse(value)
  if (!result.success) throw new AgentError('BAD_ANSWER', "the agent's answer has the wrong shape")
  if (result.data.type !== 'error') return result.data
  throw new AgentError(result.data.code, result.data.message, result.data.hint)
}

/** An answer to another question. */
export function unexpected(op: string): never {
  throw new AgentError('BAD_ANSWER', `the agent's answer does not belong to ${op}`)
}

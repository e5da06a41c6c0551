import type { Socket } from 'node:net'
import type { z } from 'zod'
import type { AgentProblem } from '../schemas/agent.ts'
import { issueLines } from '../schemas/words/issue.ts'
import { LineTooLongError } from '../wire/line-reader.ts'
import { pacedWrite } from '../wire/paced-write.ts'
import { AgentRefusal } from './agent-error.ts'

/** For the first request of a connection. */
export const FIRST_REQUEST_MS = 5_000
/** A caller that does not read its answers for this long is let go. */
const STALLED_MS = 60_000
/** For a caller to read the end of the last answer. */
const LAST_WORDS_MS = 2_000

/** @returns writes an answer; resolves once there is room for more */
export function answerTo<Answer>(socket: Socket): (line: Answer) => Promise<void> {
  return (line) => pacedWrite(socket, `${JSON.stringify(line)}\n`, STALLED_MS)
}

/** Lets the last answer go out. */
export function finish(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const cut = setTimeout(() => socket.destroy(), LAST_WORDS_MS)
    socket.once('close', () => {
      clearTimeout(cut)
      resolve()
    })
    socket.destroySoon()
  })
}

/**
 * @param schema a union that `op` decides
 * @param opsHint says which there are
 * @throws AgentRefusal BAD_REQUEST, UNKNOWN_OP
 */
export function parseLine<Request>(schema: z.ZodType<Request>, line: string, opsHint: string): Request {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new AgentRefusal('BAD_REQUEST', 'the line is not valid JSON', undefined, { cause })
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [first] = result.error.issues
  if (first?.code === 'invalid_union') throw new AgentRefusal('UNKNOWN_OP', 'op: unknown', opsHint)
  const lines = issueLines(result.error, value, 'request')
  throw new AgentRefusal('BAD_REQUEST', lines.join('; ').slice(0, 1000))
}

/** What the caller is told of an error. */
export function problemOf(error: unknown): AgentProblem {
  if (error instanceof AgentRefusal) {
    const { code, message, hint } = error
    return { type: 'error', code, message, ...(hint === undefined ? {} : { hint }) }
  }
  if (error instanceof LineTooLongError) return { type: 'error', code: 'REQUEST_TOO_LONG', message: error.message }
  return { type: 'error', code: 'INTERNAL', message: 'the agent failed; the journal of its user says why' }
}

/** What the journal is told of an error: nothing of one that the caller caused. */
export function unforeseen(error: unknown): string[] {
  if (error instanceof AgentRefusal || error instanceof LineTooLongError) return []
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)]
}

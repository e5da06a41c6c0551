import type { Socket } from 'node:net'
import { type AgentAnswer, type AgentRequest, agentRequest, LONGEST_LINE_BYTES } from '../schemas/agent.ts'
import { issueLines } from '../schemas/words/issue.ts'
import { LineReader, LineTooLongError } from '../wire/line-reader.ts'
import { pacedWrite } from '../wire/paced-write.ts'
import { AgentRefusal } from './agent-error.ts'
import { type AllowList, checkBackend } from './allow-list.ts'
import type { Call } from './call.ts'
import { followEvents } from './events.ts'
import { collectGarbage, pullImages } from './images.ts'
import { followJournal } from './journal.ts'
import { isTrustedPeer, peerUid } from './peer.ts'
import { runShell } from './shell.ts'
import { runJob, unitStates } from './units.ts'

/** For the first request. */
const FIRST_REQUEST_MS = 5_000
/** Between requests. */
const IDLE_MS = 60_000
/** A caller that does not read its answers for this long is let go. */
const STALLED_MS = 60_000
/** For a caller to read the end of the last answer. */
const LAST_WORDS_MS = 2_000

export type AgentOptions = {
  /** The connection, both ways. */
  readonly socket: Socket
  readonly allow: AllowList
  /** systemd's name of this instance, which holds who connected. */
  readonly instance: string
  /** Account of the gateway: beside root the only one that may give orders. */
  readonly gatewayAccount: string
  /** Gets a line for the journal. */
  readonly log: (line: string) => void
}

/** Serves one connection until its caller leaves or has nothing more to ask. */
export async function runAgent({ socket, allow, instance, gatewayAccount, log }: AgentOptions): Promise<void> {
  const uid = peerUid(instance)
  const answer = (line: AgentAnswer) => pacedWrite(socket, `${JSON.stringify(line)}\n`, STALLED_MS)
  try {
    if (uid === undefined || !isTrustedPeer(uid, gatewayAccount)) {
      log(`refused: user ${uid ?? 'unknown'} is neither ${gatewayAccount} nor root`)
      await answer(errorAnswer(new AgentRefusal('PEER_REFUSED', `only ${gatewayAccount} and root may use this agent`)))
      return
    }
    const lines = new LineReader(socket, LONGEST_LINE_BYTES)
    let waitMs = FIRST_REQUEST_MS
    for (;;) {
      const more = await serveOne({ lines, answer, allow, gatewayAccount, waitMs, uid, log })
      if (!more) return
      waitMs = IDLE_MS
    }
  } finally {
    await finish(socket)
  }
}

/** Lets the last answer go out. */
function finish(socket: Socket): Promise<void> {
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

type Turn = Omit<Call, 'signal'> & {
  readonly waitMs: number
  readonly uid: number
  readonly gatewayAccount: string
  readonly log: (line: string) => void
}

/** @returns whether there may be another request */
async function serveOne({ lines, answer, allow, gatewayAccount, waitMs, uid, log }: Turn): Promise<boolean> {
  try {
    const line = await lines.next(AbortSignal.timeout(waitMs))
    if (line === undefined) return false
    const request = parseRequest(line)
    checkBackend(allow, gatewayAccount, request.backend)
    if (request.op !== 'status') log(`${request.op}, for user ${uid}`)
    await perform(request, { allow, lines, answer, signal: lines.ended })
    await answer({ type: 'done' })
    return true
  } catch (error) {
    if (lines.ended.aborted) return false
    if (!(error instanceof AgentRefusal || error instanceof LineTooLongError)) log(describe(error))
    await answer(errorAnswer(error))
    return !isOtherProtocol(error)
  }
}

/**
 * What follows is not meant for an agent. A container may put a link to another backend's agent in place of its own
 * socket: then the gateway speaks HTTP here, and a client's body could have a line that reads like a request.
 */
function isOtherProtocol(error: unknown): boolean {
  return error instanceof LineTooLongError || (error instanceof AgentRefusal && error.cause instanceof SyntaxError)
}

async function perform(request: AgentRequest, call: Call): Promise<void> {
  switch (request.op) {
    case 'status':
      for (const state of await unitStates(call.allow, call.signal)) await call.answer({ type: 'unit', ...state })
      return
    case 'start':
    case 'stop':
    case 'restart':
      return runJob(call.allow, request, call.signal)
    case 'logs':
      return followJournal(request, call)
    case 'events':
      return followEvents(request, call)
    case 'pull':
      return pullImages(request, call)
    case 'gc':
      return collectGarbage(request, call)
    case 'shell':
      return runShell(request, call)
  }
}

/** @throws AgentRefusal BAD_REQUEST, UNKNOWN_OP */
export function parseRequest(line: string): AgentRequest {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (cause) {
    throw new AgentRefusal('BAD_REQUEST', 'the line is not valid JSON', undefined, { cause })
  }
  const result = agentRequest.safeParse(value)
  if (result.success) return result.data
  const [first] = result.error.issues
  if (first?.code === 'invalid_union') throw new AgentRefusal('UNKNOWN_OP', 'op: unknown', OPS_HINT)
  const lines = issueLines(result.error, value, 'request')
  throw new AgentRefusal('BAD_REQUEST', lines.join('; ').slice(0, 1000))
}

const OPS_HINT = `there are: ${agentRequest.options.map(({ shape }) => shape.op.value).join(', ')}`

function errorAnswer(error: unknown): AgentAnswer {
  if (error instanceof AgentRefusal) {
    const { code, message, hint } = error
    return { type: 'error', code, message, ...(hint === undefined ? {} : { hint }) }
  }
  if (error instanceof LineTooLongError) return { type: 'error', code: 'REQUEST_TOO_LONG', message: error.message }
  return { type: 'error', code: 'INTERNAL', message: 'the agent failed; the journal of its user says why' }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

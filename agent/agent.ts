import type { Socket } from 'node:net'
import { type AgentAnswer, type AgentRequest, agentRequest, LONGEST_LINE_BYTES } from '../schemas/agent.ts'
import { LineReader, LineTooLongError } from '../wire/line-reader.ts'
import { AgentRefusal } from './agent-error.ts'
import { type AllowList, checkBackend } from './allow-list.ts'
import type { Call } from './call.ts'
import { answerTo, FIRST_REQUEST_MS, finish, parseLine, problemOf, unforeseen } from './connection.ts'
import { followEvents } from './events.ts'
import { collectGarbage, pullImages } from './images.ts'
import { followJournal } from './journal.ts'
import { isTrustedPeer, peerUid } from './peer.ts'
import { runJob, unitStates } from './units.ts'

/** Between requests. */
const IDLE_MS = 60_000
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

/** Serves one connection until its caller leaves or has nothing more to ask. Shells: shell-connection.ts. */
export async function runAgent({ socket, allow, instance, gatewayAccount, log }: AgentOptions): Promise<void> {
  const uid = peerUid(instance)
  const answer = answerTo<AgentAnswer>(socket)
  try {
    if (uid === undefined || !isTrustedPeer(uid, gatewayAccount)) {
      log(`refused: user ${uid ?? 'unknown'} is neither ${gatewayAccount} nor root`)
      await answer(problemOf(new AgentRefusal('PEER_REFUSED', `only ${gatewayAccount} and root may use this agent`)))
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
    for (const line of unforeseen(error)) log(line)
    await answer(problemOf(error))
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
  }
}

/** @throws AgentRefusal BAD_REQUEST, UNKNOWN_OP */
export function parseRequest(line: string): AgentRequest {
  return parseLine(agentRequest, line, OPS_HINT)
}

const OPS_HINT = `there are: ${agentRequest.options.map(({ shape }) => shape.op.value).join(', ')}`

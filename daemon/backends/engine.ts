import { setTimeout as pause } from 'node:timers/promises'
import type { AgentClient } from './agent-client.ts'
import { shownLog } from './shown-log.ts'

/** What is needed to start, stop and describe the engine of one backend. */
export type Engine = {
  /** Asks it for its models. @returns the HTTP status @throws Error when it cannot be reached */
  readonly probe: (signal: AbortSignal) => Promise<number>
  /** null: it cannot be started or stopped. */
  readonly agent: AgentClient | null
  readonly startTimeoutMs: number
  /** Never shown, whatever its log says. */
  readonly secrets: readonly string[]
}

/** Why an engine does not answer. For operators only: neither part may reach a client. */
export type EngineFailure = { readonly reason: string; readonly log: readonly string[] }

/** Statuses of an engine that listens already and still loads its model. */
const LOADING = new Set([502, 503, 504])
const RETRY_MS = 250
const STOP_TIMEOUT_S = 120
const DESCRIBE_MS = 15_000
const LOG_LINES = 20

/**
 * Brings an engine up by connecting to it: where a socket unit starts its container, the connection waits meanwhile.
 * When the socket itself has given up (the container failed too often), the agent resets and starts it.
 * @throws Error when it does not answer in time, or cannot be started
 */
export async function startEngine(engine: Engine, stopping: AbortSignal): Promise<void> {
  const { agent, probe, startTimeoutMs } = engine
  const deadline = AbortSignal.timeout(startTimeoutMs)
  const signal = AbortSignal.any([stopping, deadline])
  let isAgentAsked = false
  try {
    for (;;) {
      const answer = await probe(signal).catch((error: unknown) => (signal.aborted ? Promise.reject(error) : error))
      if (typeof answer === 'number' && !LOADING.has(answer)) return
      if (typeof answer !== 'number' && agent === null) throw answer
      if (typeof answer !== 'number' && agent !== null && !isAgentAsked) {
        isAgentAsked = true
        await agent.start(signal, { timeoutSeconds: Math.ceil(startTimeoutMs / 1_000) })
      } else await pause(RETRY_MS, undefined, { signal })
    }
  } catch (error) {
    if (deadline.aborted && !stopping.aborted)
      throw new Error(`it did not answer within start_timeout (${startTimeoutMs / 1_000} s)`, { cause: error })
    throw error
  }
}

/** @throws Error when it cannot be stopped */
export async function stopEngine({ agent }: Engine, signal: AbortSignal): Promise<void> {
  if (agent === null) throw new Error('it has no agent that could stop it; set backends.<name>.agent')
  await agent.stop(signal, { timeoutSeconds: STOP_TIMEOUT_S })
}

/** What its container does, as its agent says. @throws Error when there is no agent to ask */
export async function askAgent({ agent }: Engine, signal: AbortSignal): Promise<'running' | 'starting' | 'stopped'> {
  if (agent === null) throw new Error('it has no agent')
  const [container] = await agent.status(signal)
  if (container === undefined) return 'stopped'
  if (container.active === 'activating') return 'starting'
  return ['active', 'reloading'].includes(container.active) ? 'running' : 'stopped'
}

/** What its agent knows of a failure: the state of its container, and the end of its log. Never rejects. */
export async function describeFailure(engine: Engine, error: unknown, stopping: AbortSignal): Promise<EngineFailure> {
  const { agent, secrets } = engine
  // an agent's words, too: it is the backend's own, and the backend is not trusted
  const shown = (reason: string) => shownLog([reason], secrets, 1).join('')
  const said = messageOf(error)
  if (agent === null) return { reason: shown(said), log: [] }
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(DESCRIBE_MS)])
  try {
    const [container] = await agent.status(signal)
    const lines: string[] = []
    for await (const { message } of agent.logs({ lines: LOG_LINES, follow: false }, signal)) {
      lines.push(message)
      if (lines.length >= LOG_LINES) break
    }
    const log = shownLog(lines, secrets, LOG_LINES)
    // while systemd retries it on its own it is "activating", and the result is that of the last time
    if (container === undefined || container.result === 'success') return { reason: shown(said), log }
    const reason = `${container.unit} failed: ${container.result}, exit status ${container.exit_status}`
    return { reason: shown(reason), log }
  } catch (trouble) {
    return { reason: shown(`${said}; its agent gives no details: ${messageOf(trouble)}`), log: [] }
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

import type { AdminAnswers, BackendInfo } from '../../../schemas/admin.ts'
import { AgentError } from '../../../schemas/agent-error.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import type { AgentClient } from '../../backends/agent-client.ts'
import { AdminError } from '../error.ts'

/** What the admin API needs from the backends. Each method throws RangeError when there is no backend of that name. */
export type AdminBackends = {
  list(): readonly BackendInfo[]
  /** Asks the agents of those that nothing is known of. Never rejects. */
  lookUp(signal: AbortSignal): Promise<void>
  status(name: string): BackendInfo
  /** null: it has none. */
  agentOf(name: string): AgentClient | null
  /** Resolves once it answers requests. @throws Error that says why it does not */
  start(name: string, signal: AbortSignal): Promise<void>
  /** Resolves once its requests and then its engine have ended. @throws Error */
  stop(name: string, signal: AbortSignal): Promise<void>
  restart(name: string, signal: AbortSignal): Promise<void>
}

export async function backendList(
  backends: AdminBackends,
  signal: AbortSignal,
): Promise<AdminAnswers['GET /v1/backends']> {
  await backends.lookUp(signal)
  return { backends: backends.list().map(copy) }
}

/** Asking its agent is a courtesy here: an agent that does not answer makes the answer poorer. */
export async function backendDetail(
  backends: AdminBackends,
  name: string,
  signal: AbortSignal,
): Promise<AdminAnswers['GET /v1/backends/:']> {
  const info = infoOf(backends, name)
  const agent = backends.agentOf(name)
  if (agent === null) return { ...info, units: [], agent_error: 'it has no agent' }
  try {
    const units = [...(await agent.status(signal))]
    return { ...infoOf(backends, name), units } // what is known of an app is what its agent has just said
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { ...info, units: [], agent_error: `${error.code}: ${error.message}` }
  }
}

/** @throws AdminError BACKEND_NOT_FOUND, BACKEND_FAILED, GIVEN_UP */
export async function runBackendJob(
  backends: AdminBackends,
  job: 'start' | 'stop' | 'restart',
  name: string,
  signal: AbortSignal,
): Promise<BackendInfo & { log: string[] }> {
  infoOf(backends, name)
  try {
    await backends[job](name, signal)
  } catch (error) {
    if (signal.aborted) throw new AdminError('GIVEN_UP', `the client no longer waits for the ${job}`, { cause: error })
    const why = error instanceof Error ? error.message : String(error)
    const hint = `gatectl backend status ${name} and gatectl backend logs ${name} say more`
    throw new AdminError('BACKEND_FAILED', `${name}: ${job}: ${why}`, { cause: error, hint })
  }
  return infoOf(backends, name)
}

/** @throws AdminError BACKEND_NOT_FOUND, NO_AGENT */
export function agentOf(backends: AdminBackends, name: string): AgentClient {
  infoOf(backends, name)
  const agent = backends.agentOf(name)
  if (agent !== null) return agent
  throw new AdminError('NO_AGENT', `${name} has no agent, so its container cannot be reached from here`, {
    hint: `set backends.${name}.agent, as "gatectl apply" does`,
  })
}

/** @throws AdminError BACKEND_NOT_FOUND */
function infoOf(backends: AdminBackends, name: string): BackendInfo & { log: string[] } {
  try {
    return copy(backends.status(name))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const names = backends.list().map((backend) => backend.name)
    const hint = suggestion(name, names, 'backend')
    throw new AdminError('BACKEND_NOT_FOUND', `there is no backend "${name}"`, { hint, cause: error })
  }
}

function copy(info: BackendInfo): BackendInfo & { log: string[] } {
  return { ...info, log: [...info.log] }
}

import type { BackendDetail, BackendInfo } from '../../../schemas/admin.ts'
import { AgentError } from '../../../schemas/agent-error.ts'
import { BACKEND_ANSWERS, containerRequest } from '../../../schemas/api/backends.ts'
import { GateError } from '../../../schemas/words/errors.ts'
import { suggestion } from '../../../schemas/words/nearest.ts'
import type { AgentClient } from '../../backends/agent-client.ts'
import { AdminError } from '../error.ts'
import { json } from '../reply.ts'
import { type ApiRoute, apiRoute } from '../route.ts'

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

export type BackendParts = {
  readonly backends: AdminBackends
  /** The upstreams that a model is asked at, in order. @throws GateError MODEL_NOT_FOUND */
  readonly upstreamsOf: (model: string) => readonly string[]
}

/** Engines and other containers of this host. */
export function backendRoutes({ backends, upstreamsOf }: BackendParts): readonly ApiRoute[] {
  const job = (what: Job): ApiRoute =>
    apiRoute({
      method: 'POST',
      path: `/api/admin/backends/{name}/${what}`,
      scope: 'config:write',
      summary: `${VERBS[what]} a backend, and waits until that is done`,
      audit: `backend.${what}`,
      answer: BACKEND_ANSWERS[`POST /api/admin/backends/{name}/${what}`],
      handle: async ({ params: { name = '' }, signal }) =>
        json(await runBackendJob(backends, what, name, signal), { change: { object: `backend:${name}` } }),
    })
  const container = (what: 'start' | 'stop'): ApiRoute =>
    apiRoute({
      method: 'POST',
      path: `/api/admin/containers/${what}`,
      scope: 'config:write',
      summary: `${VERBS[what]} the backend that serves a model`,
      audit: `backend.${what}`,
      body: containerRequest,
      answer: BACKEND_ANSWERS[`POST /api/admin/containers/${what}`],
      handle: async ({ body: { model_id }, signal }) => {
        const name = backendOf(backends, upstreamsOf, model_id)
        return json(await runBackendJob(backends, what, name, signal), { change: { object: `backend:${name}` } })
      },
    })
  return [
    apiRoute({
      method: 'GET',
      path: '/api/admin/backends',
      scope: 'config:read',
      summary: 'Lists the backends, with what each of them does now',
      answer: BACKEND_ANSWERS['GET /api/admin/backends'],
      handle: async ({ signal }) => {
        await backends.lookUp(signal)
        return json({ backends: backends.list().map(copy) })
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/api/admin/backends/{name}',
      scope: 'config:read',
      summary: 'Describes one backend, and what its agent says of its units',
      answer: BACKEND_ANSWERS['GET /api/admin/backends/{name}'],
      handle: async ({ params: { name = '' }, signal }) => json(await backendDetail(backends, name, signal)),
    }),
    job('start'),
    job('stop'),
    job('restart'),
    container('start'),
    container('stop'),
  ]
}

type Job = 'start' | 'stop' | 'restart'
const VERBS = { start: 'Starts', stop: 'Stops', restart: 'Restarts' } as const

/** The backend of this name, or the first one that serves a model of this name. @throws AdminError BACKEND_NOT_FOUND */
function backendOf(backends: AdminBackends, upstreamsOf: BackendParts['upstreamsOf'], model: string): string {
  const names = new Set(backends.list().map(({ name }) => name))
  if (names.has(model)) return model
  try {
    const found = upstreamsOf(model).find((upstream) => names.has(upstream))
    if (found !== undefined) return found
  } catch (error) {
    if (!(error instanceof GateError)) throw error
  }
  const hint = suggestion(model, [...names], 'backend')
  throw new AdminError('BACKEND_NOT_FOUND', `no backend is called "${model}", or serves a model of this name`, { hint })
}

/** Asking its agent is a courtesy here: an agent that does not answer makes the answer poorer. */
async function backendDetail(backends: AdminBackends, name: string, signal: AbortSignal): Promise<BackendDetail> {
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
async function runBackendJob(
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

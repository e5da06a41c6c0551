import type { UnitState } from '../../schemas/agent.ts'
import { AgentError } from '../../schemas/agent-error.ts'
import type { AppConfig } from '../../schemas/config/config.ts'
import { inPool } from '../../system/pool.ts'
import { type AgentClient, LOOK_UPS_AT_ONCE } from './agent-client.ts'
import type { BackendState, BackendStatus } from './status.ts'

type App = { readonly agent: AgentClient; readonly socket: string; seen: Seen }
type Seen = Pick<BackendStatus, 'state' | 'reason'>

export type Apps = ReturnType<typeof createApps>

/**
 * Containers that serve no models, such as Open WebUI: the daemon sends them nothing, and does for operators what their
 * agents can. What is known of one is what its agent said last.
 */
export function createApps(agentAt: (socket: string, name: string) => AgentClient) {
  const apps = new Map<string, App>()

  /** Remembers what the agent says, whichever command asked it. */
  function makeApp(name: string, socket: string): App {
    const agent = agentAt(socket, name)
    const app: App = { socket, seen: { state: 'unknown' }, agent: { ...agent, status } }
    async function status(signal: AbortSignal): Promise<readonly UnitState[]> {
      try {
        const units = await agent.status(signal)
        app.seen = seenOf(units)
        return units
      } catch (error) {
        app.seen = { state: 'unknown', ...(error instanceof AgentError ? { reason: error.message } : {}) }
        throw error
      }
    }
    return app
  }

  /** @throws RangeError when there is no such app */
  function appOf(name: string): App {
    const app = apps.get(name)
    if (app !== undefined) return app
    throw new RangeError(`there is no app "${name}"`)
  }

  const job = (what: 'start' | 'stop' | 'restart') => async (name: string, signal: AbortSignal) => {
    const app = appOf(name)
    await app.agent[what](signal)
    await app.agent.status(signal)
  }

  const status = (name: string): BackendStatus => ({
    name,
    provider: 'app',
    ...appOf(name).seen,
    requests_in_flight: 0,
    requests_waiting: 0,
    log: [],
  })

  return {
    apply(configs: Readonly<Record<string, AppConfig>>): void {
      for (const [name, { socket }] of apps) if (configs[name]?.agent !== socket) apps.delete(name)
      for (const [name, { agent: socket }] of Object.entries(configs))
        if (!apps.has(name)) apps.set(name, makeApp(name, socket))
    },
    has: (name: string): boolean => apps.has(name),
    list: (): readonly BackendStatus[] => [...apps.keys()].map(status),
    /** Asks every agent. Never rejects: what one does not say is its state. */
    async lookUp(signal: AbortSignal): Promise<void> {
      await inPool([...apps.values()], LOOK_UPS_AT_ONCE, ({ agent }) => agent.status(signal).catch(() => {}))
    },
    status,
    agentOf: (name: string): AgentClient => appOf(name).agent,
    /** Resolves once it runs. @throws AgentError */
    start: job('start'),
    /** @throws AgentError */
    stop: job('stop'),
    /** @throws AgentError */
    restart: job('restart'),
  }
}

/** @param units the container's service first */
function seenOf([service, ...others]: readonly UnitState[]): Seen {
  if (service === undefined) return { state: 'unknown' }
  const { active, unit, result } = service
  if (active === 'failed') return { state: 'stopped', reason: `${unit} failed: ${result}` }
  // a socket that listens wakes it
  const rest = others.some((other) => other.active === 'active') ? 'cold' : 'stopped'
  return { state: STATES.get(active) ?? rest }
}

const STATES: ReadonlyMap<string, BackendState> = new Map([
  ['active', 'ready'],
  ['reloading', 'ready'],
  ['activating', 'starting'],
  ['deactivating', 'stopping'],
])

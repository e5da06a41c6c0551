import type { Apps } from '../backends/apps.ts'
import type { AdminBackends } from './routes/backends.ts'

/** Backends and apps under one roof: to an operator both are what `[backends]` of the spec names. */
export function withApps(backends: AdminBackends, apps: Apps): AdminBackends {
  const of = (name: string): AdminBackends | Apps => (apps.has(name) ? apps : backends)
  return {
    list: () => [...backends.list(), ...apps.list()],
    lookUp: async (signal) => {
      await Promise.all([backends.lookUp(signal), apps.lookUp(signal)])
    },
    status: (name) => of(name).status(name),
    agentOf: (name) => of(name).agentOf(name),
    start: (name, signal) => of(name).start(name, signal),
    stop: (name, signal) => of(name).stop(name, signal),
    restart: (name, signal) => of(name).restart(name, signal),
  }
}

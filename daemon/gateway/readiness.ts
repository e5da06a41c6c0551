import type { BackendState } from '../backends/status.ts'
import type { Readiness } from '../route/choice.ts'

/**
 * How soon an upstream can begin to answer.
 * @param state undefined: it is no backend @param isAsleep whether a question would start it
 */
export function readinessOf(state: BackendState | undefined, isAsleep: boolean): Readiness {
  switch (state) {
    case undefined:
    case 'ready':
      return 'loaded'
    case 'unknown': // one that does not start on demand runs as long as its host does
      return isAsleep ? 'asleep' : 'loaded'
    case 'cold':
      return 'asleep'
    case 'starting':
      return 'starting'
    case 'draining': // others wait for its place
    case 'stopping':
      return 'stopping'
    case 'quarantined':
    case 'stopped':
      return 'refusing'
  }
}

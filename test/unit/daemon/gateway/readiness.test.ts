import { expect, test } from 'vitest'
import type { BackendState } from '../../../../daemon/backends/status.ts'
import { readinessOf } from '../../../../daemon/gateway/readiness.ts'

test.each<{ state: BackendState | undefined; isAsleep?: boolean; readiness: string }>([
  { state: undefined, readiness: 'loaded' },
  { state: 'ready', readiness: 'loaded' },
  { state: 'starting', isAsleep: true, readiness: 'starting' },
  { state: 'cold', isAsleep: true, readiness: 'asleep' },
  { state: 'unknown', isAsleep: true, readiness: 'asleep' },
  { state: 'unknown', isAsleep: false, readiness: 'loaded' },
  { state: 'draining', isAsleep: true, readiness: 'stopping' },
  { state: 'stopping', isAsleep: true, readiness: 'stopping' },
  { state: 'quarantined', isAsleep: true, readiness: 'refusing' },
  { state: 'stopped', readiness: 'refusing' },
])('a backend that is $state (on demand: $isAsleep) is $readiness', ({ state, isAsleep = false, readiness }) => {
  expect(readinessOf(state, isAsleep)).toBe(readiness)
})

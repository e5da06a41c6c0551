import { expect, test } from 'vitest'
import { inStopOrder, type UnitChange } from '../../../host/plan/units.ts'

const stop = (manager: string, name: string): UnitChange => ({
  action: 'stop',
  unit: { name, manager, runs: 'always', enable: false, files: [], reloads: [], timeoutMs: 1_000 },
  why: 'gone',
})

test('what a user runs stops before the unit of the host that its manager needs, else the order stays', () => {
  const stops = [
    stop('system', 'gate-egress.service'),
    stop('system', 'gate-own-directory.service'),
    stop('gate-own', 'gate-shell.socket'),
    stop('gate-other', 'gate-shell.socket'),
  ]
  expect(inStopOrder(stops).map(({ unit }) => `${unit.manager}/${unit.name}`)).toEqual([
    'gate-own/gate-shell.socket',
    'gate-other/gate-shell.socket',
    'system/gate-egress.service',
    'system/gate-own-directory.service',
  ])
})

import { expect, test } from 'vitest'
import { actOnUnits } from '../../../host/apply/unit-actions.ts'
import { localHost } from '../../../host/host.ts'
import { inStopOrder, type UnitChange } from '../../../host/plan/units.ts'
import { NO_OBSERVATION } from '../../support/observed-host.ts'

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

test('the table that the daemon requires stops without the daemon, and after what stops with it', async () => {
  const asked: string[] = []
  const run = async (command: readonly string[]) => {
    asked.push(command.join(' '))
    return { code: 0, stdout: '', stderr: '' }
  }
  const stops = ['gate-egress.service', 'gate-relay.service'].map((name) => stop('system', name))
  await actOnUnits({ ...localHost(), run }, stops, NO_OBSERVATION.accounts, { timeoutMs: 1_000 })
  expect(asked).toEqual([
    'systemctl stop gate-relay.service',
    'systemctl stop --job-mode=ignore-dependencies gate-egress.service',
  ])
})

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

const start = (name: string): UnitChange => ({ ...stop('system', name), action: 'start' })
const OPEN = 'Id=gate-daemon.socket\nActiveState=active\nTriggers=gate-daemon.service'
const CLOSED = 'Id=gate-daemon-https.socket\nActiveState=failed\nTriggers=gate-daemon.service'

test.each([
  { says: 'a socket is closed', shown: [OPEN, CLOSED], stops: 'gate-daemon-https.socket gate-daemon.service' },
  { says: 'every socket is open', shown: [OPEN], stops: null },
])('what stops for another try where $says, and nothing else', async ({ shown, stops }) => {
  const asked: string[] = []
  let isBroken = true
  const host = {
    ...localHost(),
    async run(command: readonly string[]) {
      asked.push(command.join(' '))
      if (command[1] === 'stop') isBroken = false
      return { code: isBroken && command[1] === 'start' ? 1 : 0, stdout: '', stderr: '' }
    },
    ask: async () => ({ code: 0, stdout: shown.join('\n\n'), stderr: '' }),
  }
  const names = ['gate-daemon.socket', 'gate-daemon-https.socket', 'gate-daemon.service', 'caddy.service']
  const done = actOnUnits(host, names.map(start), NO_OBSERVATION.accounts, { timeoutMs: 1_000 })
  if (stops === null) await expect(done).rejects.toThrow()
  else await done
  expect(asked.filter((command) => command.startsWith('systemctl stop'))).toEqual(
    stops === null ? [] : [`systemctl stop ${stops}`],
  )
})

test('what cannot be stopped is not started', async () => {
  const asked: string[] = []
  const run = async (command: readonly string[]) => {
    asked.push(command[1] ?? '')
    return { code: 1, stdout: '', stderr: '' }
  }
  const ask = async () => ({ code: 0, stdout: CLOSED, stderr: '' })
  const stops = [stop('system', 'gate-daemon-https.socket')]
  await expect(
    actOnUnits({ ...localHost(), run, ask }, stops, NO_OBSERVATION.accounts, { timeoutMs: 1_000 }),
  ).rejects.toThrow()
  expect(asked).toEqual(['stop'])
})

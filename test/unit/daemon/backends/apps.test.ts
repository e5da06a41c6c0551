// E4: an app is in the list of backends, with what its agent says.
import { beforeEach, expect, test } from 'vitest'
import type { AdminBackends } from '../../../../daemon/admin/routes/backends.ts'
import { withApps } from '../../../../daemon/admin/with-apps.ts'
import type { AgentClient } from '../../../../daemon/backends/agent-client.ts'
import { createApps } from '../../../../daemon/backends/apps.ts'
import { AgentError } from '../../../../schemas/agent-error.ts'

const SIGNAL = new AbortController().signal
const unit = (active: string, more: object = {}) => ({ unit: 'gate-webui.service', active, result: 'success', ...more })

let said: object[] | Error
let jobs: string[]
let opened: string[]
const agentAt = (socket: string, name: string) => {
  opened.push(`${name} at ${socket}`)
  const job = (what: string) => async () => void jobs.push(`${what} ${socket}`)
  const status = async () => {
    if (said instanceof Error) throw said
    return said
  }
  return { status, start: job('start'), stop: job('stop'), restart: job('restart') } as unknown as AgentClient
}
beforeEach(() => {
  said = [unit('active')]
  jobs = []
  opened = []
})
const appsOf = (...names: string[]) => {
  const apps = createApps(agentAt)
  apps.apply(Object.fromEntries(names.map((name) => [name, { agent: `/run/${name}` }])))
  return apps
}

test.each([
  { name: 'runs', units: [unit('active')], expected: { state: 'ready' } },
  { name: 'starts', units: [unit('activating')], expected: { state: 'starting' } },
  { name: 'ends', units: [unit('deactivating')], expected: { state: 'stopping' } },
  { name: 'was stopped', units: [unit('inactive')], expected: { state: 'stopped' } },
  { name: 'wakes on demand', units: [unit('inactive'), unit('active')], expected: { state: 'cold' } },
  {
    name: 'failed',
    units: [unit('failed', { result: 'oom-kill' }), unit('active')],
    expected: { state: 'stopped', reason: 'gate-webui.service failed: oom-kill' },
  },
  { name: 'has no unit', units: [], expected: { state: 'unknown' } },
])('E4 one that $name', async ({ units, expected }) => {
  said = units
  const apps = appsOf('webui')
  await apps.lookUp(SIGNAL)
  expect(apps.list()).toEqual([
    { name: 'webui', provider: 'app', requests_in_flight: 0, requests_waiting: 0, log: [], ...expected },
  ])
})

test('E4 an agent that does not answer says why it is unknown, and stops no list', async () => {
  const apps = appsOf('webui')
  await apps.lookUp(SIGNAL)
  said = new AgentError('AGENT_UNREACHABLE', 'nobody listens')
  await apps.lookUp(SIGNAL)
  expect(apps.status('webui')).toMatchObject({ state: 'unknown', reason: 'nobody listens' })
})

test('E4 a job goes to its agent, and its new state is known afterwards', async () => {
  const apps = appsOf('webui')
  said = [unit('inactive')]
  await apps.stop('webui', SIGNAL)
  expect(jobs).toEqual(['stop /run/webui'])
  expect(apps.status('webui').state).toBe('stopped')
})

test('E4 another configuration: what stays keeps what is known of it, what goes is gone', async () => {
  const apps = appsOf('webui', 'search')
  await apps.lookUp(SIGNAL)
  apps.apply({ webui: { agent: '/run/webui' }, search: { agent: '/run/elsewhere' } })
  expect(apps.list().map(({ name, state }) => `${name} ${state}`)).toEqual(['webui ready', 'search unknown'])
  expect(opened).toEqual(['webui at /run/webui', 'search at /run/search', 'search at /run/elsewhere'])
  apps.apply({})
  expect(() => apps.status('webui')).toThrow(RangeError)
})

test('E4 beside backends: each name goes to those that have it', async () => {
  const backend = { name: 'qwen', state: 'ready' }
  const asked: string[] = []
  const backends = {
    list: () => [backend],
    lookUp: async () => void asked.push('lookUp'),
    status: (name: string) => {
      if (name !== 'qwen') throw new RangeError(name)
      return backend
    },
    start: async (name: string) => void asked.push(`start ${name}`),
  } as unknown as AdminBackends
  const both = withApps(backends, appsOf('webui'))
  await both.lookUp(SIGNAL)
  expect(both.list().map(({ name }) => name)).toEqual(['qwen', 'webui'])
  await both.start('qwen', SIGNAL)
  await both.start('webui', SIGNAL)
  expect({ asked, jobs }).toEqual({ asked: ['lookUp', 'start qwen'], jobs: ['start /run/webui'] })
  expect(() => both.status('no')).toThrow(RangeError)
})

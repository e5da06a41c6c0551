import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import type { Host, HostView } from '../../../host/host.ts'
import { DEPLOYED_TARGETS, desiredState } from '../../../host/plan/desired.ts'
import type { Observed } from '../../../host/plan/observe.ts'
import { missingRequirements } from '../../../host/plan/requirements.ts'
import { desiredOf, NO_OBSERVATION } from '../../support/observed-host.ts'

const withPort = (port: number) => desiredOf({ gate: { server: { port } } })

/** Somebody listens on port 8088 of this host. */
const host: Pick<HostView, 'read' | 'status'> = {
  read: (path) =>
    path === '/proc/net/tcp'
      ? '  sl  local_address rem_address   st\n   0: 0100007F:1F98 00000000:0000 0A\n'
      : undefined,
  status: () => undefined,
}

const OWN_SOCKET = new Set(['system/gate-daemon.socket'])

const observedWith = (generations: Observed['generations']): Observed => ({
  ...NO_OBSERVATION,
  generations,
  running: OWN_SOCKET,
})

test.each([
  { name: 'before the first apply it may be the socket of the package', applied: undefined, asked: 8088, codes: [] },
  { name: 'it is the port of what runs', applied: 8088, asked: 8088, codes: [] },
  { name: 'what runs listens elsewhere', applied: 3000, asked: 8088, codes: ['PORT_TAKEN'] },
])('a port on which somebody listens: $name', ({ applied, asked, codes }) => {
  const manifests = new Map(applied === undefined ? [] : [[1, withPort(applied).generation] as const])
  const current = applied === undefined ? undefined : 1
  const observed = observedWith({ directory: '/var/lib/gate-deploy', manifests, current, committed: current })
  const problems = missingRequirements(host as Host, withPort(asked), observed, { podman: undefined, systemd: 257 })
  expect(problems.map(({ code }) => code)).toEqual(codes)
})

const WITH_SECRETS = `[upstreams.openai]
provider = "openai"
api_key = { credential = "openai" }
[backends.b]
engine = "vllm"
model = "m"
image = "example.org/e@sha256:${'0'.repeat(64)}"
secrets = { TOKEN = { file = "/etc/token" } }
`

test.each([
  { name: 'one line', text: 'sk-1\n', expected: [] },
  { name: 'one line without its end', text: 'sk-1', expected: [] },
  { name: 'nothing', text: '', expected: ['is empty'] },
  { name: 'only line ends', text: '\r\n\n', expected: ['is empty'] },
  { name: 'two lines', text: 'sk-1\nsk-2\n', expected: ['has more than one line'] },
  { name: 'an empty line between', text: 'sk-1\n\nsk-2', expected: ['has more than one line'] },
])('A14: a secret with $name', ({ text, expected }) => {
  const result = compile(WITH_SECRETS, { targets: DEPLOYED_TARGETS })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const secrets = ['/etc/credstore/openai', '/etc/token']
  const there = {
    ...host,
    read: (path: string) => (secrets.includes(path) ? text : undefined),
    status: (path: string) => (secrets.includes(path) ? { kind: 'file' } : undefined),
    list: () => [],
  } as unknown as Host
  const observed = observedWith({ directory: '/x', manifests: new Map(), current: undefined, committed: undefined })
  const problems = missingRequirements(there, desiredState(result, ''), observed, { podman: undefined, systemd: 257 })
  const said = problems.filter(({ code }) => code === 'INVALID_SECRET').map(({ message }) => message)
  expect(said).toEqual(
    expected.flatMap((what) => [
      `the secret for upstreams.openai.api_key ${what}: /etc/credstore/openai`,
      `the secret for backends.b.secrets.TOKEN ${what}: /etc/token`,
    ]),
  )
  expect(JSON.stringify(problems)).not.toContain('sk-')
})

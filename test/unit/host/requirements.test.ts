import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import type { Host, HostView } from '../../../host/host.ts'
import { DEPLOYED_TARGETS, desiredState } from '../../../host/plan/desired.ts'
import type { Observed } from '../../../host/plan/observe.ts'
import { missingRequirements } from '../../../host/plan/requirements.ts'

const desiredOf = (port: number) => {
  const result = compile(JSON.stringify({ gate: { server: { port } } }), { targets: DEPLOYED_TARGETS })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  return desiredState(result, '')
}

/** Somebody listens on port 8088 of this host. */
const host: Pick<HostView, 'read' | 'status'> = {
  read: (path) =>
    path === '/proc/net/tcp'
      ? '  sl  local_address rem_address   st\n   0: 0100007F:1F98 00000000:0000 0A\n'
      : undefined,
  status: () => undefined,
}

const OWN_SOCKET = new Set(['system/gate-daemon.socket'])

test.each([
  { name: 'before the first apply it may be the socket of the package', applied: undefined, asked: 8088, codes: [] },
  { name: 'it is the port of what runs', applied: 8088, asked: 8088, codes: [] },
  { name: 'what runs listens elsewhere', applied: 3000, asked: 8088, codes: ['PORT_TAKEN'] },
])('a port on which somebody listens: $name', ({ applied, asked, codes }) => {
  const manifests = new Map(applied === undefined ? [] : [[1, desiredOf(applied).generation] as const])
  const current = applied === undefined ? undefined : 1
  const observed: Observed = {
    accounts: { users: new Map(), groups: new Map(), subuids: [], subgids: [], linger: new Set() },
    generations: { directory: '/var/lib/gate-deploy', manifests, current, committed: current },
    made: {
      version: 1,
      accounts: [],
      groups: [],
      memberships: [],
      linger: [],
      directories: [],
      enabled: [],
      running: [],
      started: [],
      originals: {},
    },
    files: new Map(),
    conffiles: new Set(),
    links: new Map(),
    missingDirectories: [],
    missingImages: [],
    missingSecrets: [],
    running: OWN_SOCKET,
    enabled: new Set(),
    managers: new Set(),
  }
  const problems = missingRequirements(host as Host, desiredOf(asked), observed, { podman: undefined, systemd: 257 })
  expect(problems.map(({ code }) => code)).toEqual(codes)
})

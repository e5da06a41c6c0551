import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { compile } from '../../../compiler/compile.ts'
import type { HostView } from '../../../host/host.ts'
import { untouchedConffiles } from '../../../host/plan/conffiles.ts'
import { DEPLOYED_TARGETS, type Desired, desiredState } from '../../../host/plan/desired.ts'
import type { Observed } from '../../../host/plan/observe.ts'
import { isEmptyPlan, makePlan, type Plan } from '../../../host/plan/plan.ts'
import { planProblems } from '../../../host/plan/problems.ts'
import {
  backend,
  desiredOf,
  generationsOf,
  NO_OBSERVATION,
  settled,
  TWO,
  twoBackends,
} from '../../support/observed-host.ts'

const unitsOf = ({ units }: Plan) => units.map(({ action, unit }) => `${action} ${unit.name}`)

test('on a bare host everything is new, and what backends need is started before them', () => {
  const plan = makePlan(TWO, NO_OBSERVATION)
  expect(plan.accounts.map(({ account }) => account.name)).toEqual(['gate', 'gate-one', 'gate-two'])
  expect(plan.files.every(({ kind }) => kind === 'create')).toBe(true)
  expect(unitsOf(plan)).toEqual([
    'start gate-egress.service',
    'start gate-one-directory.service',
    'start gate-two-directory.service',
    'start user@40000.service',
    'start user@40001.service',
    'start gate-one.service',
    'start gate-agent.socket',
    'start gate-shell.socket',
    'start gate-agent.socket',
    'start gate-shell.socket',
    'start gate-two.socket',
    'start gate-daemon-admin.socket',
    'start gate-daemon.socket',
    'start gate-daemon.service',
  ])
})

test('on a host that is what the spec says there is nothing to do', () => {
  const plan = makePlan(TWO, settled(TWO))
  expect(unitsOf(plan)).toEqual([])
  expect(plan.files).toEqual([])
  expect(plan.number).toBe(1)
  expect(isEmptyPlan(plan)).toBe(true)
})

test('comments of the spec are no change', () => {
  const commented = desiredOf({ backends: twoBackends })
  const other: Desired = { ...commented, texts: new Map([...commented.texts, ['gate.spec', '# hello\n']]) }
  expect(isEmptyPlan(makePlan(other, settled(TWO)))).toBe(true)
})

test.each([
  {
    name: 'an argument of one backend restarts that one alone',
    spec: { backends: { ...twoBackends, one: backend({ args: ['--listen', '{socket}', '--more'] }) } },
    units: ['restart gate-one.service'],
  },
  {
    name: 'a backend that does not run is not started by a change',
    spec: { backends: { ...twoBackends, two: backend({ idle_stop: '5m', args: ['{socket}'] }) } },
    units: [],
  },
  {
    name: 'another idle time restarts nothing that is not running',
    spec: { backends: { ...twoBackends, two: backend({ idle_stop: '6m' }) } },
    units: [],
  },
  {
    name: 'the log level is read again by the running daemon',
    spec: { backends: twoBackends, gate: { log: { level: 'debug' } } },
    units: ['reload gate-daemon.service'],
  },
  {
    name: 'a backend less is stopped with its user manager',
    spec: { backends: { two: twoBackends.two } },
    // its models are no longer offered
    units: ['stop gate-one-directory.service', 'stop user@40000.service', 'reload gate-daemon.service'],
    lock: TWO.texts.get('gate.lock.json'),
  },
])('$name', ({ spec, units, lock }) => {
  const result = compile(JSON.stringify(spec), { targets: DEPLOYED_TARGETS, ...(lock === undefined ? {} : { lock }) })
  if (result.kind === 'refused') throw new Error(JSON.stringify(result.diagnostics))
  const plan = makePlan(desiredState(result, ''), settled(TWO))
  expect(unitsOf(plan).filter((unit) => units.length > 0 || !unit.includes('gate-daemon'))).toEqual(units)
  expect(plan.number).toBeUndefined()
  expect(isEmptyPlan(plan)).toBe(false)
})

test('a backend less keeps its account and its data, but its manager ends', () => {
  const lock = TWO.texts.get('gate.lock.json')
  const result = compile(JSON.stringify({ backends: { two: twoBackends.two } }), {
    targets: DEPLOYED_TARGETS,
    ...(lock === undefined ? {} : { lock }),
  })
  if (result.kind === 'refused') throw new Error('refused')
  const plan = makePlan(desiredState(result, ''), settled(TWO))
  expect(plan.retired).toEqual(['gate-one'])
  expect(plan.links.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'remove /var/lib/gate-backends/one/.config/systemd/user',
  ])
})

test('what somebody changed on the host is put right, and named', () => {
  const host = settled(TWO)
  const place = '/etc/systemd/system/gate-daemon.service'
  const files = new Map([...host.files, [place, { kind: 'file', text: '[Service]\n', mode: 0o644 }] as const])
  const plan = makePlan(TWO, { ...host, files })
  expect(plan.files).toMatchObject([{ kind: 'change', place, why: 'it was changed on this host' }])
  expect(unitsOf(plan)).toEqual(['restart gate-daemon.service'])
})

test('what somebody changed in the generation itself needs a new generation, unless its link is what is wrong', () => {
  const host = settled(TWO)
  const place = '/var/lib/gate-backends/one/.config/systemd/user/gate-agent.socket'
  const files = new Map([...host.files, [place, { kind: 'file', text: '[Socket]\n', mode: 0o644 }] as const])
  expect(makePlan(TWO, { ...host, files })).toMatchObject({ number: undefined, files: [{ kind: 'change', place }] })
  const gone = new Map([...host.files].filter(([path]) => path !== place))
  expect(makePlan(TWO, { ...host, files: gone }).number).toBeUndefined()
  const links = new Map([...host.links].filter(([path]) => !place.startsWith(path)))
  expect(makePlan(TWO, { ...host, files: gone, links }).number).toBe(1)
})

test('a file that the spec no longer makes goes, unless somebody changed it', () => {
  const without = desiredOf({ backends: { one: twoBackends.one } })
  const host = settled(TWO)
  const place = '/etc/containers/systemd/users/40001/gate-two.container'
  expect(makePlan(without, host).files.map((file) => `${file.kind} ${file.place}`)).toContain(`remove ${place}`)
  const files = new Map([...host.files, [place, { kind: 'file', text: 'mine', mode: 0o644 }] as const])
  expect(makePlan(without, { ...host, files }).files.map((file) => file.place)).not.toContain(place)
})

test('nginx reads its files again when the one of the gateway goes', () => {
  const withProxy = desiredOf({ gate: { domain: 'ai.example.org' }, proxy: { engine: 'nginx' } })
  const host = settled(withProxy)
  const running = new Set([...host.running, 'system/nginx.service'])
  expect(unitsOf(makePlan(withProxy, { ...host, running }))).toEqual([])
  const without = desiredOf({ gate: { domain: 'ai.example.org' } })
  expect(unitsOf(makePlan(without, { ...host, running }))).toContain('reload nginx.service')
  expect(unitsOf(makePlan(without, host))).not.toContain('reload nginx.service')
})

test('after an apply that was cut off, what differs from the last good generation restarts again', () => {
  const next = desiredOf({ backends: { ...twoBackends, one: backend({ args: ['{socket}', '--more'] }) } })
  // files and links are switched already, nobody knows what was restarted
  const host = { ...settled(next), generations: generationsOf({ 1: TWO.generation, 2: next.generation }, 2, 1) }
  const plan = makePlan(next, host)
  expect(plan.number).toBe(2)
  expect(unitsOf(plan)).toContain('restart gate-one.service')
  expect(plan.reloads).toEqual(['gate-one'])
  // and back: it may run with either text
  expect(unitsOf(makePlan(TWO, host))).toContain('restart gate-one.service')
})

test('without a generation that was seen to work, everything that runs restarts', () => {
  const host = { ...settled(TWO), generations: NO_OBSERVATION.generations }
  expect(unitsOf(makePlan(TWO, host))).toContain('restart gate-daemon.service')
})

test('a user manager that has to restart takes its units along', () => {
  const host = settled(TWO)
  const place = '/etc/systemd/system/user@.service.d/50-gate.conf'
  const plan = makePlan(TWO, { ...host, files: new Map([...host.files].filter(([path]) => path !== place)) })
  expect(unitsOf(plan)).toEqual([
    'restart user@40000.service',
    'restart user@40001.service',
    'start gate-one.service',
    'start gate-agent.socket',
    'start gate-shell.socket',
    'start gate-agent.socket',
    'start gate-shell.socket',
    'start gate-two.socket',
  ])
})

test('what mounts the directory of a backend restarts its user manager, whose sockets are in there', () => {
  const host = settled(TWO)
  const place = '/etc/systemd/system/gate-one-directory.service'
  const plan = makePlan(TWO, { ...host, files: new Map([...host.files].filter(([path]) => path !== place)) })
  expect(unitsOf(plan)).toEqual([
    'restart gate-one-directory.service',
    'restart user@40000.service',
    'start gate-one.service',
    'start gate-agent.socket',
    'start gate-shell.socket',
  ])
})

test.each([
  {
    name: 'a file of somebody else is in the way',
    change: (host: Observed) => ({
      ...host,
      generations: NO_OBSERVATION.generations,
      files: new Map([['/etc/gate/declared.json', { kind: 'file', text: '{}', mode: 0o644 }] as const]),
    }),
    problem: { code: 'FOREIGN_FILE', message: expect.stringContaining('/etc/gate/declared.json') },
  },
  {
    name: 'a directory stands where a link belongs',
    change: (host: Observed) => ({
      ...host,
      links: new Map([['/var/lib/gate-backends/one/.config/systemd/user', undefined]]),
    }),
    problem: {
      code: 'FOREIGN_FILE',
      message: expect.stringContaining('/var/lib/gate-backends/one/.config/systemd/user'),
    },
  },
  {
    name: 'a user id belongs to a person',
    change: (host: Observed) => {
      const users = new Map([...host.accounts.users].filter(([name]) => name !== 'gate-one'))
      users.set('alice', { name: 'alice', uid: 40_000, gid: 40_000, home: '/home/alice', shell: '/bin/bash' })
      return { ...host, accounts: { ...host.accounts, users } }
    },
    problem: { code: 'ACCOUNT_CONFLICT', message: expect.stringContaining('alice') },
  },
  ...(
    [
      { what: 'a login', user: { uid: 1000, home: '/home/gate', shell: '/bin/bash' }, sign: '/bin/bash' },
      { what: 'a person', user: { uid: 1000 }, sign: 'the id 1000' },
      { what: 'a program with another home', user: { home: '/srv/gate' }, sign: '/srv/gate' },
    ] as const
  ).map(({ what, user, sign }) => ({
    name: `${what} is called gate`,
    change: (host: Observed) => withUser(beforeFirstApply(host), 'gate', user),
    problem: { code: 'ACCOUNT_CONFLICT', message: expect.stringContaining(sign) },
  })),
  {
    name: 'a login is called as a backend would be',
    change: (host: Observed) => withUser(beforeFirstApply(host), 'gate-one', { shell: '/bin/sh' }),
    problem: { code: 'ACCOUNT_CONFLICT', message: expect.stringMatching(/^the user gate-one .*\/bin\/sh$/) },
  },
  {
    name: 'a directory service has a user gate',
    change: (host: Observed) => {
      const bare = beforeFirstApply(host)
      const users = new Map([...bare.accounts.users].filter(([name]) => name !== 'gate'))
      const gate = { name: 'gate', uid: 200_001, gid: 200_001, home: '/home/gate', shell: '/bin/bash' }
      return { ...bare, accounts: { ...bare.accounts, users }, elsewhere: [gate] }
    },
    problem: { code: 'ACCOUNT_CONFLICT', message: expect.stringContaining('directory service') },
  },
  {
    name: 'people have a group gate-admin',
    change: (host: Observed) => {
      const bare = beforeFirstApply(host)
      const entry = { name: 'gate-admin', gid: 1001, members: ['alice'] }
      return {
        ...bare,
        accounts: { ...bare.accounts, groups: new Map([...bare.accounts.groups, ['gate-admin', entry]]) },
      }
    },
    problem: { code: 'ACCOUNT_CONFLICT', message: expect.stringContaining('gate-admin') },
  },
  {
    name: 'a user of the host has one of the subordinate ids',
    change: (host: Observed) => {
      const far = { name: 'far', uid: 30_521 * 65_536 + 5, gid: 5, home: '/home/far', shell: '/bin/sh' }
      return { ...host, accounts: { ...host.accounts, users: new Map([...host.accounts.users, ['far', far]]) } }
    },
    problem: { code: 'SUBID_CONFLICT', message: expect.stringContaining('far is a subordinate id of gate-one') },
  },
  {
    name: 'subordinate ids overlap those of another',
    change: (host: Observed) => {
      const subuids = [...host.accounts.subuids, { owner: 'alice', start: 30_521 * 65_536 + 1_000, count: 10 }]
      return { ...host, accounts: { ...host.accounts, subuids } }
    },
    problem: { code: 'SUBID_CONFLICT', message: expect.stringContaining('alice') },
  },
])('refuses when $name', ({ change, problem }) => {
  expect(planProblems(TWO, settled(TWO))).toEqual([])
  expect(planProblems(TWO, change(settled(TWO)))).toMatchObject([problem])
})

test('takes the accounts of a package, and what an earlier generation ran as', () => {
  expect(planProblems(TWO, beforeFirstApply(settled(TWO)))).toEqual([])
  expect(planProblems(TWO, withUser(settled(TWO), 'gate', { uid: 1000, shell: '/bin/bash' }))).toEqual([])
})

/** The accounts are there, but not from an apply. */
function beforeFirstApply(host: Observed): Observed {
  const { generations, made } = NO_OBSERVATION
  return { ...host, generations, made }
}

function withUser(host: Observed, name: string, change: object): Observed {
  const user = host.accounts.users.get(name)
  if (user === undefined) throw new Error(`no user ${name}`)
  const users = new Map([...host.accounts.users, [name, { ...user, ...change }]])
  return { ...host, accounts: { ...host.accounts, users } }
}

test.each([
  { name: 'D6 the file of a package, as it came', conffiles: ['/etc/caddy/Caddyfile'], problems: [] },
  { name: 'one that the administrator changed', conffiles: [], problems: ['FOREIGN_FILE'] },
  { name: 'another one that is as it came', conffiles: ['/etc/nginx/nginx.conf'], problems: ['FOREIGN_FILE'] },
])('$name is replaced or in the way', ({ conffiles, problems }) => {
  const caddy = desiredOf({
    gate: { domain: 'ai.example.org', tls: { internal_ca: true } },
    proxy: { engine: 'caddy' },
  })
  const there = new Map([['/etc/caddy/Caddyfile', { kind: 'file', text: ':80 {\n}\n', mode: 0o644 } as const]])
  const observed = { ...NO_OBSERVATION, files: there, conffiles: new Set(conffiles) }
  expect(planProblems(caddy, observed).map(({ code }) => code)).toEqual(problems)
})

test('D6 the file of a package comes back when ours goes', () => {
  const caddy = desiredOf({
    gate: { domain: 'ai.example.org', tls: { internal_ca: true } },
    proxy: { engine: 'caddy' },
  })
  const original = ':80 {\n}\n'
  const before = settled(caddy)
  const observed = { ...before, made: { ...before.made, originals: { '/etc/caddy/Caddyfile': original } } }
  const change = makePlan(desiredOf({}), observed).files.find(({ place }) => place === '/etc/caddy/Caddyfile')
  expect(change).toMatchObject({ kind: 'change', after: original })
})

const OURS = ':80 {\n\troot * /usr/share/caddy\n}\n'
const status = (md5: string) => `Package: caddy\nConffiles:\n /etc/caddy/Caddyfile ${md5}\nDescription: a server\n`
test.each([
  { name: 'the hash that dpkg noted', text: OURS, md5: createHash('md5').update(OURS).digest('hex'), found: 1 },
  { name: 'another hash', text: `${OURS}# mine\n`, md5: createHash('md5').update(OURS).digest('hex'), found: 0 },
  {
    name: 'a hash that dpkg calls obsolete',
    text: OURS,
    md5: `${createHash('md5').update(OURS).digest('hex')} obsolete`,
    found: 0,
  },
])('D6 a configuration file with $name', ({ text, md5, found }) => {
  const host = { read: () => status(md5) } as unknown as HostView
  const files = new Map([['/etc/caddy/Caddyfile', { kind: 'file', text, mode: 0o644 } as const]])
  expect(untouchedConffiles(host, files).size).toBe(found)
})

test('what an older version made a member of the admins leaves them, and nobody else does', () => {
  const host = settled(TWO)
  const admins = { name: 'gate-admin', gid: 990, members: ['alice', 'gate', 'gate-one'] }
  const accounts = { ...host.accounts, groups: new Map([...host.accounts.groups, ['gate-admin', admins]]) }
  const plan = makePlan(TWO, { ...host, accounts })
  expect(plan.accounts.map(({ account, leaves }) => [account.name, leaves])).toEqual([
    ['gate', ['gate-admin']],
    ['gate-one', ['gate-admin']],
  ])
  expect(isEmptyPlan(plan)).toBe(false)
})

import { expect, test } from 'vitest'
import type { FileStatus, HostView } from '../../../host/host.ts'
import { makePlan } from '../../../host/plan/plan.ts'
import { findPlanted, type Planted } from '../../../host/plan/planted.ts'
import { settled, TWO } from '../../support/observed-host.ts'

const HOME = '/var/lib/gate-backends/one'
const RUN = '/run/user/40000'
const UID = 40_000

/** What a place is, and whose. */
type Entry = { readonly kind: FileStatus['kind']; readonly uid: number; readonly mode?: number }
const directory = (uid = 0, mode = 0o755): Entry => ({ kind: 'directory', uid, mode })
const file = (uid = UID): Entry => ({ kind: 'file', uid })
const link = (uid = UID): Entry => ({ kind: 'link', uid })

/** What an apply leaves, and podman and the manager of the account make. */
const IN_ORDER: Readonly<Record<string, Entry>> = {
  [HOME]: directory(),
  [`${HOME}/.config`]: directory(),
  [`${HOME}/.config/systemd`]: directory(),
  [`${HOME}/.config/systemd/user`]: link(0),
  [`${HOME}/.config/containers`]: directory(), // of an administrator
  [`${HOME}/.local`]: directory(),
  [`${HOME}/.local/share`]: directory(),
  [`${HOME}/.local/share/containers`]: directory(UID, 0o700),
  [`${HOME}/.local/share/containers/storage`]: directory(UID, 0o700),
  [`${HOME}/.cache`]: directory(UID, 0o700),
  [`${RUN}/dbus-1/services`]: directory(UID),
  [`${RUN}/systemd/transient`]: directory(UID),
  [`${RUN}/systemd/transient/podman-pause-2a.scope`]: file(),
  [`${RUN}/systemd/transient/0a-1b.timer`]: file(),
  [`${RUN}/systemd/transient/libpod-0a.scope`]: file(),
  [`${RUN}/systemd/transient/libpod-0a.scope.d`]: directory(UID),
  [`${RUN}/systemd/generator/gate-one.service`]: file(),
}

function found(changes: Readonly<Record<string, Entry | undefined>>): Planted[] {
  const all = new Map(Object.entries({ ...IN_ORDER, ...changes }))
  const host: HostView = {
    read: () => undefined,
    readUntrusted: () => undefined,
    ask: async () => ({ code: 0, stdout: '', stderr: '' }),
    status: (path) => {
      const entry = all.get(path)
      return entry && { mode: 0o644, gid: 0, links: 1, target: undefined, modifiedMs: 0, ...entry }
    },
    list: (path) =>
      [...all.keys()]
        .filter((one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/'))
        .map((one) => one.slice(path.length + 1)),
  }
  return findPlanted(host, TWO.generation, settled(TWO).accounts)
}

test('what an apply, podman and a manager make is nothing planted', () => {
  expect(found({})).toEqual([])
})

test.each([
  { what: 'a home as earlier versions had it', at: `${HOME}/.local`, entry: directory(UID, 0o700), of: 'untaken' },
  { what: 'one that the group may write to', at: `${HOME}/.local/share`, entry: directory(0, 0o775), of: 'untaken' },
  { what: 'a link in place of a directory', at: `${HOME}/.local/share`, entry: link(), of: 'inHome' },
  { what: 'units in its home', at: `${HOME}/.local/share/systemd`, entry: directory(UID), of: 'inHome' },
  { what: 'a link in its home', at: `${HOME}/.config/environment.d`, entry: link(), of: 'inHome' },
  { what: 'a file in its home', at: `${HOME}/.pam_environment`, entry: file(), of: 'inHome' },
  { what: 'a link in place of a directory of units', at: `${RUN}/systemd/user`, entry: link(), of: 'inRuntime' },
  { what: 'a unit in place of ours', at: `${RUN}/systemd/transient/gate-one.service`, entry: file(), of: 'inRuntime' },
  { what: 'a template of ours', at: `${RUN}/systemd/transient/gate-agent@.service`, entry: file(), of: 'inRuntime' },
  { what: 'a drop-in of ours', at: `${RUN}/systemd/transient/gate-one.service.d`, entry: directory(), of: 'inRuntime' },
  { what: 'a drop-in of every unit', at: `${RUN}/systemd/transient/service.d`, entry: directory(), of: 'inRuntime' },
  { what: 'another name of ours', at: `${RUN}/systemd/transient/x.service`, entry: link(), of: 'inRuntime' },
  { what: 'what a target wants', at: `${RUN}/systemd/transient/basic.target.wants`, entry: file(), of: 'inRuntime' },
])('$what is found', ({ at, entry, of }) => {
  expect(found({ [at]: entry })).toEqual([
    { user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], [of]: [at] },
  ])
})

test.each(['service', 'gate-.service', '-.service'])('a drop-in of many units is found, %s beside it', (unit) => {
  const beside = { [`${RUN}/systemd/transient/${unit}`]: file() }
  const dropIns = `${RUN}/systemd/transient/${unit}.d`
  expect(found({ ...beside, [dropIns]: directory(UID) })).toMatchObject([{ inRuntime: [dropIns] }])
})

test('a drop-in is named by its file, whatever its name; no more than 16 of an account', () => {
  const dropIns = `${RUN}/systemd/user.control/gate-one.service.d`
  const tree = { [`${RUN}/systemd/user.control`]: directory(UID), [dropIns]: directory(UID) }
  expect(found({ ...tree, [`${dropIns}/\u001b[2J.conf`]: file() })).toMatchObject([
    { inRuntime: [`${dropIns}/\u001b[2J.conf`] },
  ])
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${dropIns}/${i}.conf`, file()]))
  expect(found({ ...tree, ...many })[0]?.inRuntime).toHaveLength(16)
})

test('its crontab is found, and of the jobs of at(1) its own', () => {
  const jobs = { '/var/spool/cron/crontabs/gate-one': file(), '/var/spool/cron/atjobs/a1': file() }
  const others = { '/var/spool/cron/crontabs/login': file(1000), '/var/spool/cron/atjobs/a2': file(1000) }
  expect(found({ ...jobs, ...others })).toMatchObject([{ user: 'gate-one', jobs: Object.keys(jobs) }])
})

const units = (planted: Partial<Planted>) =>
  makePlan(TWO, {
    ...settled(TWO),
    planted: [{ user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], ...planted }],
  }).units.map(({ action, unit }) => `${action} ${unit.name}`)

test('an account that planted something starts anew, and no other', () => {
  const anew = [
    'start user@40000.service',
    'start gate-one.service',
    'start gate-agent.socket',
    'start gate-shell.socket',
  ]
  expect(units({ inRuntime: [`${RUN}/systemd/user/x`] })).toEqual(anew)
  expect(units({ inHome: [`${HOME}/x`] })).toEqual(anew)
  expect(units({ jobs: ['/var/spool/cron/crontabs/gate-one'] })).toEqual(anew)
})

test('a home that only becomes root’s stops nothing', () => {
  expect(units({ untaken: [`${HOME}/.local`] })).toEqual([])
})

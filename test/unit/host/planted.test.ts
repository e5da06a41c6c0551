import { expect, test } from 'vitest'
import type { FileStatus, HostView } from '../../../host/host.ts'
import { makePlan } from '../../../host/plan/plan.ts'
import { findPlanted, type Planted } from '../../../host/plan/planted.ts'
import { settled, TWO } from '../../support/observed-host.ts'

const HOME = '/var/lib/gate-backends/one'
const RUN = '/run/user/40000'
const UID = 40_000

/** What a place is, and whose. */
type Entry = Partial<FileStatus> & Pick<FileStatus, 'kind' | 'uid'> & { readonly text?: string }
const directory = (uid = 0, mode = 0o755): Entry => ({ kind: 'directory', uid, mode })
const file = (uid = UID): Entry => ({ kind: 'file', uid })
const link = (uid = UID, target?: string): Entry => ({ kind: 'link', uid, target })
const QUADLET = '/usr/libexec/podman/quadlet'
const GENERATED = `${RUN}/systemd/generator/gate-one.service`
const MADE = '# comment of a spec\n\n[Service]\nExecStart=podman run --pids-limit 1 --rm\n'
/** As podman's generator writes it. */
const made = (text = MADE): Entry => ({ ...file(), text: `# Automatically generated\n#\n${text}` })

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
  [QUADLET]: file(0),
  '/etc/containers/systemd/users': directory(),
  '/etc/containers/systemd/users/40000/gate-one.container': file(0),
  [GENERATED]: made(),
  [`${RUN}/systemd/generator`]: directory(UID),
  [`${RUN}/systemd/generator/default.target.wants`]: directory(UID),
  [`${RUN}/systemd/generator/default.target.wants/gate-one.service`]: link(UID, '../gate-one.service'),
  [`${RUN}/systemd/generator.late`]: directory(UID),
  [`${RUN}/systemd/generator.early`]: directory(UID),
  [`${RUN}/systemd/generator.late/app-x@autostart.service`]: file(),
  [`${RUN}/systemd/generator.late/xdg-desktop-autostart.target.wants`]: directory(UID),
  [`${RUN}/systemd/generator.late/xdg-desktop-autostart.target.wants/app-x@autostart.service`]: link(),
}

/** What programs say, by a part of their command line. */
type Said = Readonly<Record<string, string>>
const SAID: Said = {
  '-dryrun': `---gate-one.service---\n${MADE.replace('--pids-limit 1 --rm', '--rm --pids-limit 1')}\n`,
}

async function found(changes: Readonly<Record<string, Entry | undefined>>, said: Said = {}): Promise<Planted[]> {
  const answers = Object.entries({ ...SAID, ...said }).toReversed()
  const all = new Map(Object.entries({ ...IN_ORDER, ...changes }))
  const host: HostView = {
    read: (path) => all.get(path)?.text,
    readUntrusted: (top, inner) => all.get(`${top}/${inner}`)?.text,
    ask: async (command) => {
      const [, stdout] = answers.find(([part]) => command.join(' ').includes(part)) ?? []
      return { code: stdout === undefined ? 1 : 0, stdout: stdout ?? '', stderr: '' }
    },
    status: (path) => {
      const entry = all.get(path)
      if (entry === undefined) return undefined
      const { text: _, ...status } = entry
      const times = { modifiedMs: 0, changedMs: entry.uid === 0 ? 1 : 2 }
      return { mode: 0o644, gid: 0, links: 1, target: undefined, ...times, ...status }
    },
    list: (path) =>
      [...all.keys()]
        .filter((one) => one.startsWith(`${path}/`) && !one.slice(path.length + 1).includes('/'))
        .map((one) => one.slice(path.length + 1)),
  }
  return await findPlanted(host, TWO.generation, settled(TWO).accounts)
}

test('what an apply, podman and a manager make is nothing planted', async () => {
  expect(await found({})).toEqual([])
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
  {
    what: 'a text of its own in place of what quadlet makes',
    at: GENERATED,
    entry: made('[Service]\n'),
    of: 'inRuntime',
  },
  { what: 'a drop-in beside it', at: `${GENERATED}.d`, entry: directory(UID), of: 'inRuntime' },
  {
    what: 'the template of an agent that comes first',
    at: `${RUN}/systemd/generator.early/gate-agent@.service`,
    entry: file(),
    of: 'inRuntime',
  },
  { what: 'one that comes first', at: `${RUN}/systemd/generator.early`, entry: link(), of: 'inRuntime' },
  {
    what: 'another start of it',
    at: `${RUN}/systemd/generator/default.target.wants/gate-one.service`,
    entry: link(UID, '/tmp/x.service'),
    of: 'inRuntime',
  },
  {
    what: 'a start of another unit',
    at: `${RUN}/systemd/generator/default.target.wants/x.service`,
    entry: link(),
    of: 'inRuntime',
  },
  { what: 'what a target wants', at: `${RUN}/systemd/transient/basic.target.wants`, entry: file(), of: 'inRuntime' },
])('$what is found', async ({ at, entry, of }) => {
  expect(await found({ [at]: entry })).toEqual([
    { user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], loaded: [], [of]: [at] },
  ])
})

test.each(['service', 'gate-.service', '-.service'])('a drop-in of many units is found, %s beside it', async (unit) => {
  const beside = { [`${RUN}/systemd/transient/${unit}`]: file() }
  const dropIns = `${RUN}/systemd/transient/${unit}.d`
  expect(await found({ ...beside, [dropIns]: directory(UID) })).toMatchObject([{ inRuntime: [dropIns] }])
})

test('a drop-in is named by its file, whatever its name; no more than 16 of an account', async () => {
  const dropIns = `${RUN}/systemd/user.control/gate-one.service.d`
  const tree = { [`${RUN}/systemd/user.control`]: directory(UID), [dropIns]: directory(UID) }
  expect(await found({ ...tree, [`${dropIns}/\u001b[2J.conf`]: file() })).toMatchObject([
    { inRuntime: [`${dropIns}/\u001b[2J.conf`] },
  ])
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`${dropIns}/${i}.conf`, file()]))
  expect((await found({ ...tree, ...many }))[0]?.inRuntime).toHaveLength(16)
})

test('its crontab is found, and of the jobs of at(1) its own', async () => {
  const jobs = { '/var/spool/cron/crontabs/gate-one': file(), '/var/spool/cron/atjobs/a1': file() }
  const others = { '/var/spool/cron/crontabs/login': file(1000), '/var/spool/cron/atjobs/a2': file(1000) }
  expect(await found({ ...jobs, ...others })).toMatchObject([{ user: 'gate-one', jobs: Object.keys(jobs) }])
})

test('what quadlet made before a quadlet or podman changed is stale, and not planted', async () => {
  const old = { [GENERATED]: { ...made('[Service]\nExecStart=older\n'), changedMs: 5 } }
  expect(await found(old)).toMatchObject([{ inRuntime: [GENERATED] }])
  expect(await found({ ...old, [QUADLET]: { ...file(0), changedMs: 6 } })).toEqual([])
})

test('what quadlet made where its program is not found, as on NixOS, is not planted', async () => {
  expect(await found({ [QUADLET]: undefined })).toEqual([])
})

const PRIVATE = `${RUN}/systemd/private`
const ID = '0a'.repeat(32)
const unit = (name: string, from: string, more = '') =>
  `Id=${name}\nFragmentPath=${from}\nDropInPaths=${more}\nActiveState=active\n`
const CHECK = `${ID}-1b.service`
const AUTOSTART = 'app-x@autostart.service'
const transient = (name: string) => unit(name, `${RUN}/systemd/transient/${name}`)
const runs = (what: string) =>
  `ExecStart={ path=/usr/bin/podman ; argv[]=/usr/bin/podman ${what} ; ignore_errors=no ; pid=0 }\n`

/** What the manager of gate-one says of its units and variables, and of its health check. */
const asks = (units: readonly string[], variables = '', check = '') =>
  found(
    { [PRIVATE]: file(), '/proc/7/environ': { ...file(), text: 'PATH=/usr/bin\0LANG=C.UTF-8\0' } },
    {
      'systemctl show': 'Id=user@40000.service\nMainPID=7\nActiveState=active\n',
      '--property=Id,FragmentPath': units.join('\n'),
      '--property=Environment': `Environment=PATH=/usr/bin LANG=C.UTF-8 ${variables}\n`,
      '--property=Exec': check,
      'user-environment-generators': 'OF_ROOT=1\n',
    },
  )

test('what a manager has of root, of quadlets and of the health checks of podman is in order', async () => {
  const units = [
    unit('basic.target', '/usr/lib/systemd/user/basic.target'),
    unit('gate-one.service', GENERATED),
    unit('gate-agent.socket', `${HOME}/.config/systemd/user/gate-agent.socket`, '/etc/systemd/user/x.conf'),
    ...[`${ID}-1b.timer`, CHECK].map(transient),
    unit(AUTOSTART, `${RUN}/systemd/generator.late/${AUTOSTART}`).replace('=active', '=inactive'),
  ]
  const variables = `"OF_ROOT=a b" DBUS_SESSION_BUS_ADDRESS=unix:path=${RUN}/bus`
  expect(
    await asks(units, variables, `Environment=PATH=/usr/bin\nBindPaths=\n${runs(`healthcheck run ${ID}`)}`),
  ).toEqual([])
})

test.each([
  { of: 'podman 4', id: `${ID}.service`, run: `healthcheck run ${ID}` },
  { of: 'the start, podman 5', id: `${ID}-startup-1b.service`, run: `healthcheck run ${ID}` },
  {
    of: 'podman 6',
    id: CHECK,
    run: `--root ${HOME}/.local/share/containers/storage --runtime crun --hooks-dir /usr/share/containers/oci/hooks.d --transient-store=false healthcheck run --ignore-result ${ID}`,
  },
])('a health check of $of is in order', async ({ id, run }) => {
  expect(await asks([transient(id)], '', runs(run))).toEqual([])
})

test.each([
  { what: 'a unit of its own', units: [transient('x.service')], loaded: ['x.service'] },
  {
    what: 'an autostart that runs',
    units: [unit(AUTOSTART, `${RUN}/systemd/generator.late/${AUTOSTART}`)],
    loaded: [AUTOSTART],
  },
  { what: 'a timer that starts one', units: [transient('x.timer')], loaded: ['x.timer'] },
  {
    what: 'a drop-in that is removed again',
    units: [unit('gate-one.service', GENERATED, `"${RUN}/a b"`)],
    loaded: ['gate-one.service'],
  },
  {
    what: 'a unit of its own from where generators write',
    units: [unit('x.service', `${RUN}/systemd/generator/x.service`)],
    loaded: ['x.service'],
  },
  {
    what: 'ours from elsewhere',
    units: [unit('gate-one.service', '/tmp/gate-one.service')],
    loaded: ['gate-one.service'],
  },
  { what: 'one whose file is gone', units: [unit('x.service', '')], loaded: ['x.service'] },
  { what: 'one of what podman writes', units: [unit('x.service', `${HOME}/.cache/x.service`)], loaded: ['x.service'] },
  { what: 'a library for every unit', variables: 'LD_PRELOAD=/tmp/x.so', loaded: ['LD_PRELOAD'] },
  { what: 'other programs', variables: '"PATH=/tmp/x y:/usr/bin"', loaded: ['PATH'] },
  { what: 'a health check of its own', check: runs('run x'), loaded: [CHECK] },
  { what: 'one of another container', check: runs(`healthcheck run ${'0b'.repeat(32)}`), loaded: [CHECK] },
  { what: 'another runtime', check: runs(`--runtime /tmp/x healthcheck run ${ID}`), loaded: [CHECK] },
  { what: 'another conmon', check: runs(`--conmon /tmp/x healthcheck run ${ID}`), loaded: [CHECK] },
  {
    what: 'a program before it',
    check: `ExecStartPre={ path=/tmp/x }\n${runs(`healthcheck run ${ID}`)}`,
    loaded: [CHECK],
  },
  {
    what: 'another podman',
    check: `BindPaths=/tmp/x:/usr/bin/podman\n${runs(`healthcheck run ${ID}`)}`,
    loaded: [CHECK],
  },
])('$what is found in a manager', async ({ units, variables, check = '', loaded }) => {
  const [one, ...more] = await asks(units ?? [transient(CHECK)], variables, check || runs(`healthcheck run ${ID}`))
  expect(one?.loaded.map(({ name }) => name)).toEqual(loaded)
  expect(more).toEqual([])
})

test('a manager that does not answer is found; one that does not run is not asked', async () => {
  const shown = (state: string) => ({ 'systemctl show': `Id=user@40000.service\nMainPID=7\nActiveState=${state}\n` })
  expect(await found({ [PRIVATE]: file() }, shown('active'))).toMatchObject([{ loaded: [{ what: 'manager' }] }])
  expect(await found({ [PRIVATE]: file() }, shown('inactive'))).toEqual([])
})

const unitsOf = (planted: Partial<Planted>) =>
  makePlan(TWO, {
    ...settled(TWO),
    planted: [{ user: 'gate-one', untaken: [], inHome: [], inRuntime: [], jobs: [], loaded: [], ...planted }],
  }).units.map(({ action, unit }) => `${action} ${unit.name}`)

test('an account that planted something starts anew, and no other', () => {
  const anew = [
    'start user@40000.service',
    'start gate-one.service',
    'start gate-agent.socket',
    'start gate-shell.socket',
  ]
  expect(unitsOf({ inRuntime: [`${RUN}/systemd/user/x`] })).toEqual(anew)
  expect(unitsOf({ inHome: [`${HOME}/x`] })).toEqual(anew)
  expect(unitsOf({ jobs: ['/var/spool/cron/crontabs/gate-one'] })).toEqual(anew)
  expect(unitsOf({ loaded: [{ what: 'variable', name: 'LD_PRELOAD', why: '' }] })).toEqual(anew)
})

test('a home that only becomes root’s stops nothing', () => {
  expect(unitsOf({ untaken: [`${HOME}/.local`] })).toEqual([])
})

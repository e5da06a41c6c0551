import { sh } from '../../../syntax/shell/print.ts'
import { NOT_THERE } from '../../program.ts'
import type { Check } from '../check.ts'
import { command, edit, fail, ok, ROOT_SEES_MORE, skip, warn } from '../finding.ts'
import { runProgram, statPath } from '../look.ts'

/** What `podman --version` printed; undefined: there is no podman. */
export type PodmanFacts = { readonly printed: string | undefined; readonly isRoot: boolean }

export const podman: Check<PodmanFacts> = {
  name: 'podman',
  summary: 'whether podman is there and new enough (quadlets since 4.4, drop-ins for them since 5.0)',
  isForContainers: true,
  async observe({ isRoot }, signal) {
    const ran = await runProgram(['podman', '--version'], signal)
    return { isRoot, printed: ran.code === NOT_THERE ? undefined : `${ran.stdout}${ran.stderr}`.trim() }
  },
  judge({ printed, isRoot }) {
    const install = command(sh`apt-get install podman`)
    if (printed === undefined) return [fail('no podman', 'backends are rootless podman containers', install)]
    const [, major, minor] = /(\d+)\.(\d+)/.exec(printed) ?? []
    // it wants its own home before it says anything
    if (minor === undefined && !isRoot)
      return [skip('the version of podman', `${ROOT_SEES_MORE}; podman says: ${printed}`)]
    if (major === undefined || minor === undefined)
      return [fail('podman does not report its version', printed, install)]
    const version = Number(major) * 100 + Number(minor)
    if (version < 404)
      return [
        fail(
          `podman ${major}.${minor} is too old`,
          'quadlets need 4.4',
          edit('this host', 'upgrade to Debian 13, which has podman 5.4'),
        ),
      ]
    if (version < 500)
      return [
        warn(
          `podman ${major}.${minor} has no drop-ins for quadlets`,
          'a unit counts as started before its engine answers; both need 5.0',
          edit('this host', `upgrade to Debian 13; until then compile with --podman ${major}.${minor}`),
        ),
      ]
    return [ok(printed)]
  },
}

/** What rootless quadlets need beside podman: any one of the paths, and the Debian package that has it. */
const PROGRAMS = [
  { name: 'crun', paths: ['/usr/bin/crun', '/usr/bin/runc'], package: 'crun', why: 'it runs the containers' },
  {
    name: 'netavark',
    paths: ['/usr/lib/podman/netavark', '/usr/libexec/podman/netavark'],
    package: 'netavark',
    why: 'it makes the networks',
  },
  {
    name: 'aardvark-dns',
    paths: ['/usr/lib/podman/aardvark-dns', '/usr/libexec/podman/aardvark-dns'],
    package: 'aardvark-dns',
    why: 'it names containers in networks',
  },
  {
    name: 'pasta',
    paths: ['/usr/bin/pasta', '/usr/bin/slirp4netns'],
    package: 'passt',
    why: 'it connects rootless networks to the host',
  },
  {
    name: 'catatonit',
    paths: ['/usr/bin/catatonit', '/usr/libexec/podman/catatonit', '/usr/libexec/catatonit/catatonit'],
    package: 'catatonit',
    why: 'podman cannot keep its user namespace without it',
  },
  { name: 'newuidmap', paths: ['/usr/bin/newuidmap'], package: 'uidmap', why: 'it maps ids' },
  {
    name: "the users' D-Bus",
    paths: ['/usr/lib/systemd/user/dbus.socket', '/usr/lib/systemd/user/dbus-broker.service'],
    package: 'dbus-user-session',
    why: 'systemctl --user and podman speak over it',
  },
  {
    name: 'machinectl',
    paths: ['/usr/bin/machinectl'],
    package: 'systemd-container',
    why: 'systemctl --user -M USER@.host needs what comes with it',
  },
] as const

export type ProgramFacts = {
  readonly missing: readonly (typeof PROGRAMS)[number]['name'][]
}

export const programs: Check<ProgramFacts> = {
  name: 'programs',
  summary:
    'whether crun, netavark, aardvark-dns, passt, catatonit, uidmap, dbus-user-session and systemd-container are installed',
  isForContainers: true,
  async observe() {
    const found = PROGRAMS.map(async ({ name, paths }) => {
      const seen = await Promise.all(paths.map(statPath))
      return { name, isThere: seen.some(({ kind }) => kind === 'seen') }
    })
    const missing = (await Promise.all(found)).filter(({ isThere }) => !isThere)
    return { missing: missing.map(({ name }) => name) }
  },
  judge({ missing }) {
    if (missing.length === 0) return [ok('everything that rootless podman calls is installed')]
    return PROGRAMS.filter(({ name }) => missing.includes(name)).map((program) =>
      fail(`no ${program.name}`, program.why, command(sh`apt-get install ${program.package}`)),
    )
  },
}

import { sh } from '../../../syntax/shell/print.ts'
import { NOT_THERE } from '../../program.ts'
import type { Check } from '../check.ts'
import { command, ok, warn } from '../finding.ts'
import { runProgram, textOf } from '../look.ts'

export type DenialFacts = {
  /** Messages of the kernel about refusals, newest last; undefined: not readable for this caller. */
  readonly denials: readonly string[] | undefined
}

/** Programs of a rootless container that distributions give AppArmor profiles to. */
const CONFINED = ['passt', 'pasta', 'podman', 'crun', 'conmon', 'slirp4netns', 'newuidmap', 'newgidmap', 'gate-daemon']

export const apparmor: Check<DenialFacts> = {
  name: 'apparmor',
  summary: 'whether AppArmor denied something to podman, passt and the other programs of containers',
  async observe(_, signal) {
    const profiles = await textOf('/sys/module/apparmor/parameters/enabled')
    if (!profiles.startsWith('Y')) return { denials: [] }
    const ran = await runProgram(
      ['journalctl', '--dmesg', '--boot', '--grep=apparmor="DENIED"', '--output=cat', '--lines=200', '--quiet'],
      signal,
    )
    if (ran.code === NOT_THERE || /not seeing messages|insufficient permissions/i.test(ran.stderr))
      return { denials: undefined }
    return { denials: ran.stdout.split('\n').filter((line) => line !== '') }
  },
  judge({ denials }) {
    if (denials === undefined)
      return [
        {
          status: 'skip',
          what: "the kernel's messages cannot be read",
          why: 'run gatectl doctor as root, or as a member of systemd-journal',
        },
      ]
    const byProfile = new Map<string, { count: number; last: string }>()
    for (const line of denials) {
      const [program, profile] = [field(line, 'comm'), field(line, 'profile')]
      if (!CONFINED.some((name) => program.startsWith(name) || profile.endsWith(name))) continue
      byProfile.set(profile, { count: (byProfile.get(profile)?.count ?? 0) + 1, last: line })
    }
    if (byProfile.size === 0) return [ok('AppArmor denied nothing to the programs of containers')]
    return [...byProfile].map(([profile, { count, last }]) =>
      warn(
        `AppArmor denied something to ${profile} ${count === 1 ? 'once' : `${count} times`}`,
        `${field(last, 'operation')} ${field(last, 'name')} ${field(last, 'info')}`.trim(),
        command(sh`apt-get install apparmor-utils && aa-complain ${profilePath(profile)}`),
      ),
    )
  },
}

function field(line: string, name: string): string {
  return new RegExp(`\\b${name}="([^"]*)"`).exec(line)?.[1] ?? ''
}

/** @see apparmor.d(5): the file of a profile is called like its path, with dots */
function profilePath(profile: string): string {
  const name = profile.startsWith('/') ? profile.slice(1).replaceAll('/', '.') : profile
  return /^[A-Za-z0-9._-]+$/.test(name) ? `/etc/apparmor.d/${name}` : '/etc/apparmor.d/usr.bin.passt'
}

import { sh } from '../../syntax/shell/print.ts'
import type { Check } from './check.ts'
import { command, fail, ok, skip } from './finding.ts'
import { runProgram, statPath } from './look.ts'

export type NullFacts = {
  readonly isDevice: boolean
  readonly mode: number
  readonly major: number
  readonly minor: number
}

/**
 * A root shell that writes a file over /dev/null, or an image that changes its mode, breaks every service that is not
 * root's.
 */
export const devNull: Check<NullFacts | undefined> = {
  name: 'dev-null',
  summary: 'whether /dev/null is the device and every user may write to it',
  async observe() {
    const seen = await statPath('/dev/null')
    if (seen.kind !== 'seen') return undefined
    const { mode, rdev } = seen.value
    // makedev(3): 12 bits of major number above 8 of minor, as far as small numbers go
    return { isDevice: (mode & 0o170000) === 0o020000, mode: mode & 0o777, major: rdev >> 8, minor: rdev & 0xff }
  },
  judge(facts) {
    const fix = command(sh`rm -f /dev/null && mknod -m 0666 /dev/null c 1 3`)
    if (facts === undefined) return [fail('there is no /dev/null', 'nearly every service needs it', fix)]
    if (!facts.isDevice || facts.major !== 1 || facts.minor !== 3)
      return [
        fail(
          '/dev/null is not the device',
          'what is written to it is stored somewhere, and reading it may not end',
          fix,
        ),
      ]
    if (facts.mode === 0o666) return [ok('/dev/null is the device, writable by every user')]
    const why = `services that are not root's fail with "/dev/null: Permission denied"`
    return [fail(`/dev/null has mode ${facts.mode.toString(8)}`, why, command(sh`chmod 0666 /dev/null`))]
  },
}

export type OnlineFacts = { readonly state: string }

/** The quadlets of a user wait up to 90 s for this target of the system's manager. */
export const networkOnline: Check<OnlineFacts> = {
  name: 'network-online',
  summary: 'whether network-online.target is reached, for which rootless quadlets wait',
  isForContainers: true,
  async observe(_, signal) {
    const ran = await runProgram(['systemctl', 'is-active', 'network-online.target'], signal)
    return { state: ran.stdout.trim() }
  },
  judge({ state }) {
    if (state === 'active') return [ok('network-online.target is reached')]
    if (state === '') return [skip('network-online.target', 'systemctl prints nothing; is systemd running here?')]
    return [
      fail(
        `network-online.target is ${state}`,
        'each start of a rootless container then waits 90 s for it',
        command(
          sh`systemctl add-wants multi-user.target network-online.target && systemctl start network-online.target`,
        ),
      ),
    ]
  },
}

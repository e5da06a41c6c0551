import { spanText } from '../../../schemas/words/span.ts'
import { sh } from '../../../syntax/shell/print.ts'
import { NOT_THERE } from '../../program.ts'
import type { Check } from '../check.ts'
import { command, edit, type Finding, fail, ok, skip, warn } from '../finding.ts'
import { outputOf, runProgram, statPath, textOf } from '../look.ts'

/** Tokens, certificates and the windows of budgets bear this much. */
const MOST_OFFSET_MS = 2_000

export type ClockFacts = {
  readonly nowMs: number
  /** As the kernel says it, through timedatectl(1); undefined: it says nothing. */
  readonly isSynchronised: boolean | undefined
  /** Whether a time service is switched on. */
  readonly hasService: boolean
  /** Measured by chrony against its servers; undefined without chrony. */
  readonly offsetMs: number | undefined
  /** Files that were written at this time at the earliest: the clock cannot be earlier. */
  readonly earliest: readonly { readonly path: string; readonly timeMs: number }[]
  readonly isContainer: boolean
}

/** The time of the last look of systemd-timesyncd, and of boot: both are kept over reboots. */
const WITNESSES = [
  '/var/lib/systemd/timesync/clock',
  '/var/lib/systemd/random-seed',
  '/usr/bin/gatectl',
  '/etc/machine-id',
]

export const clock: Check<ClockFacts> = {
  name: 'clock',
  summary: 'whether the clock is synchronised, and not visibly wrong',
  async observe(_, signal) {
    const [shown, tracking, container] = await Promise.all([
      runProgram(['timedatectl', 'show'], signal),
      outputOf(['chronyc', '-c', 'tracking'], signal),
      outputOf(['systemd-detect-virt', '--container'], signal),
    ])
    const earliest = WITNESSES.map(async (path) => ({ path, seen: await statPath(path) }))
    const isSynchronised = /^NTPSynchronized=(yes|no)$/m.exec(shown.stdout)?.[1]
    return {
      nowMs: Date.now(),
      isSynchronised: shown.code === NOT_THERE || isSynchronised === undefined ? undefined : isSynchronised === 'yes',
      hasService: /^NTP=yes$/m.test(shown.stdout) || tracking !== '' || (await textOf('/run/openntpd.sock')) !== '',
      offsetMs: chronyOffsetMs(tracking),
      earliest: (await Promise.all(earliest)).flatMap(({ path, seen }) =>
        seen.kind === 'seen' ? [{ path, timeMs: seen.value.mtimeMs }] : [],
      ),
      isContainer: container !== '',
    }
  },
  judge: ({ nowMs, isSynchronised, hasService, offsetMs, earliest, isContainer }) => {
    const install = command(sh`apt-get install systemd-timesyncd && timedatectl set-ntp true`)
    const last = earliest.toSorted((a, b) => b.timeMs - a.timeMs)[0]
    if (last !== undefined && nowMs < last.timeMs - MOST_OFFSET_MS)
      return [behind(nowMs, last, isContainer ? edit('the host of this container', 'set the clock there') : install)]
    if (offsetMs !== undefined && Math.abs(offsetMs) > MOST_OFFSET_MS)
      return [
        fail(
          `the clock is off by ${spanText(offsetMs)}`,
          'certificates and logins are refused because of it',
          command(sh`chronyc makestep`),
        ),
      ]
    if (isSynchronised === undefined) return [skip('the clock', 'timedatectl does not say')]
    if (isSynchronised) return [ok('the clock is synchronised')]
    const why = 'certificates and logins are refused when it is wrong'
    if (isContainer)
      return [
        warn('the clock is not synchronised', why, edit('the host of this container', 'run a time service there')),
      ]
    return [
      warn(
        hasService ? 'the clock is not synchronised yet' : 'nothing synchronises the clock',
        why,
        hasService ? command(sh`timedatectl timesync-status; systemctl restart systemd-timesyncd`) : install,
      ),
    ]
  },
}

function behind(
  nowMs: number,
  { path, timeMs }: ClockFacts['earliest'][number],
  fix: ReturnType<typeof edit>,
): Finding {
  const why = `it is earlier than ${path} was written (${new Date(timeMs).toISOString()})`
  return fail(`the clock is at least ${spanText(timeMs - nowMs)} slow`, why, fix)
}

/** @see chronyc(1) "-c": field 5 of tracking is "System time", in seconds */
function chronyOffsetMs(tracking: string): number | undefined {
  const seconds = Number(tracking.split(',')[4])
  return tracking === '' || Number.isNaN(seconds) ? undefined : seconds * 1_000
}

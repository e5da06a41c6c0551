// Specs with odd numbers: whatever the compiler accepts, podman's generator and systemd take without leaving a line
// out.
import { describe, expect, test } from 'vitest'
import { DEBIAN_LAYOUT } from '../../schemas/deploy/layout.ts'
import { sampled } from '../support/effort.ts'
import { type Mutant, mutants } from '../support/mutants.ts'
import { runInDebian, type StagedFile } from './debian.ts'
import { prepareRootfs } from './rootfs.ts'

const COUNT = sampled(10, 400)
const rootfs = await prepareRootfs()
const title = rootfs.kind === 'ready' ? 'on Debian 13' : `on Debian 13 (needs a lab: ${rootfs.reason})`

/**
 * For each mutant a line with its number, then what podman's generator and systemd say about it. `quadlet` writes the
 * services beside the plain units; templates and their instances' drop-ins are read with the units that name them.
 */
const READ = `for mutant in $(ls /mutants | sort -n); do
  echo "== $mutant"
  for uid in $(ls /mutants/$mutant/users /mutants/$mutant/user-units 2>/dev/null | grep -x '[0-9]*' | sort -u); do
    mkdir -p /mutants/$mutant/made/$uid
    cp -r /mutants/$mutant/user-units/$uid/. /mutants/$mutant/made/$uid/ 2>/dev/null
    QUADLET_UNIT_DIRS=/mutants/$mutant/users/$uid /usr/libexec/podman/quadlet -user -no-kmsg-log /mutants/$mutant/made/$uid || echo "quadlet: $?"
    verify --user /mutants/$mutant/made/$uid
  done
  verify --system /mutants/$mutant/system
done`
const VERIFY = `verify() {
  manager=$1 dir=$2
  set --
  for unit in "$dir"/*.service "$dir"/*.socket; do
    case $unit in *@.service | *@.socket | *'*'*) ;; *) set -- "$@" "$unit" ;; esac
  done
  [ $# -eq 0 ] || SYSTEMD_UNIT_PATH="$dir:" systemd-analyze verify "$manager" --man=no "$@" || echo "verify: $?"
}
exec 2>&1
`
const COMMAND = ['XDG_RUNTIME_DIR=/run', 'HOME=/root', 'sh', '-c', VERIFY + READ]

describe.skipIf(rootfs.kind !== 'ready')(title, () => {
  test(`F2 nothing in the units of ${COUNT} specs with odd numbers is ignored`, () => {
    const all = mutants(COUNT, 9, { targets: ['quadlet', 'systemd'] })
    expect(all).toHaveLength(COUNT)
    const { agent, node, daemon, relay } = DEBIAN_LAYOUT.programs
    const programs = [agent, node, daemon, relay].map((path): StagedFile => [path, '', 0o755])
    const files = [...programs, ...all.flatMap(staged)]
    const { code, stdout } = runInDebian(rootfs, files, COMMAND)
    expect(code).toBe(0)
    const said = stdout.split(/^== \d+\n/m).slice(1)
    expect(said).toHaveLength(COUNT)
    const found = all.map(({ change }, i) => ({ change, said: said[i]?.replaceAll(/\/mutants\/\d+\//g, '') }))
    expect(found.filter(({ said = '' }) => said !== '')).toEqual([])
  })

  test('F2 a line that systemd ignores is seen, and one that podman refuses', () => {
    const wrong = (path: string, text: string): Mutant => ({ change: path, files: [{ path, text } as never] })
    const all = [
      wrong('systemd/system/x.service', '[Service]\nExecStart=/bin/true\nMemoryMax=99999999999T\n'),
      wrong('quadlet/user-units/1/x.service', '[Service]\nExecStart=/bin/true\nTimeoutStartSec=x\n'),
      wrong('quadlet/users/1/x.container', '[Container]\nImage=x.y/z\nOdd=1\n'),
    ]
    const { stdout } = runInDebian(rootfs, all.flatMap(staged), COMMAND)
    const [system, user, quadlet] = stdout.split(/^== \d+\n/m).slice(1)
    expect(system).toContain("memory limit '99999999999T', ignoring")
    expect(user).toContain('TimeoutStartSec=')
    expect(quadlet).toContain('Odd')
  })
})

/** The units of a mutant below a directory of its own. */
function staged({ files }: Mutant, index: number): StagedFile[] {
  return files.flatMap(({ path, text }): StagedFile[] => {
    const place = /^(?:systemd\/(system\/.+)|quadlet\/((?:users|user-units)\/\d+\/.+))$/.exec(path)
    const below = place?.[1] ?? place?.[2]
    return below === undefined ? [] : [[`/mutants/${index}/${below}`, text]]
  })
}
